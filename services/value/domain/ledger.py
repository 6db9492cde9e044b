"""The ledger: a customer's day rows combined into what he is worth so far.

Owns the shape of value's section. Pure; sums only, so rows of any records in any order give the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from schemas.envelope import moment_at, rfc3339
from services.value.domain.days import date_of
from services.value.domain.money import divided, shown
from services.value.domain.orders import WHOLE, Amounts, added
from services.value.domain.policy import RATE_UNIT, Policy
from services.value.domain.prediction import churn_of, predicted, total_days
from services.value.domain.tiers import tier

AREAS_MAX = 50
MONTHS_MAX = 36
DAYS_REMEMBERED_MAX = 20_000


class Cell(NamedTuple):
    """A row of a record's days: days since 1970-01-01, the area (WHOLE: all of them), the currency."""

    day: int
    area: str
    currency: str
    amounts: Amounts


@dataclass(slots=True)
class Summary:
    """Sums of some rows of one currency; amounts are 10⁻⁴ of its unit.

    `whole` sums the rows of whole orders, `areas` those of each area. `days` are those with an order.
    """

    whole: Amounts = field(default_factory=Amounts)
    areas: dict[str, Amounts] = field(default_factory=dict)
    days: set[int] = field(default_factory=set)

    def add(self, cell: Cell) -> None:
        """Count a row in."""
        if cell.area == WHOLE:
            self.whole = added(self.whole, cell.amounts)
            if cell.amounts.orders > 0:
                self.days.add(cell.day)
        else:
            known = self.areas.get(cell.area)
            self.areas[cell.area] = cell.amounts if known is None else added(known, cell.amounts)

    @property
    def is_empty(self) -> bool:
        """Nothing was booked, or what was came to nothing."""
        return not any(self.whole) and not any(map(any, self.areas.values()))

    @property
    def revenue(self) -> int:
        """Net less what was refunded."""
        return self.whole.net - self.whole.refunds

    @property
    def is_estimated(self) -> bool:
        """Whether some of the margin rests on rates, or is missing for want of one."""
        return any(amounts.unknown_net for amounts in self.areas.values())

    def margin(self, policy: Policy) -> int:
        """Known margin, and the policy's rate of the revenue of unknown cost; rounded once, half-even."""
        known = sum(amounts.margin for amounts in self.areas.values())
        estimated = sum(a.unknown_net * policy.margin_rate(area) for area, a in self.areas.items())
        return known + divided(estimated, RATE_UNIT)


def totals(rows: Iterable[Cell]) -> dict[str, Summary]:
    """The sums by currency, of one customer's rows or of all; no currency whose sums are all 0."""
    return _summed((cell.currency, cell) for cell in rows)


def _summed(named: Iterable[tuple[str, Cell]]) -> dict[str, Summary]:
    """Sums by name, in the names' order, without empty ones."""
    found: dict[str, Summary] = {}
    for name, cell in named:
        summary = found.get(name)
        if summary is None:
            summary = found[name] = Summary()
        summary.add(cell)
    return {name: found[name] for name in sorted(found) if not found[name].is_empty}


def section(
    rows: Iterable[Cell], policy: Policy, first_us: int | None, last_us: int | None, as_of_day: int | None = None
) -> dict[str, Any] | None:
    """What the customer is worth, of the rows of all his records; None when there are none.

    `first_us` and `last_us` are his first and last order in µs since 1970, None without an order. `as_of_day`: the
    business day of what is predicted; without one, or without a promoted model, nothing is.
    """
    cells = list(rows)
    sums = totals(cells)
    if not sums:
        return None
    currency = _own_currency(sums, policy)
    mine = [cell for cell in cells if cell.currency == currency]
    to_come = _to_come(mine, sums[currency], policy, as_of_day) if currency == policy.reporting_currency else None
    return {
        "currency": currency,
        "as_of": None,
        "actual": {
            **_told(sums[currency], currency, policy),
            "margin_estimated": sums[currency].is_estimated,
            "days": len(sums[currency].days),
            "first_at": _moment(first_us),
            "last_at": _moment(last_us),
            "average_order": _average(sums[currency], currency),
            "by_area": _by_area(mine, sums[currency], currency, policy),
            "by_period": _by_period(mine, currency, policy),
        },
        "other_currencies": [
            {"currency": code, **_told(summary, code, policy)} for code, summary in sums.items() if code != currency
        ],
        "predicted": to_come,
        "strategic": None,
        "tier": _tier(cells, sums, policy),
        "churn": churn_of(to_come),
        "group": None,
        "next": None,
    }


