"""Tiers: a customer's grade, its purpose, and since when; how much he contributed.

Owns where the policy's bounds put somebody. By revenue a function of his day totals; by what is to come course.py
finds the place, here it is told. No memory of earlier answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from services.value.domain.course import BOOKING, Place
from services.value.domain.days import date_of
from services.value.domain.policy import Grade, Policy


def grade_of(revenue: int, policy: Policy) -> Grade:
    """The grade of this revenue in 10⁻⁴ of the reporting currency's unit."""
    return next(g for g in policy.grades if g.revenue_from is None or revenue >= g.revenue_from)


def actual_rank(contribution: int, policy: Policy) -> str:
    """High, medium or low by what was earned with him so far (10⁻⁴ of the reporting currency)."""
    return "high" if contribution >= policy.high_from else "medium" if contribution >= policy.medium_from else "low"


class Ranks(NamedTuple):
    """High, medium or low by what was earned so far, and by what he could bring (unknown besides)."""

    actual: str
    strategic: str


def by_revenue(revenue_by_day: Mapping[int, int], ranks: Ranks, policy: Policy) -> dict[str, Any]:
    """The tier of revenue per business day (10⁻⁴ of the reporting currency).

    `since` is the day that brought him into his present grade to stay, None when he has no day at all; he is
    in the last grade before his first day.
    """
    reached = sum(revenue_by_day.values())
    present = grade_of(reached, policy) if revenue_by_day else policy.grades[-1]
    higher = policy.grades.index(present) - 1
    low, high = present.revenue_from, policy.grades[higher].revenue_from if higher >= 0 else None
    since, was = None, None
    for day in sorted(revenue_by_day, reverse=True):
        if (low is not None and reached < low) or (high is not None and reached >= high):
            was = grade_of(reached, policy).name
            break
        since = day
        reached -= revenue_by_day[day]
    return _told(present, ranks, policy, since, was, BOOKING, None)


def by_course(place: Place, next_drop_at: str | None, ranks: Ranks, policy: Policy) -> dict[str, Any]:
    """The tier of where the model puts him."""
    was = None if place.was is None else policy.grades[place.was].name
    return _told(policy.grades[place.grade], ranks, policy, place.since, was, place.because, next_drop_at)


def _told(
    grade: Grade,
    ranks: Ranks,
    policy: Policy,
    since: int | None,
    was: str | None,
    because: str,
    next_drop_at: str | None,
) -> dict[str, Any]:
    """`was`: the grade before, None where there was none; `because`: what brought him here, silence or a booking."""
    return {
        "grade": grade.name,
        "actual": ranks.actual,
        "strategic": ranks.strategic,
        "since": None if since is None else date_of(since).isoformat(),
        "was": was,
        "because": because if was is not None else None,
        "purpose": grade.purpose,
        "purposes": {
            "grade": grade.purpose,
            "actual": policy.purposes[ranks.actual],
            "strategic": policy.strategy.purposes[ranks.strategic],
        },
        "next_drop_at": next_drop_at,
        "policy_version": policy.version,
    }
