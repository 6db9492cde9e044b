"""A rebuild says what the live generation says, whenever it began and died; after a swap all hear what differs.

PostgreSQL is real; the broker is in memory so that what comes between two steps is drawn.
"""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import asyncpg
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import decode_state
from schemas.envelope import Event
from services.runtime.postgres import SchemaHalt
from tests.properties.stories import PHASES, Tables, difference, tables, worlds
from tests.properties.test_policies import order
from tests.support import rebuilds
from tests.support.databases import Databases
from tests.support.drawing import drawn
from tests.support.house import House, Worker

SERVICES = ("identity", "interaction", "value", "profile")
HEARD = ("sections", "told bindings")
DEATHS = st.lists(st.integers(0, 60), max_size=4)


async def _house(databases: Databases, batch_max: int = 1000) -> House:
    house = House(await databases.fresh())
    for service in SERVICES:
        (await house.hire(service)).feed.batch_max = batch_max
    return house


async def _end(house: House, databases: Databases) -> None:
    await house.close()
    await databases.drop(house.database_url)


async def _die(house: House, service: str, worker: Worker, deaths: list[int]) -> Worker:
    """End a builder inside its steps, at these awaits; whoever is left goes on."""
    for awaits in deaths:
        await worker.lane._open()
        if await worker.turn_and_crash(awaits):
            worker = await rebuilds.builder(house, service, worker.lane.generation.number)
    return worker


async def _is_rebuilt(
    databases: Databases, events: list[Event], begun_after: int, batch_max: int, deaths: list[int]
) -> None:
    house = await _house(databases, batch_max)
    try:
        house.publish(*events[:begun_after])
        await house.settle()
        builders = {service: await rebuilds.start(house, service) for service in SERVICES}
        house.publish(*events[begun_after:])
        await house.settle()
        told = {topic: len(house.broker.records(topic)) for topic in ("identity.bindings", "profile.changes")}
        for service, builder in builders.items():
            builder.feed.batch_max = batch_max
            builder = await _die(house, service, builder, deaths)
            await rebuilds.catch_up(builder)
            found, rows = await rebuilds.compared(house, service, builder)
            assert not any(one["samples"] for one in found.values()), (service, found)
            assert not rows["differing"], (service, rows["differing"])
            await builder.close()
        assert told == {topic: len(house.broker.records(topic)) for topic in told}, "a rebuild told something"
    finally:
        await _end(house, databases)


@pytest.mark.laws
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@settings(max_examples=drawn(4), phases=PHASES)
@given(events=worlds(), begun_after=st.integers(0, 12), batch_max=st.sampled_from([1, 3, 1000]), deaths=DEATHS)
def test_a_rebuild_is_the_live_generation_row_by_row_whenever_it_dies(
    databases: Databases, events: list[Event], begun_after: int, batch_max: int, deaths: list[int]
) -> None:
    asyncio.run(_is_rebuilt(databases, events, begun_after, batch_max, deaths))


def _deaf(worker: Worker) -> None:
    """A build with a fault: it does not hear every other event."""
    plan = worker.lane.plan
    heard = plan.decode["channel.events"]

    def decode(record: Any) -> Any:
        return None if record.offset % 2 else heard(record)

    worker.lane.plan = dataclasses.replace(plan, decode={**plan.decode, "channel.events": decode})


async def _as_told(databases: Databases, events: list[Event]) -> Tables:
    """What profiles hold in a house without faults."""
    house = await _house(databases)
    try:
        house.publish(*events)
        await house.settle()
        return await tables(house.database_url, *HEARD)
    finally:
        await _end(house, databases)


async def _is_mended(databases: Databases, events: list[Event], service: str, deaths: list[int]) -> None:
    house = await _house(databases)
    try:
        _deaf(house.workers[service])
        house.publish(*events)
        await house.settle()
        before = await tables(house.database_url, *HEARD)
        builder = await rebuilds.start(house, service)
        await rebuilds.catch_up(builder)
        await rebuilds.swap(house, service)
        await builder.close()
        await rebuilds.succeed(house, service)
        for awaits in deaths:
            await house.workers[service].lane._open()
            await house.crash(service, awaits)
        await rebuilds.retold(house, service)
        wrong = difference(await _as_told(databases, events), await tables(house.database_url, *HEARD))
        assert not wrong, wrong
        await _comes_back(house, service, before)
    finally:
        await _end(house, databases)


async def _comes_back(house: House, service: str, before: Tables) -> None:
    builder = await rebuilds.builder(house, service, 1)
    await rebuilds.catch_up(builder)
    await rebuilds.swap(house, service, back=True)
    await builder.close()
    await rebuilds.succeed(house, service)
    await rebuilds.retold(house, service)
    wrong = difference(before, await tables(house.database_url, *HEARD))
    assert not wrong, wrong


