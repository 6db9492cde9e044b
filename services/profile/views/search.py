"""Search's questions: a page of everybody in some order, and who is found by a name, an address or an id.

Owns reading SQL only; what fits how well is domain/finding.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.runtime.postgres import Connection

NAMES_MAX = 500
"""Names one query looks at; of more that fit, these many, whichever the database finds first."""
KEYS_MAX = 100
"""Customers found by one address or id."""
WORDS_TOGETHER_MAX = 3
LAST = UUID(int=2**128 - 1)
FIRST = UUID(int=0)
BEYOND = "\U0010ffff"
"""Sorts after every text in the collation "C"."""

_ROW = "customer_id, unnamed, name, grade, revenue, seen"


@dataclass(frozen=True, slots=True)
class Order:
    """A sort: its columns, which way they run, and the place before the first row."""

    name: str
    columns: tuple[str, ...]
    types: str
    descending: bool
    start: tuple[Any, ...]

    def page(self, *, of_segment: bool) -> str:
        """A page of these grades after a place: each grade along its index, merged; of a segment, of its members."""
        comparison, way = ("<", " DESC") if self.descending else (">", "")
        place = ", ".join(f"${n}::{kind}" for n, kind in enumerate(self.types.split(), 3))
        columns = ", ".join(self.columns)
        by = ", ".join(column + way for column in self.columns)
        member = f"""AND EXISTS (SELECT FROM membership m WHERE m.customer_id = listed.customer_id
            AND m.segment_id = ${3 + len(self.columns)}::text)""" if of_segment else ""  # fmt: skip
        return f"""
            SELECT l.* FROM unnest($1::text[]) AS g (grade) CROSS JOIN LATERAL (
                SELECT {_ROW} FROM listed WHERE shown AND grade = g.grade AND ({columns}) {comparison} ({place})
                {member}
                ORDER BY {by} LIMIT $2
            ) AS l ORDER BY {by} LIMIT $2
        """

    def place(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        """Where a row stands in it."""
        return tuple(row[column] for column in self.columns)


ORDERS: Mapping[str, Order] = {
    order.name: order
    for order in (
        Order("name", ("unnamed", "name", "customer_id"), "bool text uuid", False, (False, "", FIRST)),
        Order("last_seen", ("seen", "customer_id"), "int uuid", True, (2**31 - 1, LAST)),
        Order("revenue", ("revenue", "customer_id"), "numeric uuid", True, (Decimal(10) ** 30, LAST)),
    )
}

# A word's keys are read from the index, the others' on the rows it finds: the longest word is the rarest, mostly.
BY_NAMES = """
    SELECT l.customer_id, l.unnamed, l.name, l.grade, l.revenue, l.seen
    FROM sought s JOIN listed l USING (customer_id)
    WHERE s.name_keys && $1::int[] AND ($2::int[] IS NULL OR s.name_keys && $2)
      AND ($3::int[] IS NULL OR s.name_keys && $3) AND l.shown AND l.grade = any($4::text[]) LIMIT $5
"""

BY_KEYS = """
    SELECT k.customer_id, k.key FROM unnest($1::text[], $2::text[]) AS r (low, high) CROSS JOIN LATERAL (
        SELECT key, customer_id FROM search_key WHERE key >= r.low AND key < r.high ORDER BY key LIMIT $3
    ) AS k
"""

ROWS = f"SELECT {_ROW} FROM listed WHERE shown AND customer_id = any($1::uuid[]) AND grade = any($2::text[])"


async def page(
    connection: Connection,
    order: Order,
    grades: Sequence[str],
    after: Sequence[Any] | None,
    limit: int,
    segment: str | None = None,
) -> list[Mapping[str, Any]]:
    """The next rows of these grades after a place, the first ones after None; of a segment, of its members."""
    members = [] if segment is None else [segment]
    sql = order.page(of_segment=segment is not None)
    rows = await connection.fetch(sql, grades, limit, *(after or order.start), *members)
    return [dict(r) for r in rows]


async def by_names(
    connection: Connection, keys: Sequence[Sequence[int]], grades: Sequence[str]
) -> list[Mapping[str, Any]]:
    """Rows whose name has one of the keys of each word; of many words the first WORDS_TOGETHER_MAX."""
    given = [*keys[:WORDS_TOGETHER_MAX], *[None] * (WORDS_TOGETHER_MAX - len(keys))]
    return [dict(r) for r in await connection.fetch(BY_NAMES, *given, grades, NAMES_MAX)]


async def by_keys(connection: Connection, exact: Sequence[str], beginnings: Sequence[str]) -> list[tuple[str, str]]:
    """(customer id, key) of whoever has one of these keys, or a key that begins so."""
    low = [*exact, *beginnings]
    high = [*(key + "\x01" for key in exact), *(key + BEYOND for key in beginnings)]
    return [(str(r["customer_id"]), r["key"]) for r in await connection.fetch(BY_KEYS, low, high, KEYS_MAX)]


async def rows(connection: Connection, customers: Sequence[str], grades: Sequence[str]) -> list[Mapping[str, Any]]:
    """The rows of those of these customers that are shown and of one of the grades."""
    return [dict(r) for r in await connection.fetch(ROWS, customers, grades)]
