"""Value's SQL for one customer's sake: all his records' rows in one statement, and what is kept of him beside.

Owns the table `standing`, which is written under the customer's lock, and who is looked at next.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.runtime.postgres import Connection
from services.value.domain.contacts import Contact
from services.value.domain.ledger import Cell, Known, Mark
from services.value.domain.orders import Amounts
from services.value.domain.statements import STATEMENTS_MAX, read_statement


@dataclass(slots=True)
class Ledger:
    """One customer as committed: `members` are his records, `n` and `log_time_ms` those of his state."""

    n: int
    log_time_ms: int
    members: list[str]
    known: Known
    mark: Mark | None = field(default=None)


LEDGERS = f"""
    SELECT g.group_id, g.n, g.log_time_ms, m.members, d.days, o.first_us, o.last_us, c.contacts, h.said,
        s.day AS looked, s.grade, s.state, s.left_day, s.cause, s.due_day
    FROM grp g
    LEFT JOIN standing s ON s.group_id = g.group_id
    CROSS JOIN LATERAL (SELECT array_agg(member_id) AS members FROM member WHERE group_id = g.group_id) m
    CROSS JOIN LATERAL (
        SELECT array_agg(row (day, area, currency, orders, net, paid, refunds, margin, unknown_net, cost)) AS days
        FROM day WHERE record_id = any(m.members)
    ) d
    CROSS JOIN LATERAL (
        SELECT min((SELECT min(ordered_us) FROM orders WHERE owner = r)) AS first_us,
            max((SELECT max(ordered_us) FROM orders WHERE owner = r)) AS last_us
        FROM unnest(m.members) AS r
    ) o
    CROSS JOIN LATERAL (
        SELECT array_agg(row (day, channel, direction, pieces, seconds)) AS contacts
        FROM contact WHERE $2 AND record_id = any(m.members)
    ) c
    CROSS JOIN LATERAL (
        SELECT ARRAY(
            SELECT said FROM heard WHERE record_id = any(m.members) AND said IS NOT NULL AND NOT withdrawn
            ORDER BY time_us DESC, event_id LIMIT {STATEMENTS_MAX}
        ) AS said
    ) h
    WHERE g.group_id = any($1::uuid[])
"""


async def ledgers(connection: Connection, customers: Sequence[str], *, priced: bool) -> dict[str, Ledger]:
    """Customer → his rows, in one statement, so that version and content belong together.

    `priced`: whether contacts cost anything; else they are not read.
    """
    if not customers:
        return {}
    return {str(r["group_id"]): _ledger(r) for r in await connection.fetch(LEDGERS, customers, priced)}


def _ledger(r: Any) -> Ledger:
    known = Known(
        [Cell(d[0], d[1], d[2], Amounts(*list(d)[3:])) for d in r["days"] or ()],
        r["first_us"],
        r["last_us"],
        [Contact(*c) for c in r["contacts"] or ()],
        [read_statement(said) for said in r["said"]],
    )
    mark = None
    if r["looked"] is not None:
        mark = Mark(r["looked"], r["grade"], r["state"], r["left_day"], r["cause"], r["due_day"])
    return Ledger(r["n"], r["log_time_ms"], sorted(map(str, r["members"] or ())), known, mark)


async def save_marks(connection: Connection, marks: Mapping[str, Mark | None]) -> None:
    """Keep these customers' marks, those that are another than before; None: nothing is kept any more."""
    gone = sorted(customer for customer, mark in marks.items() if mark is None)
    kept = sorted((customer, mark) for customer, mark in marks.items() if mark is not None)
    if gone:
        await connection.execute("DELETE FROM standing WHERE group_id = any($1::uuid[])", gone)
    if kept:
        await connection.execute(
            """
            INSERT INTO standing (group_id, day, grade, state, left_day, cause, due_day)
            SELECT * FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::int[], $6::text[], $7::int[])
            ON CONFLICT (group_id) DO UPDATE SET day = excluded.day, grade = excluded.grade, state = excluded.state,
                left_day = excluded.left_day, cause = excluded.cause, due_day = excluded.due_day
            """,
            [customer for customer, _ in kept],
            *([mark[part] for _, mark in kept] for part in range(len(Mark._fields))),
        )


DUE = "SELECT group_id FROM standing WHERE due_day <= $1 ORDER BY due_day, group_id LIMIT $2"


async def due(connection: Connection, day: int, count: int) -> list[str]:
    """Customers whom silence has moved by this day, the earliest first."""
    return [str(r["group_id"]) for r in await connection.fetch(DUE, day, count)]


async def still_due(connection: Connection, customers: Sequence[str], day: int) -> list[str]:
    """Those of them, whose locks are held, whom nobody has looked at meanwhile."""
    rows = await connection.fetch(
        "SELECT group_id FROM standing WHERE group_id = any($1::uuid[]) AND due_day <= $2", customers, day
    )
    return [str(r["group_id"]) for r in rows]


async def customers_after(connection: Connection, after: str, count: int) -> tuple[dict[str, list[str]], str | None]:
    """The next customers of whom anything was told or whose contacts were counted: customer → his records.

    With the last id of the piece, None when there are none after it.
    """
    rows = await connection.fetch(
        """
        SELECT group_id FROM grp g WHERE group_id > $1 AND (n > 0 OR EXISTS (
            SELECT FROM member m JOIN contact c ON c.record_id = m.member_id WHERE m.group_id = g.group_id
        )) ORDER BY group_id LIMIT $2
        """,
        after,
        count,
    )
    found: dict[str, list[str]] = {str(r["group_id"]): [] for r in rows}
    last = str(rows[-1]["group_id"]) if len(rows) == count else None
    for r in await connection.fetch(
        "SELECT member_id, group_id FROM member WHERE group_id = any($1::uuid[])", list(found)
    ):
        found[str(r["group_id"])].append(str(r["member_id"]))
    # A record of which nothing but contacts was heard has no row of its own yet: it is a customer by itself.
    lone = await connection.fetch(
        """
        SELECT DISTINCT record_id FROM contact c WHERE record_id > $1 AND ($2::uuid IS NULL OR record_id <= $2)
          AND NOT EXISTS (SELECT FROM member WHERE member_id = c.record_id)
        """,
        after,
        last,
    )
    found |= {str(r["record_id"]): [str(r["record_id"])] for r in lone}
    return found, last


async def with_anything(connection: Connection, records: Iterable[str], *, priced: bool) -> set[str]:
    """Which of these records say anything of what somebody is worth; contacts where they cost something."""
    rows: list[Any] = await connection.fetch(
        """
        SELECT r FROM unnest($1::uuid[]) AS r WHERE EXISTS (SELECT FROM day WHERE record_id = r)
          OR EXISTS (SELECT FROM heard WHERE record_id = r AND said IS NOT NULL AND NOT withdrawn)
          OR ($2 AND EXISTS (SELECT FROM contact WHERE record_id = r))
        """,
        sorted(records),
        priced,
    )
    return {str(r["r"]) for r in rows}
