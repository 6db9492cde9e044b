"""Simulated customers who do what a family of models says they do.

Owns drawing them: the truth is known, so a fit can be compared with it. Seeded: a call gives the same every time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from services.value.domain.models.arrays import Floats, Ints
from services.value.domain.models.bg import BetaGeometric
from services.value.domain.models.families import Buying
from services.value.domain.models.spend import GammaGamma


class Buyers(NamedTuple):
    """x, t_x and T of each customer, in days; several purchases of a day are several here."""

    frequency: Ints
    recency_days: Ints
    age_days: Ints


def simulated(model: Buying, customers: int, window_days: int, seed: int) -> Buyers:
    """Customers who came evenly over a window and bought by the model until its end."""
    draw = np.random.default_rng(seed)
    ages = draw.integers(1, window_days, customers)
    rates = draw.gamma(model.r, 1 / model.alpha_days, customers)
    if isinstance(model, BetaGeometric):
        frequency, last = _until_he_stops(model, draw, ages, rates)
    else:
        lives = draw.exponential(1 / draw.gamma(model.s, 1 / model.beta_days, customers))
        spans = np.minimum(lives, ages)
        frequency = draw.poisson(rates * spans)
        # the last of n uniform moments
        last = np.where(frequency > 0, spans * draw.random(customers) ** (1 / np.maximum(frequency, 1)), 0.0)
    return Buyers(frequency.astype(np.int64), last.astype(np.int64), ages.astype(np.int64))


def _until_he_stops(
    model: BetaGeometric, draw: np.random.Generator, ages: Ints, rates: Floats
) -> tuple[Ints, Floats]:
    stops = draw.beta(model.a, model.b, len(ages))
    frequency, last = np.zeros(len(ages), dtype=np.int64), np.zeros(len(ages))
    there = np.flatnonzero(draw.random(len(ages)) >= stops) if model.survived_first else np.arange(len(ages))
    moment = np.zeros(len(ages))
    while len(there):
        moment[there] += draw.exponential(1 / rates[there])
        there = there[moment[there] < ages[there]]
        frequency[there] += 1
        last[there] = moment[there]
        there = there[draw.random(len(there)) >= stops[there]]
    return frequency, last


def spending(model: GammaGamma, frequency: Ints, seed: int) -> Ints:
    """What each customer paid at all his purchases, in whole units."""
    draw = np.random.default_rng(seed)
    rates = draw.gamma(model.q, 1 / model.gamma, len(frequency))
    paid = draw.gamma(model.p * np.maximum(frequency, 1)) / rates
    return np.where(frequency > 0, np.ceil(paid), 0).astype(np.int64)
