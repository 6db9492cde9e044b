"""The stages of a rebuild: what is gathered is not compared or swapped; it is combined by the policy in force."""

from __future__ import annotations

import pytest

from services.interaction.handlers import POLICY, shipped_document
from services.runtime.beside import Refused
from services.runtime.gathering import Stage
from services.runtime.postgres import connect
from services.runtime.rebuild import Rebuild
from tests.support import rebuilds
from tests.support.house import House, Worker, an_event

pytestmark = pytest.mark.asyncio
SERVICE = "interaction"
CUSTOMERS = 7


async def _at_work(house: House) -> None:
    for service in ("identity", SERVICE):
        await house.hire(service)
    house.publish(*(an_event(f"e{n}", {"user_id": [f"u{n % CUSTOMERS}"]}) for n in range(3 * CUSTOMERS)))
    await house.settle()


def _stage(worker: Worker) -> Stage:
    assert isinstance(worker.lane, Rebuild)
    return worker.lane.stage


async def _until(worker: Worker, stage: Stage) -> None:
    for _ in range(100):
        await worker.turn()
        if _stage(worker) is stage:
            return
    raise AssertionError(f"never {stage}")


async def _sections(house: House) -> int:
    """How many customers the rebuild has combined."""
    connection = await connect(house.settings, f"{SERVICE}_g2,{SERVICE}")
    try:
        found: int = await connection.fetchval("SELECT count(*) FROM member WHERE state IS NOT NULL")
        return found
    finally:
        await connection.close()


async def test_what_is_gathered_only_is_neither_compared_nor_swapped(house: House) -> None:
    await _at_work(house)
    worker = await rebuilds.start(house, SERVICE, 3)
    await worker.turn()
    assert _stage(worker) is Stage.GATHERING
    assert await _sections(house) == 0
    with pytest.raises(Refused, match="not yet looked at"):
        await rebuilds.compared(house, SERVICE, worker)
    with pytest.raises(Refused, match="not yet looked at"):
        await rebuilds.swap(house, SERVICE)
    await rebuilds.catch_up(worker)
    assert _stage(worker) is Stage.FOLLOWING
    assert await _sections(house) == CUSTOMERS
    await rebuilds.swap(house, SERVICE)
    await worker.close()


async def test_nothing_is_read_while_it_is_combined(house: House) -> None:
    await _at_work(house)
    worker = await rebuilds.start(house, SERVICE, 3)
    await _until(worker, Stage.COMBINING)
    house.publish(an_event("late", {"user_id": ["u0"]}))
    applied = worker.lane.applied
    await _until(worker, Stage.FOLLOWING)
    assert worker.lane.applied == applied
    await house.settle()
    await rebuilds.catch_up(worker)
    found, rows = await rebuilds.compared(house, SERVICE, worker)
    assert not found["interaction.customers"]["samples"]
    assert not rows["differing"]
    await worker.close()


async def test_whoever_was_combined_before_the_policy_changed_is_looked_at_again(house: House) -> None:
    await _at_work(house)
    house.publish(
        *(
            an_event(f"v{n}", {"user_id": [f"u{n}"]}, type="product.viewed", properties={"category": "boots"})
            for n in range(CUSTOMERS)
        )
    )
    await house.settle()
    worker = await rebuilds.start(house, SERVICE)
    await _until(worker, Stage.COMBINING)
    # One piece combines all of these few, and one more finds nobody left.
    await worker.turn()
    assert _stage(worker) is Stage.COMBINING
    document = shipped_document()
    document["needs"]["taxonomy"]["footwear_test"] = {"label": "Boots", "recurring": False, "categories": ["boots"]}
    await house.enforce(SERVICE, POLICY, document)
    await rebuilds.catch_up(worker)
    for _ in range(20):
        house.workers[SERVICE].lane._spared_at = -1e9
        await house.settle()
    found, _ = await rebuilds.compared(house, SERVICE, worker)
    assert found["interaction.customers"]["same"] == CUSTOMERS
    connection = await connect(house.settings, f"{SERVICE}_g2,{SERVICE}")
    told = await connection.fetchval("SELECT count(*) FROM grp WHERE part LIKE '%footwear_test%'")
    await connection.close()
    assert told == CUSTOMERS
    await worker.close()
