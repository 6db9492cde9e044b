"""Value's questions: what a customer is worth, now or as of then, and the book as a whole.

Owns reading SQL only; the policy and the rules are the lane's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import date
from itertools import zip_longest
from typing import Any
from zoneinfo import ZoneInfo

from schemas.envelope import moment_at, rfc3339
from services.runtime.postgres import Connection
from services.value.domain.contacts import Contact, cost_of
from services.value.domain.days import FIRST_DAY, LAST_DAY, day_of
from services.value.domain.entries import read_stored
from services.value.domain.ledger import Cell, Known, Looking, totals, worth
from services.value.domain.money import shown
from services.value.domain.orders import NEVER, WHOLE, Amounts, CellKey, Order, added, fold
from services.value.domain.past_tiers import tier_history
from services.value.domain.policy import Policy
from services.value.domain.statements import STATEMENTS_MAX, Statement, read_statement
from services.value.domain.summing import totalled
from services.value.domain.tiers import grade_of
from services.value.views import heavy

ORDERS_LISTED_MAX = 100
FOLDED_HERE_MAX = 500
"""Entries of one customer that are folded at once, between two turns of the loop."""

ENTRIES = """
    SELECT e.order_id, e.body FROM entry e WHERE NOT e.withdrawn AND e.order_id IN (
        SELECT order_id FROM orders WHERE owner = any($1::uuid[])
        UNION SELECT order_id FROM entry WHERE record_id = any($1::uuid[])
    )
"""

NAMED = "SELECT order_id, body FROM entry WHERE NOT withdrawn AND order_id = any($1::uuid[])"

GRADED = """
    SELECT m.group_id, sum(d.net - d.refunds)::bigint AS revenue, sum(d.orders)::bigint AS orders, s.grade
    FROM member m JOIN day d ON d.record_id = m.member_id LEFT JOIN standing s USING (group_id)
    WHERE d.area = '' AND d.currency = $1 GROUP BY m.group_id, s.grade
