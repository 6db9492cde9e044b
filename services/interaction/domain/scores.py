"""Scores: what a number means on its scale, and counts of scores that add up over customers and months.

Owns scales, categories and the figures made of counts (NPS, means, response rates). Knows no customer. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

PROMOTER, PASSIVE, DETRACTOR = "promoter", "passive", "detractor"
POSITIVE, NEUTRAL, NEGATIVE = "positive", "neutral", "negative"
NPS = "nps"
THOUSANDTHS = 1_000

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Scale:
    """Scores from `lowest` to `highest`; good from `good_from` on, and bad below `fair_from`."""

    lowest: int
    highest: int
    good_from: int
    fair_from: int
    names: tuple[str, str, str] = (POSITIVE, NEUTRAL, NEGATIVE)


SCALES: dict[str, Scale] = {
    NPS: Scale(0, 10, 9, 7, (PROMOTER, PASSIVE, DETRACTOR)),
    "csat": Scale(1, 5, 4, 3),
    "ces": Scale(1, 7, 5, 4),
    "stars": Scale(1, 5, 4, 3),
}
"""On every one the most is the best: of ces, 7 is easy."""

Counts = dict[str, Any]
"""{"asked", "answered", "answered_of_asked", "declined", "scores": {scale: {category: n, "thousandths": sum}}}."""
COUNTED = ("asked", "answered", "answered_of_asked", "declined")


def category_of(scale: str | None, score: Decimal) -> str | None:
    """promoter, passive or detractor on nps, else positive, neutral, negative; None: outside, or no scale we know."""
    known = SCALES.get(scale or "")
    if known is None or not known.lowest <= score <= known.highest:
        return None
    good, fair, bad = known.names
    return good if score >= known.good_from else fair if score >= known.fair_from else bad


def nothing() -> Counts:
    """Counts of nobody."""
    return {**dict.fromkeys(COUNTED, 0), "scores": {}}


def count_score(counts: Counts, scale: str, category: str, score: Decimal) -> None:
    """Count one score in."""
    of_scale = counts["scores"].setdefault(scale, {})
    of_scale[category] = of_scale.get(category, 0) + 1
    of_scale["thousandths"] = of_scale.get("thousandths", 0) + round(score * THOUSANDTHS)


def total(listed: Iterable[Mapping[str, Any]]) -> Counts:
    """The sum of counts, in any order and grouping the same."""
    summed = nothing()
    for counts in listed:
        for name in COUNTED:
            summed[name] += counts[name]
        for scale, of_scale in counts["scores"].items():
            into = summed["scores"].setdefault(scale, {})
            for name, count in of_scale.items():
                into[name] = into.get(name, 0) + count
    return summed


def totals(of_customers: Iterable[Mapping[str, Mapping[str, Any]]]) -> dict[str, Counts]:
    """{month: counts} of many customers or segments → their sum per month, the earliest first."""
    by_month: dict[str, list[Mapping[str, Any]]] = {}
    for months in of_customers:
        for month, counts in months.items():
            by_month.setdefault(month, []).append(counts)
    return {month: total(by_month[month]) for month in sorted(by_month)}


def figures(counts: Mapping[str, Any]) -> dict[str, Any]:
    """What counts come to: per scale the categories, `count`, `mean` as text, of nps its `score` (-100 to 100).

    `response_rate`: of those asked, as text with two digits; None where nobody was.
    """
    shown: dict[str, Any] = {scale: _of_scale(scale, counts["scores"].get(scale, {})) for scale in SCALES}
    rate = str(_share(counts["answered_of_asked"], counts["asked"])) if counts["asked"] else None
    return {**shown, **{name: counts[name] for name in COUNTED}, "response_rate": rate}


def _of_scale(scale: str, counts: Mapping[str, int]) -> dict[str, Any]:
    names = SCALES[scale].names
    found: dict[str, Any] = {f"{name}s" if scale == NPS else name: counts.get(name, 0) for name in names}
    count = sum(counts.get(name, 0) for name in names)
    found["count"] = count
    found["mean"] = str(_share(counts["thousandths"], count * THOUSANDTHS)) if count else None
    if scale == NPS:
        apart = counts.get(PROMOTER, 0) - counts.get(DETRACTOR, 0)
        found["score"] = int((Decimal(100 * apart) / count).to_integral_value()) if count else None
    return found


def _share(part: int, whole: int) -> Decimal:
    return (Decimal(part) / whole).quantize(_CENT)