@pytest.mark.laws
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("service", ["identity", "interaction", "value"])
@settings(max_examples=drawn(2), phases=PHASES)
@given(events=worlds(), deaths=DEATHS)
def test_after_a_swap_profiles_are_as_if_the_fault_had_never_been_and_a_rollback_undoes_it(
    databases: Databases, service: str, events: list[Event], deaths: list[int]
) -> None:
    asyncio.run(_is_mended(databases, events, service, deaths))


def _orders() -> list[Event]:
    return [order(n) for n in range(6)]


def test_what_is_the_same_is_not_told_again_and_what_differs_says_why(databases: Databases) -> None:
    async def act() -> None:
        house = await _house(databases)
        try:
            house.publish(*_orders())
            await house.settle()
            builder = await rebuilds.start(house, "value")
            await rebuilds.catch_up(builder)
            await _plant(house, "UPDATE value_g1.day SET net = net + 10000 WHERE record_id = $1")
            found, rows = await rebuilds.compared(house, "value", builder)
            assert found["value.customers"]["changed"] == 1
            assert {row["table"] for row in rows["differing"]} == {"day"}
            before = len(house.broker.records("value.customers"))
            await rebuilds.swap(house, "value")
            await rebuilds.succeed(house, "value")
            assert await rebuilds.retold(house, "value") == (len(_orders()), 1)
            said = house.broker.records("value.customers")
            assert len(said) == before + 1
            newest = max((decode_state(r.value) for r in said), key=lambda s: (s.version.epoch, s.version.n))
            assert newest.cause == "replay"
            changes = sorted(house.broker.records("profile.changes"), key=lambda r: r.timestamp)
            assert [orjson.loads(r.value or b"{}").get("cause") for r in changes[-2:]] == [None, "replay"]
            await builder.close()
        finally:
            await _end(house, databases)

    asyncio.run(act())


async def _plant(house: House, sql: str) -> None:
    connection = await asyncpg.connect(house.database_url)
    try:
        record = await connection.fetchval("SELECT record_id FROM value_g1.day ORDER BY 1 LIMIT 1")
        await connection.execute(sql, record)
    finally:
        await connection.close()


def test_a_profile_swap_tells_the_customers_that_differ(databases: Databases) -> None:
    async def act() -> None:
        house = await _house(databases)
        try:
            house.publish(*_orders())
            await house.settle()
            builder = await rebuilds.start(house, "profile")
            await rebuilds.catch_up(builder)
            await _plant(house, "DELETE FROM profile_g1.section WHERE service = 'value' AND customer_id = $1")
            before = len(house.broker.records("profile.changes"))
            await rebuilds.swap(house, "profile")
            await rebuilds.succeed(house, "profile")
            await rebuilds.retold(house, "profile")
            said = sorted(house.broker.records("profile.changes"), key=lambda r: r.timestamp)
            (told,) = [orjson.loads(r.value or b"{}") for r in said[before:]]
            assert (told["type"], told["sections"], told["cause"]) == ("customer.updated", ["value"], "replay")
            await builder.close()
        finally:
            await _end(house, databases)

    asyncio.run(act())


def test_what_an_old_worker_tells_late_is_told_anew_by_the_new_generation(databases: Databases) -> None:
    async def act() -> None:
        house = await _house(databases)
        try:
            house.publish(*_orders())
            await house.settle()
            old = house.workers["value"]
            old.producer.hold()
            house.publish(order(9))
            await old.turn()
            await asyncio.sleep(0.05)
            assert old.producer.held, "what it told is on its way"
            builder = await rebuilds.start(house, "value")
            await rebuilds.catch_up(builder)
            await rebuilds.swap(house, "value")
            await builder.close()
            del house.workers["value"]
            await house.hire("value.1")
            house.workers["value"] = house.workers.pop("value.1")
            await rebuilds.retold(house, "value")
            old.producer.release()
            assert "live" in await _last_told(house), "an older state is the topic's last"
            with pytest.raises(SchemaHalt, match="superseded"):
                await old.turn()
            await old.close()
            await house.settle()
            assert await _last_told(house) == ["new"], "the last message of a key is the current one"
        finally:
            await _end(house, databases)

    asyncio.run(act())


async def _last_told(house: House) -> list[str]:
    """Of the customer told late: whether the topic's last message of him is of the live generation's epoch."""
    connection = await asyncpg.connect(house.database_url)
    try:
        epoch = await connection.fetchval("SELECT epoch FROM value.generation")
    finally:
        await connection.close()
    late = order(9).record_id.encode()
    last = decode_state(house.broker.last_by_key("value.customers")[late].value)
    return ["new" if last.version.epoch == epoch else "live"]
