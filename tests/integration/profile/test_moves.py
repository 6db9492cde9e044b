"""What is told of segments and tiers adds up to who is in them, in any order of states and whoever dies over it.

The broker is in memory. PostgreSQL is real.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

import asyncpg
from hypothesis import given, settings
from hypothesis import strategies as st

from services.profile.domain.changing import ENTERED, GONE, LEFT, TIER_CHANGED
from services.profile.domain.segments import SEGMENTS
from tests.properties.stories import PHASES, worlds
from tests.support.databases import Databases
from tests.support.drawing import drawn
from tests.support.house import House
from tests.support.occasions import heard

SERVICES = ("identity", "interaction", "value", "profile")
DEFINED = {
    "known": {"name": "Known", "where": {"field": "identity.status", "is": "known"}},
    "bought": {"name": "Bought", "where": {"field": "value.actual.orders", "above": 0}},
}
LOOKS = 6


async def tables(house: House) -> tuple[dict[str, set[str]], dict[str, str]]:
    """Customer → his segments, and customer → his tier, of who is shown."""
    connection = await asyncpg.connect(house.database_url, server_settings={"search_path": "profile_g1"})
    try:
        inside: dict[str, set[str]] = defaultdict(set)
        for r in await connection.fetch("SELECT customer_id, segment_id FROM membership"):
            inside[str(r["customer_id"])].add(r["segment_id"])
        rows = await connection.fetch("SELECT customer_id, grade FROM listed WHERE shown")
        return dict(inside), {str(r["customer_id"]): r["grade"] for r in rows if r["grade"]}
    finally:
        await connection.close()


async def check(house: House) -> None:
    inside: dict[str, set[str]] = defaultdict(set)
    tiers: dict[str, str | None] = {}
    for event in heard(house):
        customer, data = event["subject"], event["data"]
        assert data["customer_id"] == customer
        if event["type"] == ENTERED:
            assert data["segment_id"] not in inside[customer], "entered twice"
            inside[customer].add(data["segment_id"])
        elif event["type"] == LEFT:
            inside[customer].remove(data["segment_id"])
        elif event["type"] == TIER_CHANGED:
            assert data["from"] == tiers.get(customer), "it changes from what was told"
            tiers[customer] = data["to"]
        elif event["type"] in GONE:
            tiers.pop(customer, None)
    stored, graded = await tables(house)
    assert {customer: those for customer, those in inside.items() if those} == stored
    assert {customer: grade for customer, grade in tiers.items() if grade} == graded


async def define(house: House, segments: dict[str, Any]) -> None:
    await house.enforce("profile", SEGMENTS, {"segments": segments})


async def look(house: House, *, crash_after: int) -> None:
    """Enough pieces to look at everybody, the first of them cut short."""
    for number in range(LOOKS):
        house.workers["profile"].lane._spared_at = -1e9
        await (house.crash("profile", crash_after) if number == 0 else house.workers["profile"].turn())


@settings(max_examples=drawn(4), phases=PHASES, deadline=None)
@given(st.data())
def test_moves_told_add_up_to_who_is_where(databases: Databases, data: st.DataObject) -> None:
    events = list(data.draw(st.permutations(data.draw(worlds(14)))))
    batch_max = data.draw(st.sampled_from([1, 3, 1000]))
    crashes = data.draw(st.lists(st.integers(3, 40), max_size=6))
    middle = data.draw(st.integers(0, len(events)))

    async def act() -> None:
        url = await databases.fresh()
        house = House(url)
        try:
            for service in SERVICES:
                (await house.hire(service)).feed.batch_max = batch_max
            house.publish(*events[:middle])
            await house.settle()
            await define(house, DEFINED)
            await look(house, crash_after=batch_max % 20 + 4)
            house.publish(*events[middle:])
            for awaits in crashes:
                for service in ("identity", "value"):
                    await house.workers[service].turn()
                await house.crash("profile", awaits)
            await house.settle()
            await look(house, crash_after=60)
            await house.settle()
            await check(house)
            await define(house, {})
            await look(house, crash_after=12)
            await house.settle()
            await check(house)
            assert (await tables(house))[0] == {}
        finally:
            await house.close()
            await databases.drop(url)

    asyncio.run(act())
