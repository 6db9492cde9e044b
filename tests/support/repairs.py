"""Repairs in a house, as the internal page asks for them, and what tables hold before and after.

Owns reading the compared rows of a generation. The broker is in memory, PostgreSQL is real.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from schemas.envelope import Event
from services.runtime.postgres import connect
from services.runtime.repair.repairing import Repair, Repaired
from services.runtime.repair.selecting import Asked
from services.runtime.uncompared import uncompared
from tests.support.databases import SCHEMAS, Databases
from tests.support.house import PLANS, House, an_event
from tests.support.memory_log import MemoryLog
from tests.support.rebuilds import OPERATOR

SERVICES = ("identity", "interaction", "value", "profile")
LOST = ("entry", "orders", "day", "standing", "history", "fact", "member", "grp", "heard", "contact")
"""Tables whose rows a damage may take."""
Rows = dict[str, list[str]]


async def full_house(databases: Databases) -> House:
    house = House(await databases.fresh())
    for service in SERVICES:
        await house.hire(service)
    return house


async def repaired(
    house: House,
    service: str,
    asked: Asked,
    *,
    execute: bool = True,
    log: MemoryLog | None = None,
    at_once: int = 500,
) -> Repaired:
    """One repair, as the page does it."""
    one = Repair(house.settings, SCHEMAS[service], PLANS[service], log or MemoryLog(house.broker), at_once)
    return await one.run(asked, OPERATOR, lambda _text: None, execute=execute)


async def rows(house: House, service: str, xmin: bool = False) -> Rows:
    """Table → its compared rows as text; with `xmin` also who wrote them last, and all that is not compared."""
    connection = await asyncpg.connect(house.database_url, server_settings={"TimeZone": "UTC"})
    left = uncompared(service)
    try:
        found: Rows = {}
        for r in await connection.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = $1 AND tablename = any($2)", f"{service}_g1", LOST
        ):
            name, of = r["tablename"], left.of(r["tablename"])
            what = "to_jsonb(t) || jsonb_build_object('xmin', t.xmin::text)" if xmin else "to_jsonb(t) - $1::text[]"
            where = "true" if xmin else of.rows or "true"
            arguments = [] if xmin else [list(of.columns)]
            got = await connection.fetch(
                f"SELECT ({what})::text AS row FROM {service}_g1.{name} t WHERE {where}", *arguments
            )
            found[name] = sorted(g["row"] for g in got)
        return found
    finally:
        await connection.close()


def order(n: int, who: str, **more: Any) -> Event:
    """An order of 10.00."""
    about = {"order_id": f"o{n}", "currency": "USD", "subtotal": 10, **more}
    return an_event(f"e{n}", {"crm_id.acme": [who]}, type="order.completed", properties=about)


def seen_with(n: int, *values: str) -> Event:
    """One visit that names several of a person's identifiers."""
    return an_event(f"v{n}", {"user_id": ["u1"], "crm_id.acme": list(values)})


async def in_a_house(databases: Databases, act: Callable[[House], Awaitable[None]]) -> None:
    house = await full_house(databases)
    try:
        await act(house)
    finally:
        await house.close()
        await databases.drop(house.database_url)


async def whose(house: House, event: Event) -> str:
    """Whose an event's record is."""
    connection = await connect(house.settings, "value_g1")
    try:
        return str(
            await connection.fetchval("SELECT group_id FROM member WHERE member_id = $1::uuid", event.record_id)
        )
    finally:
        await connection.close()


async def do(house: House, sql: str, *arguments: Any) -> Any:
    connection = await connect(house.settings, "value_g1,value")
    try:
        return await connection.fetchval(sql, *arguments)
    finally:
        await connection.close()
