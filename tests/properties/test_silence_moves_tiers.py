"""Time passes and nobody does anything: everybody falls on his day, told once, whoever dies while it is done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg
import orjson
import pytest

from schemas.envelope import Event, microseconds, parse_rfc3339
from services.value import handlers
from tests.properties.test_laws import SERVICES, _in_houses
from tests.support import rebuilds
from tests.support.databases import Databases
from tests.support.house import NOON, House, an_event
from tests.unit.value.foreseen import MODEL

CUSTOMERS = 5
DAY = timedelta(days=1)
PURCHASES = 12
AWAITS = range(2, 26, 2)
TOLD = "SELECT group_id, n FROM value_g1.grp WHERE n > 0"
TIERS = "SELECT body FROM profile_g1.section WHERE service = 'value'"


def purchase(customer: int, number: int, days: int) -> Event:
    """One of a regular customer's, so many days after noon."""
    properties = {"order_id": f"{customer}-{number}", "currency": "USD", "subtotal": "40.00"}
    return an_event(
        f"e{customer}-{number}",
        {"user_id": [f"u{customer}"]},
        type="order.completed",
        time=NOON + days * DAY,
        properties=properties,
    )


async def _rows(house: House, sql: str) -> list[Any]:
    connection = await asyncpg.connect(house.database_url)
    try:
        return list(await connection.fetch(sql))
    finally:
        await connection.close()


async def _tiers(house: House) -> list[dict[str, Any]]:
    """The tier of every value section that profiles show, in the order of grades."""
    return sorted((orjson.loads(r["body"])["tier"] for r in await _rows(house, TIERS)), key=lambda t: str(t["grade"]))


async def _promote(house: House) -> None:
    """A model that grades is in force from now on."""
    document = {**handlers.shipped_document(), "prediction": MODEL}
    await house.enforce("value", handlers.POLICY, document)


async def _look(house: House, *names: str) -> None:
    """The lanes' time for what no event asks for, until there is no more of it."""
    for _ in range(2 * CUSTOMERS + 4):
        for name in names or ("value",):
            house.workers[name].lane._spared_at = -1e9
            await house.workers[name].turn()
            await house.workers[name].lane.outbox.settle()
    await house.settle()


async def _regulars(house: House) -> None:
    for service in SERVICES:
        await house.hire(service)
    await _promote(house)
    house.publish(*(purchase(c, n, 10 * n) for c in range(CUSTOMERS) for n in range(PURCHASES)))
    await house.settle()
    await _look(house)


class Clock:
    """What time it is for value."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.days = 10 * PURCHASES
        monkeypatch.setattr(handlers, "clock_us", lambda: microseconds(NOON + self.days * DAY))
        monkeypatch.setattr(handlers, "FALLEN_AT_ONCE", 2)


def test_everybody_falls_on_his_day_once_although_workers_die_and_a_purchase_restores_him(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)

    async def act(house: House) -> None:
        await _regulars(house)
        (drop_at,) = {tier["next_drop_at"] for tier in await _tiers(house)}
        assert {tier["grade"] for tier in await _tiers(house)} == {"A"}
        days = (microseconds_of(drop_at) - microseconds(NOON)) // microseconds_in(DAY)
        clock.days = days
        await _look(house)
        assert {tier["grade"] for tier in await _tiers(house)} == {"A"}, "noon before is not the day"
        told = dict(await _rows(house, TOLD))
        clock.days = days + 1
        for awaits in AWAITS:
            house.workers["value"].lane._spared_at = -1e9
            await house.crash("value", awaits)
        await _look(house)
        tiers = await _tiers(house)
        assert [(tier["grade"], tier["because"]) for tier in tiers] == [("B", "silence")] * CUSTOMERS
        assert {customer: n - told[customer] for customer, n in await _rows(house, TOLD)} == dict.fromkeys(told, 1)
        house.publish(purchase(0, 99, days + 1))
        await house.settle()
        assert [tier["grade"] for tier in await _tiers(house)] == ["A", *["B"] * (CUSTOMERS - 1)]

    _in_houses(databases, 1, act)


def test_two_workers_look_at_the_same_customers_and_each_falls_once(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)

    async def act(house: House) -> None:
        await _regulars(house)
        told = dict(await _rows(house, TOLD))
        house.give("value", {0, 1, 2, 3})
        await house.hire("value.1", {4, 5, 6, 7})
        clock.days += 4_000
        await _look(house, "value", "value.1")
        assert {tier["grade"] for tier in await _tiers(house)} == {"D"}
        assert {customer: n - told[customer] for customer, n in await _rows(house, TOLD)} == dict.fromkeys(told, 1)

    _in_houses(databases, 1, act)


def test_a_rebuild_puts_everybody_where_silence_has_put_him(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)

    async def act(house: House) -> None:
        await _regulars(house)
        clock.days += 700
        house.publish(purchase(0, 99, clock.days - 1))
        await house.settle()
        await _look(house)
        assert {tier["because"] for tier in await _tiers(house)} == {"silence", "booking"}
        builder = await rebuilds.start(house, "value")
        await rebuilds.catch_up(builder)
        found, rows = await rebuilds.compared(house, "value", builder)
        assert not any(one["samples"] for one in found.values()), found
        assert not rows["differing"], rows["differing"]
        assert sum(one["same"] for one in found.values()) == CUSTOMERS
        await builder.close()

    _in_houses(databases, 1, act)


def microseconds_of(text: str) -> int:
    """µs since 1970 of an RFC 3339 time."""
    return microseconds(parse_rfc3339(text))


def microseconds_in(span: timedelta) -> int:
    """µs."""
    return span // timedelta(microseconds=1)
