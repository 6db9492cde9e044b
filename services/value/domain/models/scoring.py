"""Scoring: what a model expects of many customers on one day.

Owns the chance that they are still there, their purchases within a horizon, and these discounted; all are functions
of (summary, model, terms). Equal summaries are computed once. One customer alone is single.py's, to the same digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import expm1, log
from typing import NamedTuple, Protocol

import numpy as np
from scipy.special import expit

from services.value.domain.models.arrays import Floats, Ints
from services.value.domain.models.quadrature import unit_rule

YEAR_DAYS = 365.25
TIMES = 4
"""Points of time at which purchases are discounted."""


class Model(Protocol):
    """What a family of models says of customers; arrays of one length, times in days."""

    def log_odds_gone(self, frequency: Floats, recency_days: Floats, age_days: Floats) -> Floats:
        """ln((1 - p) / p) of the probability p that he is still there."""
        ...

    def expected_if_there(self, frequency: Floats, age_days: Floats, horizons_days: Floats) -> Floats:
        """Purchases within each horizon of one who is: a row a customer, a column a horizon."""
        ...

    @property
    def scale_days(self) -> float:
        """The time in which what is expected of a new customer changes."""
        ...


@dataclass(frozen=True, slots=True)
class Terms:
    """How far to look, and what a year's delay takes off: by 0.1 a purchase in a year is 1 / 1.1 of one today."""

    horizon_days: float = 365.0
    yearly_discount: float = 0.1

    @property
    def daily(self) -> float:
        """The discount of a day, as the rate of an exponential."""
        return log(1 + self.yearly_discount) / YEAR_DAYS

    @property
    def whole(self) -> float:
        """The share that the discount takes off a purchase at the horizon."""
        return -expm1(-self.daily * self.horizon_days)


class Scores(NamedTuple):
    """Of each customer: the probability that he is still there, expected purchases within the horizon, and these
    discounted to the day of the answer. In an array of customers, or one's numbers.
    """

    alive: Floats
    expected: Floats
    discounted: Floats


def scored(model: Model, frequency: Ints, recency_days: Ints, age_days: Ints, terms: Terms) -> Scores:
    """The scores of each customer, in the order given; summaries as history.py makes them."""
    (x, recency, age), which = _distinct(frequency, recency_days, age_days)
    (bought, lasted), of = _distinct(x.astype(np.int64), age.astype(np.int64))
    expected, discounted = (part[of] for part in if_there(model, bought, lasted, terms))
    alive: Floats = expit(-model.log_odds_gone(x, recency, age))
    return Scores(alive[which], (alive * expected)[which], (alive * discounted)[which])


def if_there(model: Model, frequency: Floats, age_days: Floats, terms: Terms) -> tuple[Floats, Floats]:
    """Expected purchases and the same discounted, of customers who are still there.

    The discounted integral of the rate E'(s) is, by parts, e^-dt E(t) plus 1 - e^-dt times the mean of E(s) weighted
    by e^-ds: no derivative, and what is left to quadrature is only what the discount takes. In ln(1 + s / scale) the
    integrand is smooth.
    """
    places, weights = unit_rule(TIMES)
    scale = (model.scale_days + age_days)[:, None]
    width = np.log1p(terms.horizon_days / scale)
    times = scale * np.expm1(width * places)
    parts = weights * (scale + times) * np.exp(-terms.daily * times)
    bought = model.expected_if_there(frequency, age_days, np.hstack([times, np.full_like(scale, terms.horizon_days)]))
    mean = (parts * bought[:, :-1]).sum(axis=1) / parts.sum(axis=1)
    return bought[:, -1], bought[:, -1] - terms.whole * (bought[:, -1] - mean)


def _distinct(*parts: Ints) -> tuple[list[Floats], Ints]:
    """The distinct combinations of whole numbers from 0 on, and which of them each is."""
    codes = np.zeros(len(parts[0]), dtype=np.int64)
    sizes = [int(part.max(initial=0)) + 1 for part in parts]
    for part, size in zip(parts, sizes, strict=True):
        codes = codes * size + np.asarray(part, dtype=np.int64)
    found, which = np.unique(codes, return_inverse=True)
    columns = []
    for size in reversed(sizes):
        columns.append((found % size).astype(np.float64))
        found = found // size
    return columns[::-1], which
