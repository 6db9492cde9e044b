"""Questions on all customers at once: the book of business.

Owns reading sums per customer; what they say is domain/book.py. What a model makes of everybody is foreseeing.py's.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from services.runtime.postgres import Connection
from services.value.domain import book
from services.value.domain.days import FIRST_DAY, LAST_DAY, YEAR_DAYS, day_of
from services.value.domain.money import shown
from services.value.domain.policy import Policy
from services.value.domain.tiers import grade_of
from services.value.views import foreseeing

REVENUE = """
    SELECT m.group_id, sum(d.net - d.refunds)::bigint AS revenue
    FROM member m JOIN day d ON d.record_id = m.member_id
    WHERE d.area = '' AND d.currency = $1 AND d.day >= $2 AND d.day < $3 GROUP BY m.group_id
"""


async def _revenue(connection: Connection, policy: Policy, since: int, until: int) -> dict[str, int]:
    rows = await connection.fetch(REVENUE, policy.reporting_currency, since, until)
    return {str(r["group_id"]): r["revenue"] for r in rows}


async def pareto(connection: Connection, policy: Policy, until: date | None) -> dict[str, Any]:
    """Who brings most of the revenue of the reporting currency, up to before a day."""
    found = await _revenue(connection, policy, FIRST_DAY, LAST_DAY if until is None else day_of(until))
    return book.pareto(found.values(), policy.reporting_currency)


async def migration(connection: Connection, policy: Policy, since: date, until: date) -> dict[str, Any]:
    """Who was in which grade before each of the two days."""
    before, after = [await _grades(connection, policy, day_of(day)) for day in (since, until)]
    return {"from": since.isoformat(), "to": until.isoformat(), **book.migration(before, after, policy)}


async def _grades(connection: Connection, policy: Policy, before: int) -> dict[str, str]:
    """Customer → his grade on the day before: what he bought by then, by the policy in force."""
    revenue = await _revenue(connection, policy, FIRST_DAY, before)
    if not policy.cut_offs:
        return {customer: grade_of(amount, policy).name for customer, amount in revenue.items()}
    found = await foreseeing.grades(connection, policy, before - 1)
    return {customer: found.get(customer, policy.grades[-1].name) for customer in revenue}


async def _periods(connection: Connection, policy: Policy, since: date, until: date) -> list[book.Period]:
    first, end = day_of(since), day_of(until)
    begin = first - (end - first)
    now = await _revenue(connection, policy, first, end)
    before = await _revenue(connection, policy, begin, first)
    earlier = await _revenue(connection, policy, FIRST_DAY, begin)
    return [book.Period(now.get(c, 0), before.get(c, 0), c in earlier) for c in sorted(now.keys() | before.keys())]


async def growth(connection: Connection, policy: Policy, since: date, until: date) -> dict[str, Any]:
    """Where the difference to the period before, as long, came from; and what came of areas new to a customer."""
    found = book.growth(await _periods(connection, policy, since, until), policy.reporting_currency)
    (row,) = await connection.fetch(NEW_AREAS, policy.reporting_currency, day_of(since), day_of(until))
    new = {"customers": row["customers"], "revenue": shown(row["revenue"], policy.reporting_currency)}
    return {"from": since.isoformat(), "to": until.isoformat(), **found, "new_areas": new}


LEFT = """
    SELECT s.left_day, s.cause, coalesce(sum(d.net - d.refunds), 0)::bigint AS brought
    FROM standing s
    JOIN member m USING (group_id)
    LEFT JOIN day d ON d.record_id = m.member_id AND d.area = '' AND d.currency = $1
        AND d.day > s.left_day - $4 AND d.day <= s.left_day
    WHERE s.left_day >= $2 AND s.left_day < $3 GROUP BY s.group_id
"""


async def churn(connection: Connection, policy: Policy, since: date, until: date) -> dict[str, Any]:
    """Who left from a day to before another, by cause and month; with what they brought in the year before."""
    rows = await connection.fetch(LEFT, policy.reporting_currency, day_of(since), day_of(until), YEAR_DAYS)
    found = book.churn([book.Left(*r) for r in rows], policy.reporting_currency)
    return {"from": since.isoformat(), "to": until.isoformat(), **found}


NEW_AREAS = """
    WITH areas AS (
        SELECT m.group_id, sum(d.net - d.refunds) FILTER (WHERE d.day >= $2) AS now, bool_or(d.day < $2) AS known,
            bool_or(bool_or(d.day < $2)) OVER (PARTITION BY m.group_id) AS is_old
        FROM member m JOIN day d ON d.record_id = m.member_id
        WHERE d.area <> '' AND d.currency = $1 AND d.day < $3 GROUP BY m.group_id, d.area
    )
    SELECT count(DISTINCT group_id) AS customers, coalesce(sum(now), 0)::bigint AS revenue FROM areas
    WHERE is_old AND NOT known AND now <> 0
"""


async def what_if(connection: Connection, policy: Policy, since: date, until: date, kept: Decimal) -> dict[str, Any]:
    """What keeping a share of those lost since the period before would have been worth."""
    periods = await _periods(connection, policy, since, until)
    found = book.what_if(periods, kept, policy.reporting_currency)
    return {"from": since.isoformat(), "to": until.isoformat(), **found}
