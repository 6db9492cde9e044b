"""What a model makes of all customers at once: scores, grades, and what a model is fitted on.

Owns reading their sums up to a day; what is made of them is domain/models and domain/fitting.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from services.runtime.postgres import Connection
from services.value.domain import grouping
from services.value.domain.days import date_of
from services.value.domain.fitting import Days, fitted, ranks
from services.value.domain.models.groups import CUSTOMERS_MAX
from services.value.domain.models.ledgers import ALIVE_DIGITS, Sums
from services.value.domain.policy import Policy
from services.value.domain.policy_parts import DEFAULT_AREA, RATE_UNIT
from services.value.domain.prediction import PURCHASES_DIGITS, Prediction
from services.value.domain.statements import Statement, read_statement

SCORED_AT_ONCE = 20_000

BOUGHT = """
    SELECT m.group_id, d.day, sum(d.net)::bigint AS net FROM member m JOIN day d ON d.record_id = m.member_id
    WHERE d.area = '' AND d.currency = $1 AND d.day <= $2
    GROUP BY m.group_id, d.day HAVING sum(d.orders) > 0 ORDER BY m.group_id, d.day
"""
SUMS = """
    WITH days AS (
        SELECT m.group_id, d.day, sum(d.orders) FILTER (WHERE d.area = '') AS orders,
            sum(d.net) FILTER (WHERE d.area = '') AS net, sum(d.refunds) FILTER (WHERE d.area = '') AS refunds,
            sum(d.margin - d.cost) + sum(d.unknown_net * coalesce(r.rate, $5)) / $6 AS margin
        FROM member m JOIN day d ON d.record_id = m.member_id
        LEFT JOIN unnest($3::text[], $4::bigint[]) AS r (area, rate) ON r.area = d.area
        WHERE d.currency = $1 AND d.day <= $2 AND ($7::uuid[] IS NULL OR m.group_id = any($7))
        GROUP BY m.group_id, d.day
    ), contacts AS (
        SELECT m.group_id, round(sum(c.pieces * p.piece + c.seconds * p.minute / 60.0)) AS cost
        FROM member m JOIN contact c ON c.record_id = m.member_id
        JOIN unnest($8::text[], $9::text[], $10::numeric[], $11::numeric[]) AS p (channel, direction, piece, minute)
            USING (channel, direction)
        WHERE c.day <= $2 AND ($7::uuid[] IS NULL OR m.group_id = any($7)) GROUP BY m.group_id
    )
    SELECT group_id, count(*) FILTER (WHERE orders > 0) AS bought, min(day) FILTER (WHERE orders > 0) AS first_day,
        max(day) FILTER (WHERE orders > 0) AS last_day,
        sum(net) FILTER (WHERE orders > 0)
            - (array_agg(net ORDER BY day) FILTER (WHERE orders > 0))[1] AS after_first,
        sum(net) AS gross, sum(refunds) AS refunds, round(sum(margin)) - coalesce(max(cost), 0) AS margin
    FROM days LEFT JOIN contacts USING (group_id)
    GROUP BY group_id HAVING count(*) FILTER (WHERE orders > 0) > 0 ORDER BY group_id
