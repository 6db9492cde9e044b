"""What customers bought by product: one of them, and all of them to learn from.

Owns reading it; what it comes to is domain/models/tastes.py and domain/wanting.py.
"""

from __future__ import annotations

import asyncio
from zoneinfo import ZoneInfo

from services.runtime.postgres import Connection
from services.value.domain.models.tastes import Sold, Tastes, tastes
from services.value.domain.reading import business_day

PAIRS_MAX = 2_000_000
"""Of more pairs of customer and product some customers are left out, by their ids, which are drawn evenly."""
MINE_MAX = 5_000
"""The newest orders of one customer that are looked at."""

MINE = """
    SELECT o.ordered_us, jsonb_array_elements_text(o.items::jsonb) AS item FROM (
        SELECT o.ordered_us, o.items FROM member m CROSS JOIN LATERAL (
            SELECT ordered_us, items FROM orders WHERE owner = m.member_id AND items <> '[]' AND ordered_us <= $2
            ORDER BY ordered_us DESC LIMIT $3
        ) o WHERE m.group_id = $1 ORDER BY o.ordered_us DESC LIMIT $3
    ) o
"""
BOUGHT = """
    SELECT DISTINCT m.group_id, jsonb_array_elements_text(o.items::jsonb) AS item,
        (to_timestamp(o.ordered_us / 1000000.0) AT TIME ZONE $1)::date - date '1970-01-01' AS day
    FROM orders o JOIN member m ON m.member_id = o.owner WHERE o.items <> '[]' AND o.ordered_us <= $2
"""
SOLD = f"SELECT item, day, count(*) FROM ({BOUGHT}) b GROUP BY item, day"
PAIRS = f"SELECT DISTINCT group_id, item FROM ({BOUGHT}) b ORDER BY group_id, item LIMIT $3"


async def mine(connection: Connection, customer: str, zone: ZoneInfo, until_us: int) -> list[tuple[str, int]]:
    """(product, business day) of a customer's orders up to a moment."""
    rows = await connection.fetch(MINE, customer, until_us, MINE_MAX)
    return [(r["item"], business_day(r["ordered_us"], zone)) for r in rows]


async def learnt(connection: Connection, zone: ZoneInfo, until_us: int) -> Tastes:
    """What all customers bought up to a moment: one order dated a lifetime ahead would outweigh all others."""
    sold = [Sold(*r) for r in await connection.fetch(SOLD, str(zone), until_us)]
    pairs = [(str(r["group_id"]), r["item"]) for r in await connection.fetch(PAIRS, str(zone), until_us, PAIRS_MAX)]
    # In a thread: thousands of products take seconds, and others want answers meanwhile.
    return await asyncio.to_thread(tastes, sold, pairs)
