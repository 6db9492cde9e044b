"""R3, R4, R9, R10: a rebuild changes nothing but itself, says what a new rule changes, and reads every version.

PostgreSQL is real; the broker is in memory.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import asyncpg
import msgspec
import pytest

from schemas import codec
from schemas.codec import encode_event
from schemas.envelope import Event
from tests.properties.test_policies import order
from tests.support import rebuilds
from tests.support.databases import Databases
from tests.support.house import House, Worker, an_event
from tests.support.repairs import SERVICES, in_a_house

CUSTOMERS, TOUCHED = 12, 4
ROLLBACK_MAX_S = 1.0
OWN_BOOKS = ("beside", "replay_event", "retelling")
"""What a replay writes of itself."""


def _in_a_house(databases: Databases, act: Callable[[House], Awaitable[None]]) -> None:
    asyncio.run(in_a_house(databases, act))


async def _everything_but(house: House, schema: str) -> dict[str, list[str]]:
    """Every row of every table that is not of this schema nor a replay's own book, with who wrote it last."""
    connection = await asyncpg.connect(house.database_url)
    try:
        tables = await connection.fetch(
            """
            SELECT schemaname AS s, tablename AS t FROM pg_tables WHERE schemaname <> $1 AND tablename <> all($2)
            AND tablename <> 'lane' AND schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2
            """,
            schema,
            OWN_BOOKS,
        )
        return {
            f"{one['s']}.{one['t']}": sorted(
                r["row"]
                for r in await connection.fetch(f"SELECT t.xmin || t::text AS row FROM {one['s']}.{one['t']} t")
            )
            for one in tables
        }
    finally:
        await connection.close()


def _published(house: House) -> dict[Any, int]:
    return {partition: len(log) for partition, log in house.broker.logs.items()}


@pytest.mark.parametrize("service", SERVICES)
def test_R3_a_rebuild_publishes_nothing_and_writes_nothing_but_its_own_generation(
    databases: Databases, service: str
) -> None:
    async def act(house: House) -> None:
        house.publish(*(order(n) for n in range(CUSTOMERS)))
        await house.settle()
        published = _published(house)
        before = await _everything_but(house, f"{service}_g2")
        builder = await rebuilds.start(house, service)
        await rebuilds.catch_up(builder)
        await builder.lane.outbox.settle()
        await builder.close()
        assert _published(house) == published
        assert await _everything_but(house, f"{service}_g2") == before

    _in_a_house(databases, act)


def _ruled_otherwise(worker: Worker) -> None:
    """A build by whose rule what these customers bought counts half."""
    plan = worker.lane.plan
    heard = plan.decode["channel.events"]

    def decode(record: Any) -> Any:
        event = heard(record)
        if event is None or event.id not in {f"e{n}" for n in range(TOUCHED)}:
            return event
        about = event.data["properties"]
        halved = {**about, "subtotal": "5", "total": "5", "products": []}
        return msgspec.structs.replace(event, data={**event.data, "properties": halved})

    worker.lane.plan = dataclasses.replace(plan, decode={**plan.decode, "channel.events": decode})


def test_R4_diff_counts_exactly_whom_a_planted_rule_touches_and_writes_nothing(databases: Databases) -> None:
    async def act(house: House) -> None:
        house.publish(*(order(n) for n in range(CUSTOMERS)))
        await house.settle()
        builder = await rebuilds.start(house, "value")
        _ruled_otherwise(builder)
        await rebuilds.catch_up(builder)
        before, published = await _everything_but(house, "value_g2"), _published(house)
        found, _ = await rebuilds.compared(house, "value", builder)
        one = found["value.customers"]
        assert (one["changed"], one["same"]) == (TOUCHED, CUSTOMERS - TOUCHED)
        assert (one["only_live"], one["only_rebuilt"]) == (0, 0)
        assert {s["key"] for s in one["samples"]} == {order(n).record_id for n in range(TOUCHED)}
        assert await _everything_but(house, "value_g2") == before
        assert _published(house) == published
        await builder.close()

    _in_a_house(databases, act)


