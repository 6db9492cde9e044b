"""Tiers: a customer's grade by revenue, its purpose, and since when; how much margin he brought.

Owns where the policy's cut-offs put somebody. A function of his day totals: no memory of earlier answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import Any

from services.value.domain.days import date_of
from services.value.domain.policy import Grade, Policy


def grade_of(revenue: int, policy: Policy) -> Grade:
    """The grade of this revenue in 10⁻⁴ of the reporting currency's unit."""
    return next(g for g in policy.grades if g.revenue_from is None or revenue >= g.revenue_from)


def tier(revenue_by_day: Mapping[int, int], margin: int, policy: Policy) -> dict[str, Any]:
    """The customer's tier, of revenue per business day and margin so far (10⁻⁴ of the reporting currency).

    `since` is the day that brought him into his present grade to stay, None when he has no day at all; he is
    in the last grade before his first day.
    """
    days = sorted(revenue_by_day)
    grades = [grade_of(revenue, policy) for revenue in accumulate(revenue_by_day[day] for day in days)]
    present = grades[-1] if grades else policy.grades[-1]
    since: int | None = None
    for day, grade in zip(reversed(days), reversed(grades), strict=True):
        if grade != present:
            break
        since = day
    actual = "high" if margin >= policy.high_from else "medium" if margin >= policy.medium_from else "low"
    return {
        "grade": present.name,
        "actual": actual,
        "strategic": "unknown",
        "since": None if since is None else date_of(since).isoformat(),
        "purpose": present.purpose,
        "next_drop_at": None,
        "policy_version": policy.version,
    }
