"""A lane that people paused: rests after its batch, tells what it had committed, stays so, goes on where it was."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.runtime import pauses
from services.runtime.beside import Refused
from services.runtime.lane_pages import lanes
from services.runtime.postgres import Connection, connect
from services.runtime.report import LaneState
from tests.support import rebuilds
from tests.support.databases import generation_of
from tests.support.house import PLANS, House, Worker, an_event

pytestmark = pytest.mark.asyncio
SERVICE, LANE = "value", "main"


def order(n: int) -> Any:
    """One customer's order."""
    about = {"order_id": f"o{n}", "currency": "USD", "subtotal": 10}
    return an_event(f"e{n}", {"crm_id.acme": [f"c{n}"]}, type="order.completed", properties=about)


@asynccontextmanager
async def asking(house: House) -> AsyncIterator[Connection]:
    """A connection as the internal pages have it."""
    generation = await generation_of(house.settings, SERVICE)
    connection = await connect(house.settings, f"{generation.schema},{SERVICE}")
    try:
        yield connection
    finally:
        await connection.close()


async def pause(house: House, reason: str = "closing the books", execute: bool = True) -> list[str]:
    """Ann pauses value."""
    async with asking(house) as connection:
        return await pauses.pause(connection, SERVICE, None, "ann", reason, execute=execute)


async def resume(house: House) -> list[str]:
    """Bob lets it go on."""
    async with asking(house) as connection:
        return await pauses.resume(connection, SERVICE, None, "bob", "closed", execute=True)


async def at_work(house: House) -> Worker:
    """Value has heard of three orders."""
    for service in PLANS:
        await house.hire(service)
    worker = house.workers[SERVICE]
    house.publish(*map(order, range(3)))
    await house.settle()
    return worker


async def turn(worker: Worker, times: int = 3) -> None:
    """Steps of its loop; a second of the clock is over between them."""
    for _ in range(times):
        worker.lane._spared_at = -1e9
        worker.lane._reported_at = -1e9
        await worker.turn()


async def test_nothing_happens_unless_it_is_said(house: House) -> None:
    worker = await at_work(house)
    assert await pause(house, execute=False) == [LANE]
    house.publish(order(3))
    await turn(worker)
    assert await worker.feed.lag() == 0


async def test_a_paused_lane_applies_nothing_and_goes_on_exactly_where_it_was(house: House) -> None:
    worker = await at_work(house)
    before = worker.lane.applied
    assert await pause(house) == [LANE]
    await turn(worker)
    assert worker.lane.state == LaneState.PAUSED
    house.publish(*map(order, range(3, 8)))
    await turn(worker)
    assert (worker.lane.applied, await worker.feed.lag()) == (before, 5)
    await resume(house)
    await turn(worker)
    await house.settle()
    assert str(worker.lane.state) != "paused"
    assert worker.lane.applied >= before + 5
    assert (await house.findings()).zero


async def test_the_batch_at_hand_is_the_last_one_and_is_told(house: House) -> None:
    worker = await at_work(house)
    worker.feed.batch_max = 2
    house.publish(*map(order, range(3, 9)))
    worker.lane._spared_at = 1e18
    await pause(house)
    await worker.turn()
    at_hand = worker.lane.applied
    await turn(worker)
    assert worker.lane.applied == at_hand
    assert worker.lane.outbox.idle
    async with asking(house) as connection:
        assert await connection.fetchval("SELECT count(*) FROM marker") == 0, "what was committed is told"
    await resume(house)
    worker.feed.batch_max = 1000
    await turn(worker)
    await house.settle()
    assert (await house.findings()).zero


@pytest.mark.parametrize("after_awaits", [3, 9, 15, 21, 27, 33])
async def test_a_pause_outlives_the_worker_wherever_it_dies(house: House, after_awaits: int) -> None:
    await at_work(house)
    house.publish(*map(order, range(3, 6)))
    await pause(house)
    await house.crash(SERVICE, after_awaits)
    await house.fire(SERVICE)
    worker = await house.hire(SERVICE)
    await turn(worker)
    assert worker.lane.state == LaneState.PAUSED
    assert worker.lane.applied == 0
    await resume(house)
    await turn(worker)
    await house.settle()
    assert (await house.findings()).zero


async def walked(house: House) -> bool:
    """Whether all was looked at that a swap has to tell."""
    async with asking(house) as connection:
        return bool(await connection.fetchval("SELECT done_at IS NOT NULL FROM retelling"))


async def test_a_pause_outlives_a_swap_and_so_does_what_the_swap_has_to_tell(house: House) -> None:
    worker = await at_work(house)
    rebuild = await rebuilds.start(house, SERVICE)
    await rebuilds.catch_up(rebuild)
    await pause(house)
    await turn(worker)
    await rebuilds.swap(house, SERVICE)
    with pytest.raises(Exception, match="superseded"):
        await worker.turn()
    await house.fire(SERVICE)
    successor = await house.hire(SERVICE)
    await turn(successor)
    assert successor.lane.state == LaneState.PAUSED
    assert not await walked(house)
    await resume(house)
    await turn(successor)
    await house.settle()
    await rebuild.close()
    assert await walked(house)
    # What is the same is not told again, so the versions told last are of the epoch before.
    assert dataclasses.replace(await house.findings(), stale=0).zero


async def test_a_paused_lane_says_so_with_who_and_why_and_what_it_does_not_know(house: House) -> None:
    worker = await at_work(house)
    await pause(house, "finance closes March")
    await turn(worker)
    async with asking(house) as connection:
        told = await lanes(connection, SERVICE)
    assert [(one["lane"], one["state"]) for one in told["workers"]] == [(LANE, "paused")]
    (lasting,) = told["paused"]
    assert (lasting["lane"], lasting["by"], lasting["reason"]) == (LANE, "ann", "finance closes March")
    await resume(house)
    async with asking(house) as connection:
        told = await lanes(connection, SERVICE)
    assert told["paused"] == []
    assert [(one["by"], one["resumed_by"], one["because"]) for one in told["ended"]] == [("ann", "bob", "closed")]


Step = Callable[[Connection, str | None], Awaitable[Any]]


async def _pause(connection: Connection, lane: str | None) -> Any:
    return await pauses.pause(connection, SERVICE, lane, "ann", "", execute=True)


async def _resume(connection: Connection, lane: str | None) -> Any:
    return await pauses.resume(connection, SERVICE, lane, "ann", "", execute=True)


@pytest.mark.parametrize(
    ("steps", "lane", "why"),
    [
        ([_resume], None, "is not paused"),
        ([_pause, _pause], LANE, "is paused since .* by ann"),
        ([_pause], "rebuild", "has no lane rebuild; it has main; a rebuild rests by"),
        ([_resume], "other", "has no lane other; it has main$"),
    ],
)
async def test_what_does_not_fit_is_refused_in_one_line(
    house: House, steps: list[Step], lane: str | None, why: str
) -> None:
    await at_work(house)
    async with asking(house) as connection:
        for step in steps[:-1]:
            await step(connection, lane)
        with pytest.raises(Refused, match=why):
            await steps[-1](connection, lane)


async def test_of_two_who_pause_at_once_one_is_refused_and_there_is_one_pause(house: House) -> None:
    await at_work(house)
    both = await asyncio.gather(pause(house), pause(house), return_exceptions=True)
    assert sum(isinstance(one, list) for one in both) == 1
    async with asking(house) as connection:
        assert len(await pauses.lasting(connection, SERVICE)) == 1
