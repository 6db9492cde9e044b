"""What a rebuild gathers and combines at the end is what the handlers make batch by batch, row by row.

Whenever it dies, in whichever stage, and whatever comes afterwards. PostgreSQL is real; the broker is in memory.
"""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Event
from services.runtime.gathering import Stage
from tests.properties.stories import PHASES, worlds
from tests.support import rebuilds
from tests.support.databases import Databases
from tests.support.drawing import drawn
from tests.support.house import House, Worker

GATHERED = ("interaction", "value")
TURNS_MAX = 100
DEATHS = st.lists(st.integers(0, 40), max_size=3)


async def _house(databases: Databases) -> House:
    house = House(await databases.fresh())
    for service in ("identity", *GATHERED):
        await house.hire(service)
    return house


async def _die(house: House, service: str, worker: Worker, deaths: list[int], batch_max: int) -> Worker:
    """End a builder inside its steps, at these awaits; whoever is left goes on."""
    for awaits in deaths:
        await worker.lane._open()
        if await worker.turn_and_crash(awaits):
            worker = await rebuilds.builder(house, service, worker.lane.generation.number, batch_max)
    return worker


async def _until(worker: Worker, stage: Stage) -> None:
    """Turn a builder to the first step in this stage."""
    for _ in range(TURNS_MAX):
        await worker.lane._open()
        if worker.lane.stage is stage:  # type: ignore[attr-defined]
            return
        await worker.turn()
    raise AssertionError(f"never {stage}")


async def _is_same(house: House, service: str, worker: Worker) -> None:
    await rebuilds.catch_up(worker)
    found, rows = await rebuilds.compared(house, service, worker)
    assert not any(one["samples"] for one in found.values()), (service, found)
    assert not rows["differing"], (service, rows["differing"])


async def _is_gathered(
    databases: Databases, events: list[Event], begun_after: int, batch_max: int, early: list[int], late: list[int]
) -> None:
    house = await _house(databases)
    try:
        house.publish(*events[:begun_after])
        await house.settle()
        builders: dict[str, Worker] = {}
        for service in GATHERED:
            builder = await rebuilds.start(house, service, batch_max)
            builder = await _die(house, service, builder, early, batch_max)
            await _until(builder, Stage.COMBINING)
            builder = builders[service] = await _die(house, service, builder, late, batch_max)
            await _is_same(house, service, builder)
        house.publish(*events[begun_after:])
        await house.settle()
        for service, builder in builders.items():
            await _is_same(house, service, builder)
            await builder.close()
    finally:
        await house.close()
        await databases.drop(house.database_url)


@pytest.mark.laws
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@settings(max_examples=drawn(4), phases=PHASES)
@given(
    events=worlds(),
    begun_after=st.integers(2, 30),
    batch_max=st.sampled_from([1, 3, 10]),
    early=DEATHS,
    late=DEATHS,
)
def test_what_is_gathered_and_combined_is_what_the_handlers_make_batch_by_batch(
    databases: Databases, events: list[Event], begun_after: int, batch_max: int, early: list[int], late: list[int]
) -> None:
    asyncio.run(_is_gathered(databases, events, begun_after, batch_max, early, late))