"""


async def value(
    connection: Connection, customer_id: str, policy: Policy, looking: Looking, as_of_us: int | None, now_us: int,
    folded_max: int = heavy.FOLDED_MAX,
) -> dict[str, Any] | None:  # fmt: skip
    """The customer's section with his orders, newest first; of events up to `as_of_us` (µs) only, when given.

    None for who has no records here. An order belongs to whom its owner belongs to today, also as of then. Raises
    heavy.TooMany for a time that is named, of who has more than `folded_max` orders.
    """
    members = {
        str(r["member_id"])
        for r in await connection.fetch("SELECT member_id FROM member WHERE group_id = $1", customer_id)
    }
    if not members:
        return None
    if await heavy.is_heavy(connection, sorted(members), folded_max):
        if as_of_us is not None:
            raise heavy.TooMany(f"of who has more than {folded_max} orders only today's value is worked out")
        newest, total = await heavy.newest(connection, sorted(members), ORDERS_LISTED_MAX)
        mine = _mine(await _orders(connection, NAMED, newest, looking.zone, None), members)
        so_far = await heavy.kept(connection, sorted(members))
    else:
        orders = await _orders(connection, ENTRIES, sorted(members), looking.zone, as_of_us)
        mine = _mine(orders, members)
        so_far, total = _so_far(orders, mine, members), len(mine)
    contacts = await _contacts(connection, sorted(members), as_of_us)
    known = Known(*so_far, contacts, await _said(connection, sorted(members), as_of_us))
    body = worth(known, policy, looking).body
    if body is not None:
        body["as_of"] = rfc3339(moment_at(now_us if as_of_us is None else as_of_us))
        body.pop("left_by", None)
    return {"value": body, "orders": [_shown(key, order) for _, key, order in mine[:ORDERS_LISTED_MAX]],
            "orders_total": total, "tier_history": tier_history(known, policy, looking.day)}  # fmt: skip


def _mine(orders: Sequence[tuple[str, Order]], members: Collection[str]) -> list[tuple[int, str, Order]]:
    """Those of these records, the newest first, by when they were ordered and their business key."""
    mine = [
        (order.ordered_us, key, order)
        for key, order in orders
        if order.owner in members and order.ordered_us is not None
    ]
    return sorted(mine, key=lambda o: (o[0], o[1]), reverse=True)


def _so_far(
    orders: Sequence[tuple[str, Order]], mine: Sequence[tuple[int, str, Order]], members: Collection[str]
) -> tuple[list[Cell], int | None, int | None]:
    """What these orders come to for these records, and when they ordered first and last (µs since 1970)."""
    cells: dict[CellKey, Amounts] = {}
    for _, order in orders:
        for key, amounts in order.cells.items():
            if key.record_id in members:
                cells[key] = added(cells.get(key, Amounts()), amounts)
    times = [ordered_us for ordered_us, _, order in mine if order.status != NEVER]
    rows = [Cell(k.day, k.area, k.currency, amounts) for k, amounts in cells.items()]
    return rows, min(times, default=None), max(times, default=None)


async def _contacts(connection: Connection, members: Sequence[str], as_of_us: int | None) -> list[Contact]:
    """Contacts of these records."""
    rows = await connection.fetch(
        """
        SELECT day, channel, direction, count(*), sum(seconds)::bigint FROM heard
        WHERE record_id = any($1::uuid[]) AND channel IS NOT NULL AND NOT withdrawn
          AND ($2::bigint IS NULL OR time_us <= $2)
        GROUP BY day, channel, direction
        """,
        members,
        as_of_us,
    )
    return [Contact(*r) for r in rows]


async def _said(connection: Connection, members: Sequence[str], as_of_us: int | None) -> list[Statement]:
    """What was stated of these records."""
    rows = await connection.fetch(
        """
        SELECT said FROM heard
        WHERE record_id = any($1::uuid[]) AND said IS NOT NULL AND NOT withdrawn
          AND ($2::bigint IS NULL OR time_us <= $2)
        ORDER BY time_us DESC, event_id LIMIT $3
        """,
        members,
        as_of_us,
        STATEMENTS_MAX,
    )
    return [read_statement(r["said"]) for r in rows]


async def _orders(
    connection: Connection, sql: str, ids: Sequence[Any], zone: ZoneInfo, as_of_us: int | None
) -> list[tuple[str, Order]]:
    """(business key, order) of what the statement finds: of all these records had a part in, or of these orders."""
    rows = await connection.fetch(sql, ids)

    def folded() -> list[tuple[str, Order]]:
        entries: dict[Any, list[Any]] = {}
        for r in rows:
            entry = read_stored(r["body"])
            if as_of_us is None or entry.time_us <= as_of_us:
                entries.setdefault(r["order_id"], []).append(entry)
        return [(those[0].key, fold(those, zone)) for those in entries.values()]

    # Of many in a thread: others want answers meanwhile.
    return await asyncio.to_thread(folded) if len(rows) > FOLDED_HERE_MAX else folded()


def _shown(key: str, order: Order) -> dict[str, Any]:
    kind, _, rest = key.partition(":")
    namespace, _, sent_id = rest.partition(":")
    currency = order.currency or ""
    whole = Amounts()
    for cell, amounts in order.cells.items():
        if cell.area == WHOLE and cell.currency == currency:
            whole = added(whole, amounts)
    return {
        "kind": kind,
        "namespace": namespace,
        "id": sent_id,
        "ordered_at": rfc3339(moment_at(order.ordered_us or 0)),
        "status": order.status,
        "currency": currency,
        "net": shown(whole.net, currency),
        "refunds": shown(whole.refunds, currency),
        "record_id": order.owner,
        "areas": sorted({cell.area for cell in order.cells if cell.area != WHOLE}),
        "told_otherwise": order.shadowed,
        "flags": list(order.flags),
    }


async def of_records(connection: Connection, records: Sequence[str]) -> list[dict[str, Any]]:
    """Revenue and orders of these records by currency."""
    rows = await connection.fetch(
        """
        SELECT currency, sum(net - refunds)::bigint AS revenue, sum(orders)::bigint AS orders FROM day
        WHERE record_id = any($1::uuid[]) AND area = '' GROUP BY currency ORDER BY currency
        """,
        records,
    )
    return [{"currency": c, "revenue": shown(revenue, c), "orders": orders} for c, revenue, orders in rows]


async def book(
    connection: Connection, policy: Policy, since: date | None = None, until: date | None = None
) -> dict[str, Any]:
    """All customers' money by currency, of business days from `since` to before `until`."""
    rows = await connection.fetch(
        """
        SELECT area, currency, sum(orders)::bigint, sum(net)::bigint, sum(paid)::bigint, sum(refunds)::bigint,
            sum(margin)::bigint, sum(unknown_net)::bigint, sum(cost)::bigint
        FROM day WHERE day >= $1 AND day < $2 GROUP BY area, currency
        """,
        FIRST_DAY if since is None else day_of(since),
        LAST_DAY if until is None else day_of(until),
    )
    costs = await _costs(connection, policy, since, until)
    sums = totals([*(Cell(0, r[0], r[1], Amounts(*list(r)[2:])) for r in rows), costs])
    return {
        "from": since and since.isoformat(),
        "to": until and until.isoformat(),
        "totals": [
            {"currency": currency, **totalled(s, currency, policy), "margin_estimated": s.is_estimated}
            for currency, s in sums.items()
        ],
    }


