"""The book of business: who brings most of it, who moved between tiers, where growth came from.

Owns sums over all customers; amounts are 10⁻⁴ of the reporting currency's unit and add up exactly. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from services.value.domain.days import date_of
from services.value.domain.money import shown
from services.value.domain.policy import Policy

TOP_PER_CENT, SHARE_PER_CENT = 20, 80
CURVE_POINTS = 20
NOBODY = "none"
"""The tier of who had bought nothing yet."""
_SHARE = Decimal("0.0001")


def pareto(revenues: Iterable[int], currency: str) -> dict[str, Any]:
    """How much the best fifth brings, how many bring four fifths, and the curve; of customers who brought anything.

    Who got back more than he paid brought nothing: he would make others' shares more than all.
    """
    ordered = sorted((amount for amount in revenues if amount > 0), reverse=True)
    total, count = sum(ordered), len(ordered)
    running, reached = 0, 0
    sums: list[int] = []
    for number, amount in enumerate(ordered, 1):
        running += amount
        sums.append(running)
        if not reached and 100 * running >= SHARE_PER_CENT * total:
            reached = number
    top = -(-count * TOP_PER_CENT // 100)
    steps = sorted({-(-count * n // CURVE_POINTS) for n in range(1, CURVE_POINTS + 1)}) if count else []
    return {
        "currency": currency,
        "customers": count,
        "revenue": shown(total, currency),
        "top": {"customers": top, "share_of_customers": _share(top, count),
                "share_of_revenue": _share(sums[top - 1] if top else 0, total)},
        "four_fifths": {"customers": reached, "share_of_customers": _share(reached, count)},
        "curve": [
            {"share_of_customers": _share(n, count), "share_of_revenue": _share(sums[n - 1], total)} for n in steps
        ],
    }  # fmt: skip


def migration(before: Mapping[str, str], after: Mapping[str, str], policy: Policy) -> dict[str, Any]:
    """How many customers went from each grade to each between two days; `none` had not bought before."""
    moves = Counter((before.get(customer, NOBODY), grade) for customer, grade in after.items())
    names = [grade.name for grade in policy.grades]
    return {
        "grades": names,
        "moves": [
            {"from": was, "to": now, "customers": moves[was, now]}
            for was in [NOBODY, *names]
            for now in names
            if moves[was, now]
        ],
    }


@dataclass(frozen=True, slots=True)
class Period:
    """One customer's revenue in a period and in the one before, which is as long; whether he bought earlier still."""

    now: int
    before: int
    earlier: bool


KINDS = ("new", "returning", "expanded", "contracted", "lost")


def growth(periods: Iterable[Period], currency: str) -> dict[str, Any]:
    """Where the difference between two periods came from; the parts add up to it, to the smallest unit.

    New: bought for the first time. Returning: had bought, not in the period before. Expanded, contracted: bought in
    both. Lost: bought only before.
    """
    sums: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    now = before = 0
    for one in periods:
        now, before = now + one.now, before + one.before
        if kind := _kind(one):
            sums[kind] += one.now - one.before
            counts[kind] += 1
    return {
        "currency": currency,
        "revenue": shown(now, currency),
        "revenue_before": shown(before, currency),
        "difference": shown(now - before, currency),
        "parts": [{"kind": k, "customers": counts[k], "difference": shown(sums[k], currency)} for k in KINDS],
    }


class Left(NamedTuple):
    """Who is gone: since which business day, why (None: nobody knows), what he brought in the year before."""

    day: int
    cause: str | None
    brought: int


def churn(gone: Sequence[Left], currency: str) -> dict[str, Any]:
    """Who left, by cause and by month and cause; the parts add up. `explained`: the share whose cause is known."""
    by_cause: dict[str | None, list[int]] = {}
    by_month: dict[tuple[str, str | None], list[int]] = {}
    for one in gone:
        by_cause.setdefault(one.cause, []).append(one.brought)
        by_month.setdefault((date_of(one.day).isoformat()[:7], one.cause), []).append(one.brought)
    causes = sorted(by_cause, key=lambda cause: (-len(by_cause[cause]), cause or ""))
    months = sorted(by_month, key=lambda key: (key[0], -len(by_month[key]), key[1] or ""))
    return {
        "currency": currency,
        **_sum_of([one.brought for one in gone], currency),
        "explained": _share(sum(one.cause is not None for one in gone), len(gone)),
        "by_cause": [{"cause": cause, **_sum_of(by_cause[cause], currency)} for cause in causes],
        "by_month": [{"month": key[0], "cause": key[1], **_sum_of(by_month[key], currency)} for key in months],
    }


def _sum_of(brought: Sequence[int], currency: str) -> dict[str, Any]:
    return {"customers": len(brought), "revenue": shown(sum(brought), currency)}


def _kind(one: Period) -> str | None:
    if one.now == one.before == 0:
        return None
    if one.before == 0:
        return "returning" if one.earlier else "new"
    if one.now == 0:
        return "lost"
    return "expanded" if one.now >= one.before else "contracted"


def what_if(periods: Sequence[Period], kept: Decimal, currency: str) -> dict[str, Any]:
    """What it would have been worth to keep a share (0 to 1) of those who were lost, at what they brought before."""
    lost = [one.before for one in periods if _kind(one) == "lost"]
    return {
        "currency": currency,
        "kept": str(kept),
        "lost_customers": len(lost),
        "lost_revenue": shown(sum(lost), currency),
        "kept_revenue": shown(round(sum(lost) * kept), currency),
    }


def _share(part: int, whole: int) -> str:
    return str((Decimal(part) / whole).quantize(_SHARE)) if whole else "0.0000"
