"""The book of business: who brings most of it, who moved between tiers, where growth came from.

Owns sums over all customers; amounts are 10⁻⁴ of the reporting currency's unit and add up exactly. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from services.value.domain.money import shown
from services.value.domain.policy import Policy
from services.value.domain.tiers import grade_of

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


def migration(before: Mapping[str, int], after: Mapping[str, int], policy: Policy) -> dict[str, Any]:
    """How many customers went from each grade to each, by revenue up to two days; `none` had not bought before."""
    moves: Counter[tuple[str, str]] = Counter()
    for customer, revenue in after.items():
        was = grade_of(before[customer], policy).name if customer in before else NOBODY
        moves[was, grade_of(revenue, policy).name] += 1
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
