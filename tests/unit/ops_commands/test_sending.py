"""Requests keep the order and the bounds; a busy door is tried again and a shut one is told in one line."""

import asyncio
from collections.abc import Iterator

import httpx
import orjson
import pytest

from services.ops.commands import sending
from services.ops.commands.failures import CommandError, NotRunning
from services.ops.commands.reading import Item, Kind
from services.ops.commands.sending import BATCH_BYTES_MAX, BATCH_EVENTS_MAX, deliver, post_of, posts, send_all
from tests.unit.ops_commands.door import Door, open_door

EVENT = b'{"specversion":"1.0","id":"1"}'


def items(kinds: list[Kind], body: bytes = EVENT) -> list[Item]:
    return [Item(line, kind, body) for line, kind in enumerate(kinds, 1)]


def test_a_request_holds_no_more_events_than_allowed_and_none_is_lost() -> None:
    made = list(posts(items(["cloudevent"] * (BATCH_EVENTS_MAX + 1)), "k"))
    assert [post.events for post in made] == [BATCH_EVENTS_MAX, 1]
    assert [post.line for post in made] == [1, BATCH_EVENTS_MAX + 1]


def test_a_request_stays_within_its_bytes() -> None:
    big = b'{"specversion":"1.0","pad":"' + b"x" * (BATCH_BYTES_MAX // 3) + b'"}'
    made = list(posts(items(["cloudevent"] * 7, big), "k"))
    assert sum(post.events for post in made) == 7
    assert all(len(post.body) <= BATCH_BYTES_MAX + len(b"[,,]") for post in made)


def test_an_event_larger_than_a_request_goes_alone() -> None:
    huge = b'"' + b"x" * (BATCH_BYTES_MAX + 1) + b'"'
    assert [post.events for post in posts(items(["segment"] * 2, huge), "k")] == [1, 1]


def test_forms_are_not_mixed_and_the_order_is_kept() -> None:
    made = list(posts(items(["cloudevent", "segment", "segment", "cloudevent"]), "k"))
    assert [(post.kind, post.events) for post in made] == [("cloudevent", 1), ("segment", 2), ("cloudevent", 1)]


def test_bodies_are_a_cloudevents_batch_and_a_segment_batch() -> None:
    assert orjson.loads(post_of("cloudevent", [EVENT, EVENT], "k").body) == [orjson.loads(EVENT)] * 2
    assert orjson.loads(post_of("segment", [EVENT], "k").body) == {"batch": [orjson.loads(EVENT)]}


@pytest.fixture
def door() -> Iterator[Door]:
    with open_door() as opened:
        yield opened


def test_positions_of_all_requests_are_merged_to_the_latest(door: Door) -> None:
    door.answers = [(200, {"C360-Position": door.token(5)}), (200, {"C360-Position": door.token(3)})]
    tally = asyncio.run(send_all(door.url, [post_of("cloudevent", [EVENT], "k")] * 2))
    assert (tally.accepted, tally.position) == (2, door.token(5))
    assert door.paths == ["/events", "/events"]


def test_a_busy_door_is_tried_again_with_the_same_events(door: Door) -> None:
    door.answers = [(429, {"Retry-After": "0"}), (503, {}), (200, {})]
    tally = asyncio.run(send_all(door.url, [post_of("segment", [EVENT], "k")]))
    assert tally.accepted == 1
    assert len(door.bodies) == 3
    assert len(set(door.bodies)) == 1


def test_a_refused_request_is_told_and_the_next_one_is_sent(door: Door) -> None:
    door.answers = [(413, {}), (200, {})]
    tally = asyncio.run(send_all(door.url, [post_of("segment", [EVENT], "k", line) for line in (1, 2)]))
    assert tally.accepted == 1
    assert [post.line for post, _ in tally.refused] == [1]


def test_an_unknown_write_key_ends_the_sending(door: Door) -> None:
    door.answers = [(401, {})] * 4
    with pytest.raises(CommandError, match="write key"):
        asyncio.run(send_all(door.url, [post_of("segment", [EVENT], "k")] * 4, connections=2))


def test_a_door_that_stays_shut_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with open_door() as gone:
        url = gone.url
    monkeypatch.setattr(sending, "RETRY_FOR_S", 0.3)

    async def knock() -> None:
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            await deliver(client, post_of("segment", [EVENT], "k"))

    with pytest.raises(NotRunning, match="takes nothing"):
        asyncio.run(knock())
