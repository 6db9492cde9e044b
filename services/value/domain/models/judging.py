"""Judging: how right a prediction was, now that what it was about has happened.

Owns the figures by which models are compared. The mean absolute error is told and decides nothing: it rewards
predicting that nobody buys.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from services.value.domain.models.arrays import Floats, Ints

TOP_SHARE = 0.2
FREQUENCIES_TOLD = 7
"""Customers who bought oftener than this are told together."""


class Bin(NamedTuple):
    """Customers of one frequency: what was predicted for all of them, and what they bought."""

    frequency: int
    customers: int
    predicted: float
    actual: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """A prediction of purchases beside the truth.

    `total_error` is predicted by actual less 1; `rmse` and `mae` are per customer. `caught` is the share of what all
    customers spent that was spent by the fifth predicted to be worth most, `catchable` by the fifth that was.
    """

    customers: int
    predicted: float
    actual: float
    squares: float
    absolute: float
    spent: float
    spent_by_top: float
    spent_by_best: float
    by_frequency: tuple[Bin, ...]

    @property
    def total_error(self) -> float:
        """Infinite where something was predicted and nothing came."""
        if self.actual:
            return self.predicted / self.actual - 1
        return float("inf") if self.predicted else 0.0

    @property
    def rmse(self) -> float:
        """Root of the mean squared error."""
        return float((self.squares / max(self.customers, 1)) ** 0.5)

    @property
    def mae(self) -> float:
        """Mean absolute error."""
        return self.absolute / max(self.customers, 1)

    @property
    def caught(self) -> float:
        """Share of the true spend in the top that was predicted."""
        return self.spent_by_top / self.spent if self.spent else 0.0

    @property
    def catchable(self) -> float:
        """Share of the true spend in the true top."""
        return self.spent_by_best / self.spent if self.spent else 0.0


def judge(frequency: Ints, predicted: Floats, value: Floats, actual: Floats, spent: Floats) -> Judgement:
    """Judge predicted purchases by actual ones, and predicted `value` (any unit) by what was `spent`."""
    apart = predicted - actual
    told = np.minimum(frequency, FREQUENCIES_TOLD)
    sums = [np.bincount(told, weights, FREQUENCIES_TOLD + 1) for weights in (None, predicted, actual)]
    bins = [Bin(number, int(n), float(p), float(a)) for number, (n, p, a) in enumerate(zip(*sums, strict=True))]
    return Judgement(
        len(predicted),
        float(predicted.sum()),
        float(actual.sum()),
        float((apart**2).sum()),
        float(np.abs(apart).sum()),
        float(spent.sum()),
        _of_top(value, spent),
        _of_top(spent, spent),
        tuple(one for one in bins if one.customers),
    )


def pooled(judged: Iterable[Judgement]) -> Judgement:
    """Several periods as one: every sum added up, so that a month with many customers weighs more."""
    every = list(judged)
    bins: dict[int, Bin] = {}
    for one in (one for judgement in every for one in judgement.by_frequency):
        known = bins.get(one.frequency, Bin(one.frequency, 0, 0.0, 0.0))
        bins[one.frequency] = Bin(
            one.frequency,
            known.customers + one.customers,
            known.predicted + one.predicted,
            known.actual + one.actual,
        )
    names = ("customers", "predicted", "actual", "squares", "absolute", "spent", "spent_by_top", "spent_by_best")
    sums = {name: sum(getattr(one, name) for one in every) for name in names}
    return Judgement(**sums, by_frequency=tuple(bins[number] for number in sorted(bins)))


def _of_top(value: Floats, spent: Floats) -> float:
    """What the top fifth by value spent. Of those alike at its edge each counts in part, whatever their order."""
    wanted = int(len(value) * TOP_SHARE)
    if not wanted:
        return 0.0
    edge = np.partition(value, len(value) - wanted)[len(value) - wanted]
    above, alike = value > edge, value == edge
    part = (wanted - int(above.sum())) / int(alike.sum())
    return float(spent[above].sum()) + part * float(spent[alike].sum())


def calibration(judged: Sequence[Judgement]) -> float:
    """How far frequencies' predictions are from what they bought, summed, as a share of all that was bought."""
    bins = pooled(judged).by_frequency
    bought = sum(one.actual for one in bins)
    return sum(abs(one.predicted - one.actual) for one in bins) / bought if bought else 0.0
