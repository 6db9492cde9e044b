"""A policy is changed while workers are at work: nobody stays graded by the old one, whoever dies."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import orjson
import pytest

from schemas.envelope import Event
from services.value import handlers
from tests.properties.money import money_event
from tests.properties.test_laws import SERVICES, _in_houses
from tests.support.databases import Databases
from tests.support.house import House, Worker

CUSTOMERS = 7
AWAITS = (3, 6, 9, 12, 15)


def order(n: int) -> Event:
    """One customer's order of 23.33."""
    return money_event(f"e{n}", ("completed", f"o{n}", [("user_id", f"u{n}")], n, 0))


async def _graded(house: House) -> set[tuple[str, int]]:
    """(grade, policy's version) of all value sections that profiles show."""
    connection = await asyncpg.connect(house.database_url)
    try:
        rows = await connection.fetch("SELECT body FROM profile_g1.section WHERE service = 'value'")
    finally:
        await connection.close()
    tiers = [orjson.loads(r["body"])["tier"] for r in rows]
    assert len(tiers) == CUSTOMERS
    return {(t["grade"], t["policy_version"]) for t in tiers}


async def _change(house: House) -> None:
    """Everybody with any revenue is an A from now on."""
    document: dict[str, Any] = {**handlers.shipped_document(), "version": 2}
    document["grades"] = [
        {"grade": "A", "revenue_from": 1, "purpose": "all"}, {"grade": "D", "purpose": "none"},
    ]  # fmt: skip
    await house.enforce("value", handlers.POLICY, document)


async def _review(worker: Worker) -> None:
    worker.lane._spared_at = -1e9
    await worker.turn()
    await worker.lane.outbox.settle()


def test_everybody_is_graded_anew_although_workers_die_while_they_do_it(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handlers, "REVIEWED_AT_ONCE", 2)

    async def act(house: House) -> None:
        for service in SERVICES:
            await house.hire(service)
        house.publish(*map(order, range(CUSTOMERS)))
        await house.settle()
        assert await _graded(house) == {("D", 1)}
        await _change(house)
        for awaits in AWAITS:
            house.workers["value"].lane._spared_at = -1e9
            await house.crash("value", awaits)
        for _ in range(CUSTOMERS):
            await _review(house.workers["value"])
        await house.settle()
        assert await _graded(house) == {("A", 2)}

    _in_houses(databases, 1, act)


def test_a_change_waits_for_the_batch_at_work_and_its_customers_are_graded_anew(databases: Databases) -> None:
    async def act(house: House) -> None:
        for service in SERVICES:
            await house.hire(service)
        house.publish(*map(order, range(CUSTOMERS - 1)))
        await house.settle()
        blocker = await asyncpg.connect(house.database_url)
        await blocker.execute("BEGIN; LOCK value_g1.telling IN SHARE MODE")
        house.publish(order(CUSTOMERS - 1))
        at_work = asyncio.create_task(house.workers["value"].turn())
        await asyncio.sleep(0.2)
        changing = asyncio.create_task(_change(house))
        await asyncio.sleep(0.2)
        assert not changing.done(), "the policy changed under a batch that decides by it"
        await blocker.execute("COMMIT")
        await blocker.close()
        await asyncio.gather(at_work, changing)
        for _ in range(2):
            await _review(house.workers["value"])
        await house.settle()
        assert await _graded(house) == {("A", 2)}

    _in_houses(databases, 1, act)