def test_R9_a_rollback_takes_less_than_a_second(databases: Databases) -> None:
    async def act(house: House) -> None:
        house.publish(*(order(n) for n in range(CUSTOMERS)))
        await house.settle()
        builder = await rebuilds.start(house, "value")
        await rebuilds.catch_up(builder)
        await rebuilds.swap(house, "value")
        await builder.close()
        await rebuilds.succeed(house, "value")
        kept = await rebuilds.builder(house, "value", 1)
        await rebuilds.catch_up(kept)
        began = time.monotonic()
        await rebuilds.swap(house, "value", back=True)
        assert time.monotonic() - began <= ROLLBACK_MAX_S
        await kept.close()

    _in_a_house(databases, act)


GROWN = "order.completed"


@pytest.fixture
def grown() -> Iterator[None]:
    """Orders have a second version: what was `price` until then is `subtotal`."""

    def renamed(data: dict[str, Any]) -> dict[str, Any]:
        about = dict(data.get("properties", {}))
        if "price" in about:
            about["subtotal"] = about.pop("price")
        return {**data, "properties": about}

    codec.CURRENT_VERSION[GROWN] = 2
    codec.UPCASTERS[GROWN, 1] = renamed
    yield
    del codec.CURRENT_VERSION[GROWN], codec.UPCASTERS[GROWN, 1]


def _bought(n: int, **about: Any) -> Event:
    said = {"order_id": f"o{n}", "currency": "USD", **about}
    return an_event(f"e{n}", {"crm_id.acme": [f"c{n}"]}, type=GROWN, properties=said)


def _append(house: House, event: Event, version: int | None) -> None:
    key, value, headers = encode_event(event)
    kept = [h for h in headers if h[0] != "c360_schema"]
    said = [] if version is None else [("c360_schema", str(version).encode())]
    house.broker.append("channel.events", (key, value, [*kept, *said]))


async def _parked(house: House, schema: str) -> list[tuple[str, str]]:
    connection = await asyncpg.connect(house.database_url)
    try:
        rows = await connection.fetch(f"SELECT reason, convert_from(key, 'UTF8') AS key FROM {schema}.parked")
        return sorted((r["reason"], r["key"]) for r in rows)
    finally:
        await connection.close()


async def _net(house: House, schema: str) -> dict[str, int]:
    connection = await asyncpg.connect(house.database_url)
    try:
        rows = await connection.fetch(f"SELECT record_id, net FROM {schema}.day WHERE area = ''")
        return {str(r["record_id"]): r["net"] for r in rows}
    finally:
        await connection.close()


@pytest.mark.usefixtures("grown")
def test_R10_every_version_is_read_as_its_current_one_and_an_unknown_one_is_parked_live_and_rebuilt(
    databases: Databases,
) -> None:
    async def act(house: House) -> None:
        _append(house, _bought(1, price=10), 1)
        _append(house, _bought(2, subtotal=10), 2)
        _append(house, _bought(3, price=10), None)
        _append(house, _bought(4, subtotal=10), 9)
        _append(house, an_event("e5", {"crm_id.acme": ["c5"]}, type=GROWN, properties={"currency": "USD"}), 2)
        _append(house, _bought(6, subtotal=10, colour="green", nested={"a": [1]}), 2)
        await house.settle()
        read = {_bought(n).record_id: 100_000 for n in (1, 2, 3, 6)}
        unknown = [("unknown_version", _bought(4).record_id)]
        assert await _net(house, "value_g1") == read
        for service in ("identity", "interaction", "value"):
            assert await _parked(house, f"{service}_g1") == unknown, service
            builder = await rebuilds.start(house, service)
            await rebuilds.catch_up(builder)
            _, found = await rebuilds.compared(house, service, builder)
            assert not found["differing"]
            assert await _parked(house, f"{service}_g2") == unknown
            await builder.close()
        assert await _net(house, "value_g2") == read

    _in_a_house(databases, act)
