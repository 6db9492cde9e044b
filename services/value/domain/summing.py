"""Summing: day rows of one currency added up, as a whole, by area and by month, and how sums are told.

Owns the shape of value's `actual`. Pure; sums only, so rows of any records in any order give the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from schemas.envelope import moment_at, rfc3339
from services.value.domain.days import date_of
from services.value.domain.money import divided, shown
from services.value.domain.orders import WHOLE, Amounts, added
from services.value.domain.policy import RATE_UNIT, Policy
from services.value.domain.policy_parts import DEFAULT_AREA

AREAS_MAX = 50
MONTHS_MAX = 36
DAYS_REMEMBERED_MAX = 20_000


NOTHING = Amounts()


class Cell(NamedTuple):
    """A row of a record's days: days since 1970-01-01, the area (WHOLE: all of them), the currency."""

    day: int
    area: str
    currency: str
    amounts: Amounts


class Summary(msgspec.Struct):
    """Sums of some rows of one currency; amounts are 10⁻⁴ of its unit.

    `whole` sums the rows of whole orders, `areas` those of each area. `days` are those with an order. `priced`: the
    margins of the areas by a policy, kept while it is asked for again.
    """

    whole: Amounts = NOTHING
    areas: dict[str, Amounts] = {}
    days: set[int] = set()
    priced: tuple[Policy, dict[str, int]] | None = None

    def add(self, cell: Cell) -> None:
        """Count a row in."""
        day, area, _, amounts = cell
        self.priced = None
        if area == WHOLE:
            self.whole = amounts if self.whole is NOTHING else added(self.whole, amounts)
            if amounts.orders > 0:
                self.days.add(day)
        else:
            known = self.areas.get(area)
            self.areas[area] = amounts if known is None else added(known, amounts)

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
        return divided(sum(self.margins(policy).values()), RATE_UNIT)

    def margins(self, policy: Policy) -> dict[str, int]:
        """The margin of each area in 10⁻⁶ of an amount's unit."""
        if self.priced is None or self.priced[0] is not policy:
            rates = policy.margin_rates
            usual = rates.get(DEFAULT_AREA, 0)
            self.priced = (
                policy,
                {
                    area: amounts.margin * RATE_UNIT + amounts.unknown_net * rates.get(area, usual)
                    for area, amounts in self.areas.items()
                },
            )
        return self.priced[1]

    def contribution(self, policy: Policy) -> int:
        """What of the margin is left after what it cost to serve him."""
        return self.margin(policy) - self.whole.cost


def margin_parts(amounts: Amounts, policy: Policy, area: str) -> int:
    """An area's margin in 10⁻⁶ of an amount's unit: not rounded, so that parts add up."""
    known, unknown = amounts.margin * RATE_UNIT, amounts.unknown_net
    return known + unknown * policy.margin_rate(area) if unknown else known


def totals(rows: Iterable[Cell]) -> dict[str, Summary]:
    """The sums by currency, of one customer's rows or of all; no currency whose sums are all 0."""
    found: dict[str, Summary] = {}
    for cell in rows:
        summary = found.get(cell.currency)
        if summary is None:
            summary = found[cell.currency] = Summary()
        summary.add(cell)
    return {code: found[code] for code in sorted(found) if not found[code].is_empty}


def actual(
    cells: Sequence[Cell], sums: Summary, currency: str, policy: Policy, first_us: int | None, last_us: int | None
) -> dict[str, Any]:
    """What he brought in one currency; `cells` are those of it, and come to `sums`."""
    total = totalled(sums, currency, policy)
    return {
        **total,
        "margin_estimated": sums.is_estimated,
        "days": len(sums.days),
        "first_at": _moment(first_us),
        "last_at": _moment(last_us),
        "average_order": _average(sums, currency),
        "by_area": _by_area(cells, sums, currency, policy),
        "by_period": _by_period(cells, total, currency, policy, is_nothing=sums.is_empty),
    }


def totalled(summary: Summary, currency: str, policy: Policy) -> dict[str, Any]:
    """The sums themselves. `contribution`: margin less cost to serve, below 0 of who costs more than he brings."""
    whole = summary.whole
    return _told(summary.revenue, summary.margin(policy), whole.refunds, whole.cost, whole.orders, currency)


def _told(revenue: int, margin: int, refunds: int, cost: int, orders: int, currency: str) -> dict[str, Any]:
    own = shown(margin, currency)
    return {
        "revenue": shown(revenue, currency),
        "margin": own,
        "refunds": shown(refunds, currency),
        "cost_to_serve": shown(cost, currency),
        "contribution": shown(margin - cost, currency) if cost else own,
        "orders": orders,
    }


def _average(summary: Summary, currency: str) -> str | None:
    """Revenue per order; None without an order."""
    orders = summary.whole.orders
    return shown(divided(summary.revenue, orders), currency) if orders > 0 else None


def _by_area(cells: Sequence[Cell], summary: Summary, currency: str, policy: Policy) -> list[dict[str, Any]]:
    last: dict[str, int] = {}
    for day, area, _, amounts in cells:
        if amounts.orders > 0 and day >= last.get(area, day):
            last[area] = day
    margins = summary.margins(policy)
    revenue = {area: amounts.net - amounts.refunds for area, amounts in summary.areas.items() if any(amounts)}
    return [
        {
            "area": area,
            "revenue": shown(revenue[area], currency),
            "margin": shown(divided(margins[area], RATE_UNIT), currency),
            "orders": summary.areas[area].orders,
            "last_at": _date(last[area]) if area in last else None,
        }
        for area in sorted(revenue, key=lambda a: (-revenue[a], a))[:AREAS_MAX]
    ]


def _by_period(
    cells: Sequence[Cell], total: dict[str, Any], currency: str, policy: Policy, *, is_nothing: bool
) -> list[dict[str, Any]]:
    """The newest months in which anything was booked; `total` is what all of them come to."""
    months: dict[str, list[Cell]] = {}
    for cell in cells:
        name = _month(cell.day)
        if name in months:
            months[name].append(cell)
        else:
            months[name] = [cell]
    if len(months) == 1 and not is_nothing:
        return [{"month": name, **total} for name in months]
    told = ((name, _monthly(months[name], currency, policy)) for name in sorted(months, reverse=True))
    booked = ({"month": name, **total} for name, total in told if total is not None)
    return list(islice(booked, MONTHS_MAX))


def _monthly(cells: Sequence[Cell], currency: str, policy: Policy) -> dict[str, Any] | None:
    """As `totalled` of these rows; None where they come to nothing."""
    orders = net = paid = refunds = parts = cost = 0
    for _, area, _, amounts in cells:
        if area == WHOLE:
            orders += amounts.orders
            net += amounts.net
            paid += amounts.paid
            refunds += amounts.refunds
            cost += amounts.cost
        else:
            parts += margin_parts(amounts, policy, area)
    if not (orders or net or paid or refunds or cost or parts) and _is_nothing(cells):
        return None
    return _told(net - refunds, divided(parts, RATE_UNIT), refunds, cost, orders, currency)


def _is_nothing(cells: Sequence[Cell]) -> bool:
    """Areas may outweigh each other, and something was booked all the same."""
    summary = Summary()
    for cell in cells:
        summary.add(cell)
    return summary.is_empty


@lru_cache(DAYS_REMEMBERED_MAX)
def _date(day: int) -> str:
    return date_of(day).isoformat()


@lru_cache(DAYS_REMEMBERED_MAX)
def _month(day: int) -> str:
    return _date(day)[:7]


def _moment(time_us: int | None) -> str | None:
    return None if time_us is None else rfc3339(moment_at(time_us))
