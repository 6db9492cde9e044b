"""Feedback of some customers by month, with figures of too few of them left out.

Owns what "too few" hides: the figures of a month or of a scale in a month that fewer than so many customers stand
behind, and the totals without them, so that no difference of two sums tells what was left out. Knows no customer.
Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.interaction.domain.scores import COUNTED, SCALES, Counts, figures, nothing, total

RATE = "response_rate"


@dataclass(slots=True)
class _Month:
    """Sums of one month, and how many customers stand behind them and behind each scale."""

    counts: Counts = field(default_factory=nothing)
    customers: int = 0
    scored: Counter[str] = field(default_factory=Counter)


class Crowd:
    """Customers' counts, added up one customer at a time, in any order the same."""

    def __init__(self) -> None:
        self._months: dict[str, _Month] = {}

    def add(self, of_customer: Mapping[str, Counts]) -> None:
        """One more customer's {month: counts} (feedback.summary)."""
        for month, counts in of_customer.items():
            one = self._months.setdefault(month, _Month())
            one.counts = total((one.counts, counts))
            one.customers += 1
            one.scored.update(counts["scores"].keys())

    def shown(self, least: int, since: str | None, until: str | None) -> dict[str, Any]:
        """Figures by month from `since` to before `until` (YYYY-MM) and of all these months.

        What fewer than `least` customers stand behind is null, and named in `hidden`; totals are of what is not.
        """
        by_month, told, hidden = [], [], []
        for month, one in sorted(self._months.items()):
            if (since is not None and month < since) or (until is not None and month >= until):
                continue
            few = {scale for scale, customers in one.scored.items() if customers < least}
            if one.customers < least:
                few |= {*COUNTED, RATE}
            hidden += [f"by_month[{month}].{name}" for name in sorted(few)]
            counts = _without(one.counts, few)
            told.append(counts)
            by_month.append({"month": month, **_nulled(figures(counts), few)})
        return {"by_month": by_month, "total": figures(total(told)), "hidden": hidden}


def _without(counts: Counts, few: set[str]) -> Counts:
    kept = {scale: of_scale for scale, of_scale in counts["scores"].items() if scale not in few}
    return {**counts, **{name: 0 for name in COUNTED if name in few}, "scores": kept}


def _nulled(shown: dict[str, Any], few: Iterable[str]) -> dict[str, Any]:
    names = {*SCALES, *COUNTED, RATE}
    return {**shown, **{name: None for name in few if name in names}}
