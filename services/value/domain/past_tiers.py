"""Past tiers: the grades a customer was in, since when each, and what brought him there.

Owns how that is told. By the policy in force, which is what his tier of today is by; nothing remembers what was told
then. A function of (rows, policy, day): the newest of them is his tier. Pure.
"""

from __future__ import annotations

from typing import Any

from services.value.domain.contacts import cost_cells
from services.value.domain.course import BOOKING, Course, Step
from services.value.domain.days import date_of
from services.value.domain.ledger import Known, revenue_by_day
from services.value.domain.policy import Policy
from services.value.domain.standing import bookings_of
from services.value.domain.tiers import grade_of

STEPS_MAX = 50
"""The newest changes that are told."""


def tier_history(known: Known, policy: Policy, day: int) -> list[dict[str, Any]]:
    """The changes of his grade up to a business day, the newest first; none of who never bought anything."""
    cells = [*known.rows, *cost_cells(known.contacts, policy)]
    steps = _by_course(cells, policy, day) if policy.cut_offs else _by_revenue(cells, policy)
    return [
        {"grade": policy.grades[one.grade].name, "since": date_of(one.day).isoformat(), "because": one.because}
        for one in steps[: -STEPS_MAX - 1 : -1]
    ]


def _by_course(cells: list[Any], policy: Policy, day: int) -> list[Step]:
    bookings = bookings_of(cells, policy)
    if policy.prediction is None or not bookings:
        return []
    return Course(bookings, policy.prediction, policy.cut_offs).steps(max(day, bookings[-1].day))


def _by_revenue(cells: list[Any], policy: Policy) -> list[Step]:
    found: list[Step] = []
    reached = 0
    revenue = revenue_by_day(cells, policy.reporting_currency)
    for day in sorted(revenue):
        reached += revenue[day]
        grade = policy.grades.index(grade_of(reached, policy))
        if not found or found[-1].grade != grade:
            found.append(Step(day, grade, BOOKING if found else None))
    return found