"""


async def sums(
    connection: Connection, policy: Policy, as_of_day: int, customers: Sequence[str] | None = None
) -> dict[str, Sums]:
    """Customer → what he bought in the reporting currency by that day, of who bought anything; by id."""
    rates = sorted(policy.margin_rates.items())
    prices = sorted(policy.prices.items())
    rows = await connection.fetch(
        SUMS,
        policy.reporting_currency,
        as_of_day,
        [area for area, _ in rates],
        [rate for _, rate in rates],
        Decimal(policy.margin_rate(DEFAULT_AREA)),
        Decimal(RATE_UNIT),
        customers,
        *([key[part] for key, _ in prices] for part in range(2)),
        *([Decimal(price[part]) for _, price in prices] for part in range(2)),
    )
    return {str(r[0]): Sums(*(int(part or 0) for part in list(r)[1:])) for r in rows}


async def grades(connection: Connection, policy: Policy, as_of_day: int) -> dict[str, str]:
    """Customer → the grade that the model in force gives him on that day, of who had bought by then."""
    prediction = policy.prediction
    if prediction is None:
        return {}
    found = await sums(connection, policy, as_of_day)
    ranked = await asyncio.to_thread(ranks, list(found.values()), prediction, policy.cut_offs, as_of_day)
    return {customer: policy.grades[rank].name for customer, rank in zip(found, ranked, strict=True)}


async def fit(connection: Connection, document: dict[str, Any], policy: Policy, as_of_day: int) -> dict[str, Any]:
    """The policy in force with a model fitted on the ledger. Raises fitting.TooLittle."""
    rows = await connection.fetch(BOUGHT, policy.reporting_currency, as_of_day)
    found = await sums(connection, policy, as_of_day)
    numbers: dict[Any, int] = {}
    customers = [numbers.setdefault(r["group_id"], len(numbers)) for r in rows]
    days = Days(customers, [r["day"] for r in rows], [r["net"] for r in rows], list(found.values()))
    # In a thread: it takes seconds for a million customers, and others want answers meanwhile.
    return await asyncio.to_thread(fitted, days, document, policy, as_of_day)


AREAS = """
    SELECT m.group_id, d.area, sum(d.orders)::bigint AS orders
    FROM member m JOIN day d ON d.record_id = m.member_id
    WHERE d.area <> '' AND m.group_id IN (
        SELECT DISTINCT group_id FROM member m JOIN day d ON d.record_id = m.member_id ORDER BY group_id LIMIT $1
    )
    GROUP BY m.group_id, d.area
"""
RHYTHM = """
    SELECT m.group_id, array_agg(DISTINCT d.day) FILTER (WHERE d.orders > 0) AS days, sum(d.refunds) > 0 AS sent_back
    FROM member m JOIN day d ON d.record_id = m.member_id
    WHERE d.area = '' AND m.group_id = any($1::uuid[])
    GROUP BY m.group_id
"""
NEEDS = """
    SELECT m.group_id, h.said FROM heard h JOIN member m ON m.member_id = h.record_id
    WHERE h.said IS NOT NULL AND NOT h.withdrawn AND m.group_id = any($1::uuid[])
"""


async def grouped(connection: Connection, document: dict[str, Any], policy: Policy) -> dict[str, Any]:
    """The policy in force with needs groups learnt of what customers bought and stated; of many, of some of them."""
    areas: dict[str, dict[str, int]] = {}
    for r in await connection.fetch(AREAS, CUSTOMERS_MAX):
        areas.setdefault(str(r["group_id"]), {})[r["area"]] = r["orders"]
    said: dict[str, list[Statement]] = {}
    for r in await connection.fetch(NEEDS, list(areas)):
        said.setdefault(str(r["group_id"]), []).append(read_statement(r["said"]))
    how = {
        str(r["group_id"]): grouping.behaving(r["days"] or (), sent_back=r["sent_back"])
        for r in await connection.fetch(RHYTHM, list(areas))
    }
    customers = [
        grouping.Speaking(grouping.speaking(areas[one], said.get(one, ())), how.get(one, {})) for one in sorted(areas)
    ]
    version = 1 + (policy.groups.version if policy.groups is not None else 0)
    return await asyncio.to_thread(grouping.proposed, document, customers, version)


async def scores(
    connection: Connection, policy: Policy, prediction: Prediction, as_of_day: int, customers: Sequence[str] | None
) -> AsyncIterator[list[dict[str, Any]]]:
    """Scores of everybody who bought by then, or of these customers, some at a time; by customer id."""
    found = await sums(connection, policy, as_of_day, customers)
    ids = list(found)
    for start in range(0, len(ids), SCORED_AT_ONCE):
        some = {customer: found[customer] for customer in ids[start : start + SCORED_AT_ONCE]}
        yield await asyncio.to_thread(_scored, some, prediction, as_of_day)


def _scored(of: dict[str, Sums], prediction: Prediction, as_of_day: int) -> list[dict[str, Any]]:
    found = prediction.worths(list(of.values()), as_of_day)
    columns = (of, np.round(found.alive, ALIVE_DIGITS), np.round(found.purchases, PURCHASES_DIGITS), found.clv)
    return [
        {
            "customer_id": customer,
            "as_of": date_of(as_of_day).isoformat(),
            "model_version": prediction.version,
            "alive_probability": float(alive),
            "expected_purchases": float(expected),
            "clv": str(Decimal(int(value)).scaleb(-4).quantize(Decimal("0.01"))),
        }
        for customer, alive, expected, value in zip(*columns, strict=True)
    ]
