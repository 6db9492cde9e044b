"""The queue of webhooks on a real PostgreSQL: once by id, in each customer's order, whoever dies or is late."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from services.profile.inputs import deliveries, webhooks
from services.profile.inputs.deliveries import Attempted, Queued
from services.profile.inputs.webhooks import Endpoint
from tests.support.databases import Databases

pytestmark = pytest.mark.asyncio
GIVEN: dict[str, Any] = {
    "url": "https://shop.example/",
    "types": [],
    "description": None,
    "timeout_ms": 1_000,
    "retry_for_s": 60,
}
MINE, OTHERS = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))
ANN, BO = str(uuid.UUID(int=11)), str(uuid.UUID(int=12))
LEASE_S = 30.0


@pytest_asyncio.fixture
async def connection(databases: Databases) -> AsyncIterator[Any]:
    url = await databases.fresh()
    connected = await asyncpg.connect(url, server_settings={"search_path": "profile"})
    yield connected
    await connected.close()
    await databases.drop(url)


async def an_endpoint(connection: Any, holder: str = MINE) -> Endpoint:
    """A new endpoint whose cursor is `0`, held by us."""
    made = await webhooks.create(connection, GIVEN, "test", "0")
    return next(one for one in await webhooks.claim(connection, holder, LEASE_S) if one.webhook_id == made)


def event(number: int, customer: str = ANN) -> Queued:
    return Queued(f"e{number}", "customer.updated", customer, f'{{"n":{number}}}')


async def due(connection: Any, endpoint: Endpoint, limit: int = 10) -> list[str]:
    return [one.event_id for one in await deliveries.due(connection, endpoint.webhook_id, limit)]


async def settle(connection: Any, endpoint: Endpoint, state: str, pause_s: float = 0.0) -> None:
    """All that is due comes to this."""
    found = await deliveries.due(connection, endpoint.webhook_id, 10)
    attempted = [Attempted(one, state, 500, "status-500", pause_s) for one in found]
    await deliveries.settle(connection, attempted)
    await deliveries.hold_back(connection, endpoint.webhook_id, attempted)


async def test_of_one_customer_only_the_first_is_due_and_of_all_customers_each_his_own(connection: Any) -> None:
    endpoint = await an_endpoint(connection)
    events = [event(1), event(2), event(3, BO), event(4)]
    assert await deliveries.queue(connection, MINE, endpoint, "4", events)
    assert await due(connection, endpoint) == ["e1", "e3"]
    await settle(connection, endpoint, "taken")
    assert await due(connection, endpoint) == ["e2"]
    await settle(connection, endpoint, "waiting", pause_s=600)
    assert await due(connection, endpoint) == [], "what follows waits with it"
    assert await deliveries.queue(connection, MINE, _at(endpoint, "4"), "5", [event(5)])
    assert await due(connection, endpoint) == [], "and what comes later too"
    later_s = await deliveries.next_due_s(connection, endpoint.webhook_id)
    assert later_s is not None
    assert later_s < 600


async def test_what_was_queued_once_is_not_queued_again_and_the_cursor_moves_with_it_or_not_at_all(
    connection: Any,
) -> None:
    endpoint = await an_endpoint(connection)
    assert await deliveries.queue(connection, MINE, endpoint, "1", [event(1)])
    assert not await deliveries.queue(connection, MINE, endpoint, "1", [event(2)]), "it stands at 1 now"
    assert await deliveries.queue(connection, MINE, _at(endpoint, "1"), "2", [event(1)])
    assert await due(connection, endpoint) == ["e1"]
    await settle(connection, endpoint, "taken")
    assert await deliveries.queue(connection, MINE, _at(endpoint, "2"), "3", [event(1)])
    assert await due(connection, endpoint) == []


async def test_a_replay_queues_again_what_was_taken_and_a_late_word_of_before_it_is_refused(connection: Any) -> None:
    endpoint = await an_endpoint(connection)
    assert await deliveries.queue(connection, MINE, endpoint, "2", [event(1), event(2, BO)])
    before = await deliveries.due(connection, endpoint.webhook_id, 10)
    await settle(connection, endpoint, "taken")
    assert await webhooks.replay(connection, endpoint.webhook_id, "0")
    assert not await deliveries.queue(connection, MINE, _at(endpoint, "0"), "3", []), "of the round before"
    (endpoint,) = await webhooks.claim(connection, MINE, LEASE_S)
    assert (endpoint.round, endpoint.cursor) == (1, "0")
    assert await deliveries.queue(connection, MINE, endpoint, "2", [event(1), event(2, BO)])
    assert await due(connection, endpoint) == ["e1", "e2"]
    await deliveries.settle(connection, [Attempted(one, "taken", 200, None, 0) for one in before])
    assert await due(connection, endpoint) == ["e1", "e2"], "what was sent before the replay is not its"
    await settle(connection, endpoint, "taken")
    assert await deliveries.queue(connection, MINE, _at(endpoint, "2"), "3", [event(1)])
    assert await due(connection, endpoint) == [], "once a replay"


async def test_an_endpoint_is_held_by_one_process_until_its_lease_ends_or_it_is_let_go(connection: Any) -> None:
    endpoint = await an_endpoint(connection)
    assert await webhooks.claim(connection, OTHERS, LEASE_S) == []
    assert not await deliveries.queue(connection, OTHERS, endpoint, "1", [event(1)])
    await webhooks.let_go(connection, MINE)
    assert len(await webhooks.claim(connection, OTHERS, -2.0)) == 1
    assert len(await webhooks.claim(connection, MINE, LEASE_S)) == 1, "theirs is over"
    assert not await deliveries.queue(connection, OTHERS, endpoint, "1", [event(1)]), "who was stopped meanwhile"
    await webhooks.disable(connection, endpoint.webhook_id, "asked")
    assert await webhooks.claim(connection, MINE, LEASE_S) == []


async def test_how_an_endpoint_does_is_noted_and_a_dead_letter_is_asked_for_again(connection: Any) -> None:
    endpoint = await an_endpoint(connection)
    await webhooks.note_failed(connection, endpoint.webhook_id, "timeout", 60.0)
    (failing,) = await webhooks.claim(connection, MINE, LEASE_S)
    assert (failing.failures, failing.taken_at_s) == (1, None)
    assert failing.failing_since_s is not None
    assert 50 < failing.paused_s <= 60
    await webhooks.note_taken(connection, endpoint.webhook_id)
    (works,) = await webhooks.claim(connection, MINE, LEASE_S)
    assert (works.failures, works.failing_since_s, works.paused_s) == (0, None, 0.0)
    assert await deliveries.queue(connection, MINE, endpoint, "1", [event(1)])
    await settle(connection, endpoint, "dead")
    (row,) = await webhooks.listed(connection, endpoint.webhook_id)
    assert (row["waiting"], row["dead"]) == (0, 1)
    (letter,) = await deliveries.listed(connection, endpoint.webhook_id, "dead", 2**63 - 1, 10)
    assert await deliveries.retry(connection, endpoint.webhook_id, letter["delivery_id"]) == "dead"
    assert await due(connection, endpoint) == ["e1"]
    await settle(connection, endpoint, "taken")
    assert await deliveries.retry(connection, endpoint.webhook_id, letter["delivery_id"]) == "taken"
    assert await due(connection, endpoint) == []
    assert await deliveries.retry(connection, endpoint.webhook_id, 10**9) is None


async def test_what_was_done_long_ago_is_removed_and_a_new_secret_has_the_next_number(connection: Any) -> None:
    endpoint = await an_endpoint(connection)
    assert await deliveries.queue(connection, MINE, endpoint, "2", [event(1), event(2, BO)])
    await settle(connection, endpoint, "taken")
    assert await deliveries.remove_old(connection) == 0
    days = deliveries.TAKEN_KEPT_DAYS + 1
    await connection.execute("UPDATE webhook_delivery SET done_at = now() - make_interval(days => $1)", days)
    assert await deliveries.remove_old(connection) == 2
    assert endpoint.secret_numbers == [1]
    made = await webhooks.rotate(connection, endpoint.webhook_id, 60)
    assert made is not None
    (rotated,) = await webhooks.claim(connection, MINE, LEASE_S)
    assert rotated.secret_numbers == [2, 1]
    assert await webhooks.rotate(connection, endpoint.webhook_id, 0) is not None
    (rotated,) = await webhooks.claim(connection, MINE, LEASE_S)
    assert rotated.secret_numbers == [3]
    assert await webhooks.delete(connection, endpoint.webhook_id)
    assert not await webhooks.delete(connection, endpoint.webhook_id)


async def test_a_full_queue_has_no_room(connection: Any) -> None:
    endpoint = await an_endpoint(connection)
    assert await deliveries.room(connection, endpoint.webhook_id) == deliveries.WAITING_MAX
    events = [event(number) for number in range(deliveries.WAITING_MAX + 1)]
    assert await deliveries.queue(connection, MINE, endpoint, "1", events)
    assert await deliveries.room(connection, endpoint.webhook_id) == 0
    assert await due(connection, endpoint) == ["e0"]


def _at(endpoint: Endpoint, cursor: str) -> Endpoint:
    from dataclasses import replace

    return replace(endpoint, cursor=cursor)
