"""Rebuilds in a house: the generation beside the live one, turned step by step as its workers are.

Owns starting, comparing and swapping as the internal pages do it, without their HTTP.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.runtime.applying import SUPERSEDED
from services.runtime.comparing import diff, verify
from services.runtime.generations import By, Generations
from services.runtime.level import level
from services.runtime.postgres import Generation, SchemaHalt, connect
from services.runtime.rebuild import Rebuild
from services.runtime.uncompared import uncompared
from tests.support.databases import SCHEMAS, settings_for
from tests.support.house import PLANS, House, Worker
from tests.support.memory_broker import in_memory

OPERATOR = By("operator", "a test")
RATE = 1_000_000
TURNS_MAX = 200
BATCH_MAX = 1_000


def generations(house: House, service: str) -> Generations:
    """The steps, for one service of the house."""
    return Generations(house.settings, SCHEMAS[service])


async def start(house: House, service: str, batch_max: int = BATCH_MAX) -> Worker:
    """Begin the next generation; a worker that builds it."""
    number = await generations(house, service).start(RATE, OPERATOR, execute=True)
    return await builder(house, service, number, batch_max)


async def builder(house: House, service: str, number: int, batch_max: int = BATCH_MAX) -> Worker:
    """A worker on the generation beside the live one; it gathers until less than a batch is left."""
    settings = settings_for(house.database_url, silent=True, batch_events_max=batch_max)
    generation = Generation(number, 0, f"{service}_g{number}")
    lane = Rebuild(settings, await PLANS[service](settings, generation), generation)
    worker = Worker(lane, *in_memory(lane, house.broker))
    worker.feed.batch_max = batch_max
    worker.feed.assign({(t, p) for t in lane.plan.decode for p in range(8)})
    return worker


async def catch_up(worker: Worker) -> None:
    """Turn a builder until nothing is left to read, nor anybody to look at again."""
    for _ in range(TURNS_MAX):
        worker.lane._spared_at = -1e9
        await worker.turn()
        if worker.feed.ready and not await worker.feed.lag() and worker.lane._spared_at > 0:
            return
    raise AssertionError("the rebuild does not catch up")


async def compared(house: House, service: str, worker: Worker, samples: int = 10) -> tuple[dict[str, Any], Any]:
    """(diff, verify) of a service, with the builder going on beside."""
    turning = asyncio.create_task(_keep_turning(worker))
    settings = settings_for(house.database_url)
    plan = await PLANS[service](settings, Generation(0, 0, ""))
    try:
        async with level(generations(house, service)) as both:
            said: list[str] = []
            found = await diff(both, plan.tells, samples, said.append)
            return found, await verify(both, uncompared(service), said.append)
    finally:
        turning.cancel()
        await asyncio.gather(turning, return_exceptions=True)


async def _keep_turning(worker: Worker) -> None:
    while True:
        await worker.turn()
        await asyncio.sleep(0.005)


async def swap(house: House, service: str, *, back: bool = False) -> None:
    """Make the other generation live; the house's workers of the service end, and others begin on it."""
    await generations(house, service).swap(OPERATOR, back=back, execute=True)


async def walked(house: House, service: str) -> tuple[int, int, bool]:
    """(keys walked, keys told, all of them) since the swap."""
    connection = await connect(house.settings, service)
    try:
        row = await connection.fetchrow("SELECT walked, told, done_at IS NOT NULL AS done FROM retelling")
        assert row is not None, "there was no swap"
        return row["walked"], row["told"], row["done"]
    finally:
        await connection.close()


async def succeed(house: House, service: str) -> None:
    """The service's worker sees the swap and stops; another one begins on the generation that is live now."""
    worker = house.workers.pop(service)
    worker.lane._spared_at = -1e9
    with pytest.raises(SchemaHalt, match=SUPERSEDED):
        await worker.turn()
    await worker.close()
    await house.hire(service)


async def retold(house: House, service: str) -> tuple[int, int]:
    """(keys walked, keys told) once everything a swap changed is told and heard."""
    for _ in range(TURNS_MAX):
        house.workers[service].lane._spared_at = -1e9
        await house.workers[service].turn()
        seen, told, done = await walked(house, service)
        if done:
            await house.settle()
            return seen, told
    raise AssertionError("the walk has no end")