def _to_come(cells: Iterable[Cell], sums: Summary, policy: Policy, as_of_day: int | None) -> dict[str, Any] | None:
    """By the policy's model, which was fitted on the reporting currency."""
    if policy.prediction is None or as_of_day is None:
        return None
    days = total_days((cell.day, cell.amounts) for cell in cells if cell.area == WHOLE)
    return predicted(days, sums.margin(policy), policy.reporting_currency, policy.prediction, as_of_day)


def _own_currency(sums: dict[str, Summary], policy: Policy) -> str:
    """The reporting currency if anything is in it, else that of most days, the smaller code of equals."""
    if policy.reporting_currency in sums:
        return policy.reporting_currency
    return min(sums, key=lambda code: (-len(sums[code].days), code))


def _tier(cells: Iterable[Cell], sums: dict[str, Summary], policy: Policy) -> dict[str, Any]:
    """By what was bought in the reporting currency; days on which nothing was bought or returned are none."""
    days: dict[int, Amounts] = {}
    for cell in cells:
        if cell.currency == policy.reporting_currency and cell.area == WHOLE:
            days[cell.day] = added(days.get(cell.day, Amounts()), cell.amounts)
    revenue = {day: a.net - a.refunds for day, a in days.items() if a.orders or a.net or a.refunds}
    return tier(revenue, sums.get(policy.reporting_currency, Summary()).margin(policy), policy)


def _told(summary: Summary, currency: str, policy: Policy) -> dict[str, Any]:
    return {
        "revenue": shown(summary.revenue, currency),
        "margin": shown(summary.margin(policy), currency),
        "refunds": shown(summary.whole.refunds, currency),
        "cost_to_serve": shown(summary.whole.cost, currency),
        "orders": summary.whole.orders,
    }


def _average(summary: Summary, currency: str) -> str | None:
    """Revenue per order; None without an order."""
    orders = summary.whole.orders
    return shown(divided(summary.revenue, orders), currency) if orders > 0 else None


def _by_area(cells: Sequence[Cell], summary: Summary, currency: str, policy: Policy) -> list[dict[str, Any]]:
    last: dict[str, int] = {}
    for cell in cells:
        if cell.area != WHOLE and cell.amounts.orders > 0:
            last[cell.area] = max(last.get(cell.area, cell.day), cell.day)
    revenue = {area: amounts.net - amounts.refunds for area, amounts in summary.areas.items() if any(amounts)}
    return [
        {
            "area": area,
            "revenue": shown(revenue[area], currency),
            "margin": shown(Summary(areas={area: summary.areas[area]}).margin(policy), currency),
            "orders": summary.areas[area].orders,
            "last_at": date_of(last[area]).isoformat() if area in last else None,
        }
        for area in sorted(revenue, key=lambda a: (-revenue[a], a))[:AREAS_MAX]
    ]


def _by_period(cells: Sequence[Cell], currency: str, policy: Policy) -> list[dict[str, Any]]:
    """The newest months in which anything was booked."""
    months = _summed((_month(cell.day), cell) for cell in cells)
    return [
        {"month": month, **_told(months[month], currency, policy)} for month in list(reversed(months))[:MONTHS_MAX]
    ]


@lru_cache(DAYS_REMEMBERED_MAX)
def _month(day: int) -> str:
    return date_of(day).isoformat()[:7]


def _moment(time_us: int | None) -> str | None:
    return None if time_us is None else rfc3339(moment_at(time_us))
