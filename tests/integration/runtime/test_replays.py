"""Steps of a replay: what is refused and why, that nothing happens by itself, and that every step is told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.runtime import replays
from services.runtime.beside import Refused
from services.runtime.generations import By
from services.runtime.outbox import Silent, producer
from services.runtime.planning import standing
from services.runtime.postgres import connect
from services.runtime.rebuild import Rebuild
from tests.support import rebuilds
from tests.support.databases import SCHEMAS, settings_for
from tests.support.house import PLANS, House, an_event

pytestmark = pytest.mark.asyncio
ME = By("me", "a test")


def order(n: int) -> Any:
    """One customer's order."""
    about = {"order_id": f"o{n}", "currency": "USD", "subtotal": 10}
    return an_event(f"e{n}", {"crm_id.acme": [f"c{n}"]}, type="order.completed", properties=about)


async def at_work(house: House) -> None:
    """Value and identity have heard of three orders."""
    for service in ("identity", "value"):
        await house.hire(service)
    house.publish(*map(order, range(3)))
    await house.settle()


async def schemas(house: House) -> set[str]:
    """The schemas of value's generations."""
    connection = await connect(house.settings, "value")
    try:
        rows = await connection.fetch("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'value_g%'")
        return {r["nspname"] for r in rows}
    finally:
        await connection.close()


async def test_nothing_happens_unless_it_is_said(house: House) -> None:
    await at_work(house)
    steps = rebuilds.generations(house, "value")
    assert await steps.start(100, ME, execute=False) == 2
    assert await schemas(house) == {"value_g1"}
    await rebuilds.start(house, "value")
    assert await steps.abort(ME, execute=False) == 2
    assert await schemas(house) == {"value_g1", "value_g2"}


async def test_of_two_operators_who_start_one_is_refused(house: House) -> None:
    await at_work(house)
    steps = rebuilds.generations(house, "value")
    both = await asyncio.gather(
        *(steps.start(100, By(who, ""), execute=True) for who in ("ann", "bob")), return_exceptions=True
    )
    assert sorted(isinstance(one, Refused) for one in both) == [False, True]
    assert await schemas(house) == {"value_g1", "value_g2"}


async def test_a_number_is_never_given_twice_and_only_the_other_generation_is_dropped(house: House) -> None:
    await at_work(house)
    steps = rebuilds.generations(house, "value")
    with pytest.raises(Refused):
        await steps.abort(ME, execute=True)
    assert await steps.start(100, ME, execute=True) == 2
    assert await steps.abort(ME, execute=True) == 2
    assert await schemas(house) == {"value_g1"}
    assert await steps.start(100, ME, execute=True) == 3


async def test_a_swap_is_refused_before_the_other_is_caught_up_while_it_rests_and_when_it_halted(
    house: House,
) -> None:
    await at_work(house)
    steps = rebuilds.generations(house, "value")
    with pytest.raises(Refused, match="no generation beside"):
        await steps.swap(ME, execute=True)
    worker = await rebuilds.start(house, "value")
    with pytest.raises(Refused, match="not yet looked at"):
        await steps.swap(ME, execute=True)
    await rebuilds.catch_up(worker)
    house.publish(order(3))
    await house.settle()
    with pytest.raises(Refused, match=r"stays \d records behind"):
        await steps.swap(ME, execute=True)
    await rebuilds.catch_up(worker)
    with pytest.raises(Refused, match="never live"):
        await steps.swap(ME, back=True, execute=True)
    await steps.pause(ME)
    with pytest.raises(Refused, match="is paused"):
        await steps.swap(ME, execute=True)
    await steps.resume(ME, 500)
    connection = await connect(house.settings, "value_g2")
    await connection.execute("UPDATE lane SET state = 'halted', reason = 'handler_broken'")
    await connection.close()
    with pytest.raises(Refused, match="halted: handler_broken"):
        await steps.swap(ME, execute=True)
    await worker.close()


async def test_a_paused_rebuild_applies_nothing_and_goes_on_where_it_was(house: House) -> None:
    await at_work(house)
    steps = rebuilds.generations(house, "value")
    worker = await rebuilds.start(house, "value")
    await steps.pause(ME)
    await worker.turn()
    assert worker.lane.applied == 0
    await steps.resume(ME)
    await rebuilds.catch_up(worker)
    assert worker.lane.applied > 0
    await worker.close()


async def test_a_worker_whose_generation_was_given_up_ends_by_itself(house: House) -> None:
    await at_work(house)
    worker = await rebuilds.start(house, "value")
    await worker.turn()
    await rebuilds.generations(house, "value").abort(ME, execute=True)
    await asyncio.wait_for(worker.lane.run(), 10)


async def test_every_step_is_told_with_who_and_why(house: House) -> None:
    await at_work(house)
    steps = rebuilds.generations(house, "value")
    worker = await rebuilds.start(house, "value")
    await rebuilds.catch_up(worker)
    await steps.pause(By("ann", "too slow"))
    await steps.resume(By("bob", "at night"), 7)
    await rebuilds.swap(house, "value")
    connection = await connect(house.settings, "value")
    try:
        told = await replays.steps(connection, "value")
        assert [(s["what"], s["by"]) for s in told] == [
            ("started", "operator"), ("paused", "ann"), ("resumed", "bob"), ("swapped", "operator"),
        ]  # fmt: skip
        assert told[2]["events_per_s"] == 7
        found = await replays.stored(connection, "value", 2)
        assert found is not None
        assert found.state == "live"
        now = await standing(connection, SCHEMAS["value"], {})
        assert (now["live"], now["beside"]["generation"], now["beside"]["kept_for_rollback"]) == (2, 1, True)
    finally:
        await connection.close()
        await worker.close()


async def test_a_rebuild_has_no_producer(house: House) -> None:
    await at_work(house)
    settings = settings_for(house.database_url, silent=True)
    with pytest.raises(Silent):
        producer(settings, "value.0")
    lane = house.workers["value"].lane
    with pytest.raises(Silent):
        Rebuild(house.settings, await PLANS["value"](house.settings, lane.generation), lane.generation)
