"""The ledger: a customer's rows combined into what he is worth so far, to come, and could be.

Owns the shape of value's section, and what of it the store keeps beside (`Mark`). Pure: a function of the rows of all
his records, the policy and the day, so rows of any records in any order give the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from schemas.envelope import moment_at, rfc3339
from services.value.domain import grouping, leaving, strategy
from services.value.domain.contacts import Contact, cost_cells
from services.value.domain.days import begins_us, date_of
from services.value.domain.orders import WHOLE
from services.value.domain.policy import Policy
from services.value.domain.prediction import told
from services.value.domain.standing import NOTHING, Standing, standing_of
from services.value.domain.statements import Statement
from services.value.domain.summing import Cell, Summary, actual, totalled, totals
from services.value.domain.tiers import Ranks, actual_rank, by_course, by_revenue

__all__ = ["Cell", "Known", "Looking", "Mark", "Worth", "section", "totals", "worth"]

NO_DAY = (0, 0, 0)


class Known(msgspec.Struct, frozen=True):
    """All that is kept of one customer's records.

    `first_us` and `last_us` are his first and last order in µs since 1970, None without an order.
    """

    rows: Sequence[Cell]
    first_us: int | None = None
    last_us: int | None = None
    contacts: Sequence[Contact] = ()
    said: Sequence[Statement] = ()


class Looking(msgspec.Struct, frozen=True):
    """On which business day a customer is looked at, in which zone.

    `is_answer`: what is to come is told as of this day, `horizon_days` ahead (0: the model's own); else as of the
    last day on which anything about him changed, which is what the section says until something does.
    """

    day: int
    zone: ZoneInfo | Any = UTC
    is_answer: bool = False
    horizon_days: int = 0


class Mark(NamedTuple):
    """What is kept of a customer beside what is told of him, so that lists need not look at everybody.

    `day`: as of which his section is. `left_day`: since when he is lapsed or defected, `cause`: why, where that is
    known. `next_look`: the day on which silence changes his section; None: no day.
    """

    day: int
    grade: str
    state: str | None
    left_day: int | None
    cause: str | None
    next_look: int | None


class Worth(NamedTuple):
    """The section, and the mark of whom silence moves; both None of whom nothing is known.

    Beside its public parts the section of who defected has `left_by`: the events by which he left.
    """

    body: dict[str, Any] | None
    mark: Mark | None


def section(rows: Iterable[Cell], policy: Policy, first_us: int | None, last_us: int | None) -> dict[str, Any] | None:
    """What a customer with these rows is worth so far; without a day nothing is said of what is to come."""
    return worth(Known(list(rows), first_us, last_us), policy, None).body


def worth(known: Known, policy: Policy, looking: Looking | None) -> Worth:
    """What the customer is worth."""
    costs = cost_cells(known.contacts, policy)
    cells = [*known.rows, *costs]
    sums = totals(cells)
    standing = NOTHING if looking is None else standing_of(known.said, cells, policy, looking.day, looking.zone)
    if not sums and not standing.is_stated:
        return Worth(None, None)
    currency = _own_currency((totals(known.rows) or sums) if costs else sums, policy)
    day = standing.day_told(looking.day if looking is not None and looking.is_answer else None)
    predicted = _to_come(standing, policy, looking, day) if currency == policy.reporting_currency else None
    body: dict[str, Any] = {
        "currency": currency,
        "as_of": None if standing.looked is None else date_of(day).isoformat(),
        "actual": actual([cell for cell in cells if cell.currency == currency], sums.get(currency, Summary()),
                         currency, policy, known.first_us, known.last_us),
        "other_currencies": [
            {"currency": code, **totalled(summary, code, policy)}
            for code, summary in sums.items()
            if code != currency
        ],
        "predicted": predicted,
        "strategic": None if standing.strategic is None else strategy.told(standing.strategic, policy, day),
        "tier": _tier(cells, sums, policy, standing, day),
        "churn": None if standing.leaving is None
        else leaving.told(standing.leaving, None if predicted is None else predicted["alive_probability"]),
        "group": grouping.told(policy.groups, sums.values(), known.said),
        "next": None,
    }  # fmt: skip
    if standing.leaving is not None and standing.leaving.words:
        body["left_by"] = list(standing.leaving.words)
    return Worth(body, _mark(standing, policy))


def _own_currency(sums: dict[str, Summary], policy: Policy) -> str:
    """The reporting currency if anything is in it, or nothing in any; else that of most days, then the smaller."""
    if not sums or policy.reporting_currency in sums:
        return policy.reporting_currency
    return min(sums, key=lambda code: (-len(sums[code].days), code))


def _to_come(standing: Standing, policy: Policy, looking: Looking | None, day: int) -> dict[str, Any] | None:
    prediction, of = policy.prediction, standing.prospect
    if prediction is None or of is None or looking is None:
        return None
    if looking.horizon_days:
        prediction = prediction.looking(float(looking.horizon_days))
        of = prediction.prospect(of.sums)
    return told(of, policy.reporting_currency, prediction, day)


def _tier(
    cells: Iterable[Cell], sums: dict[str, Summary], policy: Policy, standing: Standing, day: int
) -> dict[str, Any]:
    """By what is to come where the model has cut-offs, else by what was bought, in the reporting currency."""
    contribution = sums.get(policy.reporting_currency, Summary()).contribution(policy)
    ranks = Ranks(actual_rank(contribution, policy), standing.rank(day))
    place = standing.place
    if place is not None and policy.cut_offs:
        drop = None if place.drop is None else rfc3339(moment_at(begins_us(place.drop, standing.zone)))
        return by_course(place, drop, ranks, policy)
    return by_revenue(revenue_by_day(cells, policy.reporting_currency), ranks, policy)


def revenue_by_day(cells: Iterable[Cell], reporting: str) -> dict[int, int]:
    """Revenue of the days on which anything was bought or went back, of all his records together."""
    days: dict[int, tuple[int, int, int]] = {}
    for on, area, currency, amounts in cells:
        if area == WHOLE and currency == reporting:
            orders, net, refunds = days.get(on, NO_DAY)
            days[on] = orders + amounts.orders, net + amounts.net, refunds + amounts.refunds
    return {on: net - refunds for on, (orders, net, refunds) in days.items() if orders or net or refunds}


def _mark(standing: Standing, policy: Policy) -> Mark | None:
    gone, place = standing.leaving, standing.place
    if standing.looked is None or (standing.prospect is None and not standing.is_stated):
        return None
    grade = policy.grades[place.grade].name if place is not None and policy.cut_offs else ""
    state, cause = (None, None) if gone is None else (gone.state, gone.cause)
    left = None if gone is None else gone.left_day
    return Mark(standing.looked, grade, state, left, None if cause is None else cause.cause, standing.next_look)
