"""A page of a timeline, of events and of the lines identity tells: nothing twice, nothing left out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import rfc3339
from schemas.places import Place, read_cursor
from services.profile.domain.lines import masked, page, place

START = datetime(2026, 3, 1, tzinfo=UTC)
PLACES = st.tuples(st.integers(0, 5), st.integers(0, 99))


def item(minute: int, number: int) -> dict[str, Any]:
    return {"time": rfc3339(START + timedelta(minutes=minute / 2)), "event_id": str(UUID(int=number << 96))}


def below(listed: list[dict[str, Any]], after: Place | None, limit: int) -> list[dict[str, Any]]:
    """What a service answers: its own, newest first, below a place."""
    kept = [one for one in listed if after is None or place(one) < after]
    return sorted(kept, key=place, reverse=True)[:limit]


@given(drawn=st.dictionaries(PLACES, st.booleans(), max_size=14), limit=st.integers(1, 6))
def test_pages_of_both_put_together_are_both_newest_first(drawn: dict[tuple[int, int], bool], limit: int) -> None:
    events = [item(*at) for at, is_line in drawn.items() if not is_line]
    lines = [item(*at) for at, is_line in drawn.items() if is_line]
    found: list[dict[str, Any]] = []
    after: Place | None = None
    for _ in range(len(drawn) + 1):
        more = below(events, after, limit + 1)
        answer = page(more[:limit], len(more) > limit, below(lines, after, limit + 1), limit)
        assert len(answer["items"]) <= limit
        found += answer["items"]
        if answer["next_cursor"] is None:
            break
        assert len(answer["items"]) == limit, "a page that goes on is full"
        after = read_cursor(answer["next_cursor"])
    assert found == sorted(events + lines, key=place, reverse=True)


def test_what_people_said_is_masked_wherever_it_stands() -> None:
    said = {"summary": "s", "actor": {"id": "olga"}}
    body = {
        "items": [
            {**said, "withdrawn": {"event_id": "e", "reason": "s"}},
            {**said, "decision": {"customer_id": "c", "reason": "s", "actor": "olga"}},
            dict(said),
        ],
        "next_cursor": None,
    }
    shown = masked(body)
    assert "'s'" not in str(shown["items"])
    assert "olga" not in str(shown)
    assert shown["items"][1]["decision"]["customer_id"] == "c"
    assert shown["masked"] == [
        "items[].summary", "items[].actor", "items[].withdrawn.reason", "items[].decision.reason",
        "items[].decision.actor",
    ]  # fmt: skip