async def _costs(connection: Connection, policy: Policy, since: date | None, until: date | None) -> Cell:
    """What contacts of these days cost, all together, as a row of the reporting currency."""
    rows = []
    if policy.prices:
        rows = await connection.fetch(
            """
            SELECT channel, direction, sum(pieces)::bigint AS pieces, sum(seconds)::bigint AS seconds FROM contact
            WHERE day >= $1 AND day < $2 GROUP BY channel, direction
            """,
            FIRST_DAY if since is None else day_of(since),
            LAST_DAY if until is None else day_of(until),
        )
    cost = sum(cost_of(r["channel"], r["direction"], r["pieces"], r["seconds"], policy) for r in rows)
    return Cell(0, WHOLE, policy.reporting_currency, Amounts(cost=cost))


async def tiers(connection: Connection, policy: Policy, policy_number: int) -> dict[str, Any]:
    """How many customers are in each grade, what they brought in the reporting currency, and what it is for.

    By a model with cut-offs the grades are those that silence keeps up to date; else revenue tells.
    """
    rows = await connection.fetch(GRADED, policy.reporting_currency)
    found = {grade.name: [0, 0, 0] for grade in policy.grades}
    for r in rows:
        name = grade_of(r["revenue"], policy).name
        if policy.cut_offs:
            name = r["grade"] if r["grade"] in found else policy.grades[-1].name
        of_grade = found[name]
        of_grade[0] += 1
        of_grade[1] += r["revenue"]
        of_grade[2] += r["orders"]
    currency = policy.reporting_currency
    return {
        "currency": currency,
        "policy_number": policy_number,
        "model_version": policy.prediction.version if policy.cut_offs and policy.prediction else None,
        "grades": [
            {
                "grade": grade.name,
                "revenue_from": None if grade.revenue_from is None or policy.cut_offs
                else shown(grade.revenue_from, currency),
                "clv_from": shown(cut_off, currency) if cut_off is not None else None,
                "purpose": grade.purpose,
                "customers": found[grade.name][0],
                "revenue": shown(found[grade.name][1], currency),
                "orders": found[grade.name][2],
            }
            for grade, cut_off in zip_longest(policy.grades, policy.cut_offs)
        ],
    }  # fmt: skip
