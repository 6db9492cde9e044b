"""A repaired customer is what the log says of him, whatever happened to his rows, and goes on as if nothing had been.

PostgreSQL is real; the broker is in memory. The reference is a house whose rows nobody damaged.
"""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Event
from services.runtime.postgres import connect
from services.runtime.repair.selecting import Asked
from tests.properties.stories import PHASES, worlds
from tests.support import rebuilds
from tests.support.databases import Databases
from tests.support.drawing import drawn
from tests.support.house import House
from tests.support.repairs import LOST, full_house, repaired, rows

REPAIRED = ("interaction", "value")


async def customer_of(house: House, service: str, n: int) -> str | None:
    """Some customer the service knows."""
    connection = await connect(house.settings, f"{service}_g1")
    try:
        ids = await connection.fetch("SELECT DISTINCT group_id::text AS id FROM member ORDER BY 1")
        return ids[n % len(ids)]["id"] if ids else None
    finally:
        await connection.close()


async def _damage(house: House, service: str, customer: str, harms: list[tuple[str, int]]) -> None:
    """Lose, or change by hand, rows of a customer's records."""
    connection = await connect(house.settings, f"{service}_g1")
    try:
        members = "SELECT member_id FROM member WHERE group_id = $1"
        records = [r["member_id"] for r in await connection.fetch(members, customer)]
        for table, how in harms:
            if await connection.fetchval("SELECT to_regclass($1) IS NULL", table):
                continue
            column = {"member": "member_id", "grp": "group_id", "standing": "group_id", "orders": "owner"}.get(
                table, "record_id"
            )
            ids = [customer] if column == "group_id" else records
            if how and table == "day":
                await connection.execute("UPDATE day SET net = net + 7 WHERE record_id = any($1)", ids)
            elif how and table == "member":
                await connection.execute(
                    "UPDATE member SET group_id = member_id, n = 0 WHERE member_id = any($1)", ids
                )
            else:
                await connection.execute(f"DELETE FROM {table} WHERE {column} = any($1::uuid[])", ids)
    finally:
        await connection.close()


async def _is_right_again(
    databases: Databases, events: list[Event], service: str, who: int, harms: list[tuple[str, int]], later: int
) -> None:
    house = await full_house(databases)
    try:
        house.publish(*events[:later])
        await house.settle()
        right = await rows(house, service)
        customer = await customer_of(house, service, who)
        if customer is None:
            return
        await _damage(house, service, customer, harms)
        before = await rows(house, service, xmin=True)
        found = await repaired(house, service, Asked(customer), execute=False)
        assert await rows(house, service, xmin=True) == before, "without execute something was written"
        done = await repaired(house, service, Asked(customer))
        assert done.customers == found.customers
        assert await rows(house, service) == right
        again = await repaired(house, service, Asked(customer))
        assert not again.customers, again
        # And it goes on from there as if nothing had been.
        house.publish(*events[later:])
        await house.settle()
        builder = await rebuilds.start(house, service)
        await rebuilds.catch_up(builder)
        told, differing = await rebuilds.compared(house, service, builder)
        assert not differing["differing"], differing["differing"]
        assert not any(one["samples"] for one in told.values()), told
        await builder.close()
        findings = await house.findings()
        assert findings.zero, findings
    finally:
        await house.close()
        await databases.drop(house.database_url)


@pytest.mark.faults
@pytest.mark.parametrize("service", REPAIRED)
@settings(max_examples=drawn(3), phases=PHASES)
@given(
    events=worlds(),
    who=st.integers(0, 9),
    harms=st.lists(st.tuples(st.sampled_from(LOST), st.integers(0, 1)), min_size=1, max_size=4),
    later=st.integers(6, 30),
)
def test_a_repaired_customer_is_what_the_log_says(
    databases: Databases, service: str, events: list[Event], who: int, harms: list[tuple[str, int]], later: int
) -> None:
    asyncio.run(_is_right_again(databases, events, service, who, harms, later))
