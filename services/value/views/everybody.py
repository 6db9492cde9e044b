"""Questions on all customers at once: the book of business, scores, and what a model is fitted on.

Owns reading sums per customer; what they say is domain/book.py, prediction.py and fitting.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np

from services.runtime.postgres import Connection
from services.value.domain import book
from services.value.domain.days import date_of, day_of
from services.value.domain.fitting import Days, fitted
from services.value.domain.models.scoring import scored
from services.value.domain.policy import Policy
from services.value.domain.prediction import ALIVE_DIGITS, PURCHASES_DIGITS, Prediction

SCORED_AT_ONCE = 20_000

REVENUE = """
    SELECT m.group_id, sum(d.net - d.refunds)::bigint AS revenue
    FROM member m JOIN day d ON d.record_id = m.member_id
    WHERE d.area = '' AND d.currency = $1 AND d.day >= $2 AND d.day < $3 GROUP BY m.group_id
"""
FIRST_DAY, LAST_DAY = -(2**31), 2**31 - 1


async def _revenue(connection: Connection, policy: Policy, since: int, until: int) -> dict[str, int]:
    rows = await connection.fetch(REVENUE, policy.reporting_currency, since, until)
    return {str(r["group_id"]): r["revenue"] for r in rows}


async def pareto(connection: Connection, policy: Policy, until: date | None) -> dict[str, Any]:
    """Who brings most of the revenue of the reporting currency, up to before a day."""
    found = await _revenue(connection, policy, FIRST_DAY, LAST_DAY if until is None else day_of(until))
    return book.pareto(found.values(), policy.reporting_currency)


async def migration(connection: Connection, policy: Policy, since: date, until: date) -> dict[str, Any]:
    """Who was in which grade before each of the two days."""
    before = await _revenue(connection, policy, FIRST_DAY, day_of(since))
    after = await _revenue(connection, policy, FIRST_DAY, day_of(until))
    return {"from": since.isoformat(), "to": until.isoformat(), **book.migration(before, after, policy)}


async def _periods(connection: Connection, policy: Policy, since: date, until: date) -> list[book.Period]:
    first, end = day_of(since), day_of(until)
    begin = first - (end - first)
    now = await _revenue(connection, policy, first, end)
    before = await _revenue(connection, policy, begin, first)
    earlier = await _revenue(connection, policy, FIRST_DAY, begin)
    return [book.Period(now.get(c, 0), before.get(c, 0), c in earlier) for c in sorted(now.keys() | before.keys())]


async def growth(connection: Connection, policy: Policy, since: date, until: date) -> dict[str, Any]:
    """Where the difference to the period before, which is as long, came from."""
    found = book.growth(await _periods(connection, policy, since, until), policy.reporting_currency)
    return {"from": since.isoformat(), "to": until.isoformat(), **found}


async def what_if(connection: Connection, policy: Policy, since: date, until: date, kept: Decimal) -> dict[str, Any]:
    """What keeping a share of those lost since the period before would have been worth."""
    periods = await _periods(connection, policy, since, until)
    found = book.what_if(periods, kept, policy.reporting_currency)
    return {"from": since.isoformat(), "to": until.isoformat(), **found}


# -- models ----------------------------------------------------------------------------------------------------------

BOUGHT = """
    SELECT m.group_id, d.day, sum(d.net)::bigint AS net FROM member m JOIN day d ON d.record_id = m.member_id
    WHERE d.area = '' AND d.currency = $1 AND d.day <= $2 AND ($3::uuid[] IS NULL OR m.group_id = any($3))
    GROUP BY m.group_id, d.day HAVING sum(d.orders) > 0 ORDER BY m.group_id, d.day
"""
REST = """
    SELECT coalesce(sum(refunds), 0)::bigint AS refunds, coalesce(sum(margin), 0)::bigint AS margin,
        coalesce(sum(unknown_net), 0)::bigint AS unknown
    FROM day WHERE currency = $1 AND area {0} ''
"""


async def fit(connection: Connection, document: dict[str, Any], policy: Policy, as_of_day: int) -> dict[str, Any]:
    """The policy in force with a model fitted on the ledger. Raises fitting.TooLittle."""
    rows = await connection.fetch(BOUGHT, policy.reporting_currency, as_of_day, None)
    (whole,) = await connection.fetch(REST.format("="), policy.reporting_currency)
    (areas,) = await connection.fetch(REST.format("<>"), policy.reporting_currency)
    numbers: dict[Any, int] = {}
    customers = [numbers.setdefault(r["group_id"], len(numbers)) for r in rows]
    estimated = areas["unknown"] * policy.margin_rate("default") // 10**6
    days = Days(
        customers, [r["day"] for r in rows], [r["net"] for r in rows], whole["refunds"], areas["margin"] + estimated
    )
    # In a thread: it takes seconds for a million customers, and others want answers meanwhile.
    return await asyncio.to_thread(fitted, days, document, policy.prediction, as_of_day)


async def scores(
    connection: Connection, policy: Policy, prediction: Prediction, as_of_day: int, customers: Sequence[str] | None
) -> AsyncIterator[list[dict[str, Any]]]:
    """Scores of everybody who bought by then, or of these customers, some at a time; by customer id."""
    rows = await connection.fetch(BOUGHT, policy.reporting_currency, as_of_day, customers)
    each: dict[str, list[tuple[int, int]]] = {}
    for r in rows:
        each.setdefault(str(r["group_id"]), []).append((r["day"], r["net"]))
    ids = list(each)
    for start in range(0, len(ids), SCORED_AT_ONCE):
        some = ids[start : start + SCORED_AT_ONCE]
        yield await asyncio.to_thread(_scored, {c: each[c] for c in some}, prediction, as_of_day)


def _scored(bought: dict[str, list[tuple[int, int]]], prediction: Prediction, as_of_day: int) -> list[dict[str, Any]]:
    days = list(bought.values())
    x = np.array([len(one) - 1 for one in days], dtype=np.int64)
    recency = np.array([one[-1][0] - one[0][0] for one in days], dtype=np.int64)
    age = np.array([as_of_day - one[0][0] for one in days], dtype=np.int64)
    found = scored(prediction.buying, x, recency, age, prediction.terms)
    later = np.array([sum(net for _, net in one[1:]) for one in days], dtype=np.float64)
    spend = prediction.spend.expected(x.astype(np.float64), later)
    worth = found.discounted * spend * (1 - prediction.returned) * prediction.margin
    return [
        {
            "customer_id": customer,
            "as_of": date_of(as_of_day).isoformat(),
            "model_version": prediction.version,
            "alive_probability": round(float(alive), ALIVE_DIGITS),
            "expected_purchases": round(float(expected), PURCHASES_DIGITS),
            "clv": str(Decimal(round(float(value))).scaleb(-4).quantize(Decimal("0.01"))),
        }
        for customer, alive, expected, value in zip(bought, found.alive, found.expected, worth, strict=True)
    ]
