"""Value's questions: what a customer is worth, now or as of then, and the book as a whole.

Owns reading SQL only; the policy and the rules are the lane's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from schemas.envelope import moment_at, rfc3339
from services.runtime.postgres import Connection
from services.value.domain.entries import read_stored
from services.value.domain.ledger import Cell, section, totals
from services.value.domain.money import shown
from services.value.domain.orders import NEVER, WHOLE, Amounts, CellKey, Order, added, fold
from services.value.domain.policy import Policy
from services.value.domain.tiers import grade_of

ORDERS_LISTED_MAX = 100
_EPOCH = date(1970, 1, 1)

ENTRIES = """
    SELECT e.order_id, e.body FROM entry e WHERE NOT e.withdrawn AND e.order_id IN (
        SELECT order_id FROM orders WHERE owner = any($1::uuid[])
        UNION SELECT order_id FROM entry WHERE record_id = any($1::uuid[])
    )
"""


async def value(
    connection: Connection, customer_id: str, policy: Policy, zone: ZoneInfo, as_of_us: int | None, day: int
) -> dict[str, Any] | None:
    """The customer's section with his orders, newest first; of events up to `as_of_us` (µs) only, when given.

    `day`: the business day of what is predicted. None for who has no records here. An order belongs to whom its owner
    belongs to today, also as of then.
    """
    members = {
        str(r["member_id"])
        for r in await connection.fetch("SELECT member_id FROM member WHERE group_id = $1", customer_id)
    }
    if not members:
        return None
    orders = await _orders(connection, sorted(members), zone, as_of_us)
    cells: dict[CellKey, Amounts] = {}
    for _, order in orders:
        for key, amounts in order.cells.items():
            if key.record_id in members:
                cells[key] = added(cells.get(key, Amounts()), amounts)
    mine = [
        (order.ordered_us, key, order)
        for key, order in orders
        if order.owner in members and order.ordered_us is not None
    ]
    mine.sort(key=lambda o: (o[0], o[1]), reverse=True)
    times = [ordered_us for ordered_us, _, order in mine if order.status != NEVER]
    rows = [Cell(k.day, k.area, k.currency, amounts) for k, amounts in cells.items()]
    body = section(rows, policy, min(times, default=None), max(times, default=None), day)
    if body is not None and as_of_us is not None:
        body["as_of"] = rfc3339(moment_at(as_of_us))
    return {"value": body, "orders": [_shown(key, order) for _, key, order in mine[:ORDERS_LISTED_MAX]],
            "orders_total": len(mine)}  # fmt: skip


async def _orders(
    connection: Connection, members: Sequence[str], zone: ZoneInfo, as_of_us: int | None
) -> list[tuple[str, Order]]:
    """(business key, order) of everything these records had a part in."""
    entries: dict[Any, list[Any]] = {}
    for r in await connection.fetch(ENTRIES, members):
        entry = read_stored(r["body"])
        if as_of_us is None or entry.time_us <= as_of_us:
            entries.setdefault(r["order_id"], []).append(entry)
    return [(those[0].key, fold(those, zone)) for those in entries.values()]


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
        -(2**31) if since is None else (since - _EPOCH).days,
        2**31 - 1 if until is None else (until - _EPOCH).days,
    )
    sums = totals(Cell(0, r[0], r[1], Amounts(*list(r)[2:])) for r in rows)
    return {
        "from": since and since.isoformat(),
        "to": until and until.isoformat(),
        "totals": [
            {
                "currency": currency,
                "revenue": shown(s.revenue, currency),
                "refunds": shown(s.whole.refunds, currency),
                "margin": shown(s.margin(policy), currency),
                "margin_estimated": s.is_estimated,
                "cost_to_serve": shown(s.whole.cost, currency),
                "orders": s.whole.orders,
            }
            for currency, s in sums.items()
        ],
    }


async def tiers(connection: Connection, policy: Policy, policy_number: int) -> dict[str, Any]:
    """How many customers are in each grade, what they brought in the reporting currency, and what it is for."""
    rows = await connection.fetch(
        """
        SELECT sum(d.net - d.refunds)::bigint AS revenue, sum(d.orders)::bigint AS orders
        FROM member m JOIN day d ON d.record_id = m.member_id
        WHERE d.area = '' AND d.currency = $1 GROUP BY m.group_id
        """,
        policy.reporting_currency,
    )
    found = {grade.name: [0, 0, 0] for grade in policy.grades}
    for r in rows:
        of_grade = found[grade_of(r["revenue"], policy).name]
        of_grade[0] += 1
        of_grade[1] += r["revenue"]
        of_grade[2] += r["orders"]
    currency = policy.reporting_currency
    return {
        "currency": currency,
        "policy_number": policy_number,
        "grades": [
            {
                "grade": grade.name,
                "revenue_from": None if grade.revenue_from is None else shown(grade.revenue_from, currency),
                "purpose": grade.purpose,
                "customers": found[grade.name][0],
                "revenue": shown(found[grade.name][1], currency),
                "orders": found[grade.name][2],
            }
            for grade in policy.grades
        ],
    }
