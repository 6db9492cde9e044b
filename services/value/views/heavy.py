"""Customers with very many orders: what is answered of them without folding each.

Owns how many are too many, and reading what is kept instead: day rows, which the lane keeps up to date, and the last
orders. The sums are the same; orders that never were are not listed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.runtime.postgres import Connection
from services.value.domain.orders import Amounts
from services.value.domain.summing import Cell

FOLDED_MAX = 20_000
"""So many orders of one customer are folded for an answer; of more, how he stood once is not answered."""

NEWEST = """
    SELECT o.order_id FROM unnest($1::uuid[]) AS r CROSS JOIN LATERAL (
        SELECT order_id, ordered_us FROM orders WHERE owner = r AND ordered_us IS NOT NULL
        ORDER BY ordered_us DESC LIMIT $2
    ) o ORDER BY o.ordered_us DESC, o.order_id LIMIT $2
"""


DAYS = f"SELECT day, area, currency, {', '.join(Amounts._fields)} FROM day WHERE record_id = any($1::uuid[])"
SPAN = """
    SELECT min((SELECT min(ordered_us) FROM orders WHERE owner = r)) AS first_us,
        max((SELECT max(ordered_us) FROM orders WHERE owner = r)) AS last_us
    FROM unnest($1::uuid[]) AS r
"""


class TooMany(Exception):
    """He has so many orders that how he stood at another time is not worked out; the text says how many are."""


async def is_heavy(connection: Connection, members: Sequence[str], folded_max: int) -> bool:
    """Whether these records have more orders than are folded for an answer."""
    return bool(
        await connection.fetchval(
            "SELECT count(*) > $2 FROM (SELECT FROM orders WHERE owner = any($1::uuid[]) LIMIT $2 + 1) o",
            members,
            folded_max,
        )
    )


async def kept(connection: Connection, members: Sequence[str]) -> tuple[list[Cell], int | None, int | None]:
    """His day rows, and when he ordered first and last (µs since 1970)."""
    rows = await connection.fetch(DAYS, members)
    (span,) = await connection.fetch(SPAN, members)
    return [Cell(r[0], r[1], r[2], Amounts(*list(r)[3:])) for r in rows], span["first_us"], span["last_us"]


async def newest(connection: Connection, members: Sequence[str], count: int) -> tuple[list[Any], int]:
    """The ids of his newest orders, and how many he has."""
    total = await connection.fetchval(
        "SELECT count(*) FROM orders WHERE owner = any($1::uuid[]) AND ordered_us IS NOT NULL", members
    )
    return [r["order_id"] for r in await connection.fetch(NEWEST, members, count)], total
