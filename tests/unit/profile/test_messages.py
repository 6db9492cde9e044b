"""A message of changes: a customer's change and his moves between segments and tiers, each once, from any cursor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from services.profile.domain.changing import (
    MOVES,
    MOVES_HEADER,
    UPDATED,
    folded,
    noted,
    segments_moved,
    spoken,
    tier_changed,
)
from services.profile.listening.messages import events_of
from services.profile.listening.places import Cursor, Remembered, after, read_cursor

ANN = "00000000-0000-0000-0000-0000000000aa"
START = Cursor((0,) * 8)


@dataclass(frozen=True)
class Record:
    """A record of profile.changes."""

    partition: int
    offset: int
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]
    timestamp: int = 1_700_000_000_000


def record(offset: int, version: str, moves: list[dict[str, Any]]) -> Record:
    """As profile writes it."""
    notes = noted(version, {"type": UPDATED, "sections": ["value"], **({MOVES: moves} if moves else {})})
    told, detail = folded(notes)
    data, events = spoken(ANN, told, detail)
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", f"{ANN}:{told}".encode()),
        ("ce_type", detail["type"].encode()),
        ("ce_source", b"customer360/profile"),
        *([(MOVES_HEADER, orjson.dumps(events))] if events else []),
    ]
    return Record(3, offset, ANN.encode(), orjson.dumps(data), headers)


MOVES_OF_ONE = [tier_changed("C", "A"), *segments_moved({"old"}, {"vip", "club"})]


def heard(records: list[Record], cursor: Cursor = START) -> list[Any]:
    """What a listener at the cursor hears, as streams do it."""
    remembered, places = Remembered(), cursor.places
    found: list[Any] = []
    for one in records:
        is_ahead = one.offset >= places[one.partition]
        skip = cursor.skips(one.partition, one.offset)
        found += events_of(one, Cursor(places), remembered, build=is_ahead, skip=skip)
        if is_ahead:
            places = after(places, one.partition, one.offset)
    return found


def test_a_change_and_its_moves_are_events_of_their_own_with_a_cursor_after_each() -> None:
    told = heard([record(0, "1.7", MOVES_OF_ONE)])
    assert [change.type for change in told] == [
        "customer.updated", "tier.changed", "segment.left", "segment.entered", "segment.entered",
    ]  # fmt: skip
    events = [orjson.loads(change.event) for change in told]
    assert {event["subject"] for event in events} == {ANN}
    assert len({event["id"] for event in events}) == 5
    updated, tier, left, *entered = [event["data"] for event in events]
    assert updated["changed"] == ["value", "segments"]
    assert MOVES not in updated
    assert (tier["from"], tier["to"], tier["version"], tier["customer_id"]) == ("C", "A", 7, ANN)
    assert (left["segment_id"], [one["segment_id"] for one in entered]) == ("old", ["club", "vip"])
    assert str(read_cursor(told[-1].cursor)) == told[-1].cursor == "0-0-0-1-0-0-0-0"


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=6),
    st.data(),
)
def test_from_the_cursor_of_any_event_exactly_the_rest_is_heard(moves: list[int], data: st.DataObject) -> None:
    records = [record(n, f"1.{n + 1}", MOVES_OF_ONE[:count]) for n, count in enumerate(moves)]
    # The last one is told again, as after a crash: it has the ids it had.
    records.append(Record(3, len(moves), records[-1].key, records[-1].value, records[-1].headers))
    whole = heard(records)
    assert len({change.id for change in whole}) == len(whole) == sum(moves) + len(moves)
    place = data.draw(st.integers(0, len(whole) - 1))
    rest = heard(records, read_cursor(whole[place].cursor))
    assert [change.id for change in rest] == [change.id for change in whole[place + 1 :]]


def test_a_move_told_again_with_a_later_change_is_the_same_event() -> None:
    first = noted("1.7", {"type": UPDATED, MOVES: [tier_changed("C", "A")]})
    later = {**first, **noted("1.9", {"type": UPDATED, MOVES: [tier_changed("A", "B")]})}
    one = spoken(ANN, *folded(first))[1]
    both = spoken(ANN, *folded(later))[1]
    assert both[0] == one[0]
    assert [event["data"]["version"] for event in both] == [7, 9]


def test_who_has_no_tier_yet_comes_from_none() -> None:
    assert tier_changed("", "B") == {"type": "tier.changed", "from": None, "to": "B"}
    assert segments_moved({"a"}, {"a"}) == []
