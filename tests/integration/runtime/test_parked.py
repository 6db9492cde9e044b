"""What was set aside is shown without what people wrote, tried again exactly once, or discarded for good."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import orjson
import pytest

from schemas.codec import encode_event
from services.runtime import parked
from services.runtime.batch import Batch, Work
from services.runtime.parked import Chosen
from services.runtime.postgres import connect
from tests.support import rebuilds
from tests.support.house import House, Worker, an_event


def event(n: int) -> Any:
    """One customer's order."""
    about = {"order_id": f"o{n}", "currency": "USD", "subtotal": 10}
    return an_event(
        f"e{n}", {"email": [f"ann{n}@x.com"]}, type="order.completed", properties=about, traits={"name": "Ann"}
    )


def refusing(worker: Worker, *ids: str) -> None:
    """A build whose handler raises on these events."""
    plan = worker.lane.plan

    async def apply(batch: Batch, work: Work) -> None:
        if any(getattr(r.message, "id", "") in ids for r in batch.records):
            raise ValueError("a fault")
        await plan.apply(batch, work)

    worker.lane.plan = dataclasses.replace(plan, apply=apply)


async def asked(house: House, sql: str, *arguments: Any) -> Any:
    """One value of value's live generation."""
    connection = await connect(house.settings, "value_g1,value")
    try:
        return await connection.fetchval(sql, *arguments)
    finally:
        await connection.close()


async def spare(worker: Worker) -> None:
    """The lane does what no record asks for."""
    worker.lane._spared_at = -1e9
    await worker.turn()


@pytest.mark.asyncio
async def test_a_record_is_shown_with_its_shape_and_without_what_people_wrote(house: House) -> None:
    worker = await house.hire("value")
    refusing(worker, "e1")
    house.publish(event(1))
    await house.settle()
    connection = await connect(house.settings, "value_g1,value")
    try:
        found = await parked.listed(connection, "value", Chosen(), 10)
        assert found["groups"] == [{"reason": "handler_raised", "source": "web", "count": 1}]
        (row,) = found["parked"]
        shown = await parked.shown(connection, "value", (row["topic"], row["partition"], row["offset"]))
    finally:
        await connection.close()
    assert shown is not None
    text = orjson.dumps(shown).decode()
    assert "ann1" not in text
    assert "Ann" not in text
    assert shown["headers"]["ce_type"] == "order.completed"
    assert shown["value"]["channel"] == "web"
    assert shown["value"]["traits"] == {"name": "A•••"}
    assert shown["value"]["properties"]["subtotal"] == "•••"


@pytest.mark.asyncio
async def test_what_a_better_build_can_apply_is_applied_once_and_parked_no_more(house: House) -> None:
    worker = await house.hire("value")
    refusing(worker, "e1", "e2")
    house.publish(*map(event, range(4)))
    await house.settle()
    assert await asked(house, "SELECT count(*) FROM parked") == 2
    await house.fire("value")
    worker = await house.hire("value")
    refusing(worker, "e2")
    connection = await connect(house.settings, "value_g1,value")
    try:
        keys = [r["key"].decode() for r in await connection.fetch("SELECT key FROM parked")]
        assert await parked.count(connection, "value", Chosen(keys=tuple(keys[:1]))) == keys.count(keys[0])
        assert await parked.count(connection, "value", Chosen(keys=("nobody",))) == 0
        assert await parked.ask_to_retry(connection, "value", Chosen(reason="handler_raised"), "me") == 2
        assert await parked.ask_to_retry(connection, "value", Chosen(source="web"), "me") == 0, "asked for already"
        for _ in range(3):
            await spare(worker)
        assert await connection.fetchval("SELECT count(*) FROM retry") == 0
        (left,) = (await parked.listed(connection, "value", Chosen(), 10))["parked"]
        assert left["reason"] == "handler_raised"
        assert await connection.fetchval("SELECT count(*) FROM entry") == 3
        assert await parked.ask_to_retry(connection, "value", Chosen(source="nobody"), "me") == 0
    finally:
        await connection.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("awaits", range(2, 20, 3))
def test_a_worker_that_dies_while_it_tries_leaves_it_parked_or_applied(databases: Any, awaits: int) -> None:
    async def act() -> None:
        house = House(await databases.fresh())
        try:
            refusing(await house.hire("value"), "e1")
            house.publish(event(1))
            await house.settle()
            await house.fire("value")
            worker = await house.hire("value")
            connection = await connect(house.settings, "value_g1,value")
            await parked.ask_to_retry(connection, "value", Chosen(), "me")
            await worker.lane._open()
            worker.lane._spared_at = -1e9
            await house.crash("value", awaits)
            for _ in range(2):
                await spare(house.workers["value"])
            assert await connection.fetchval("SELECT count(*) FROM parked") == 0
            assert await connection.fetchval("SELECT count(*) FROM entry") == 1
            await connection.close()
        finally:
            await house.close()
            await databases.drop(house.database_url)

    asyncio.run(act())


@pytest.mark.asyncio
async def test_what_cannot_be_read_stays_and_what_is_discarded_stays_gone_after_a_rebuild(house: House) -> None:
    await house.hire("value")
    key, _, headers = encode_event(event(1))
    house.broker.append("channel.events", (key, b"{", headers))
    await house.settle()
    connection = await connect(house.settings, "value_g1,value")
    try:
        assert await parked.ask_to_retry(connection, "value", Chosen(), "me") == 1
        await spare(house.workers["value"])
        assert await parked.count(connection, "value", Chosen(reason="not_json")) == 1
        assert await parked.discard(connection, "value", Chosen(reason="not_json"), "a sender's test", "me") == 1
        assert await connection.fetchval("SELECT because FROM discarded") == "a sender's test"
    finally:
        await connection.close()
    worker = await rebuilds.start(house, "value")
    await rebuilds.catch_up(worker)
    connection = await connect(house.settings, "value_g2,value")
    try:
        assert await connection.fetchval("SELECT count(*) FROM parked") == 1
        assert await parked.count(connection, "value", Chosen()) == 0
    finally:
        await connection.close()
        await worker.close()
