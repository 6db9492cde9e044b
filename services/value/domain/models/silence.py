"""Silence: the day on which a customer's predicted value falls below a bound if he buys nothing more.

Owns finding that day, for one customer or for many. It rests on a law of the models: with every day of silence the
probability that he is still there falls, and so does what is expected of him.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, inf, log

import numpy as np
import numpy.typing as npt

from services.value.domain.models.arrays import Floats, Ints
from services.value.domain.models.scoring import Model, Terms, scored

NEVER = -1
"""No such day within reach, in arrays."""


def age_below(
    worth: Callable[[int], float], bound: float, age_days: int, age_max: int, scale_days: float
) -> int | None:
    """The first age from `age_days` to `age_max` at which `worth(age)` is below the bound; None when there is none.

    `worth` must not grow with the age. In logarithms of worth and of scale + age it is nearly straight, so a secant
    between the two sides finds the day in a few steps; each step narrows a bracket of whole days.
    """
    left, right = _height(worth(age_days), bound), _height(worth(age_max), bound)
    if left < 0:
        return age_days
    if right >= 0:
        return None
    low, high, side = age_days, age_max, 0
    while high - low > 1:
        middle = min(max(_crossing(low, left, high, right, scale_days), low + 1), high - 1)
        height = _height(worth(middle), bound)
        if height >= 0:
            low, left = middle, height
            right, side = (right / 2 if side > 0 else right), 1
        else:
            high, right = middle, height
            left, side = (left / 2 if side < 0 else left), -1
    return high


def _height(worth: float, bound: float) -> float:
    """How far above the bound, in logarithms."""
    return log(worth / bound) if worth > 0 and bound > 0 else (-inf if bound > 0 else inf)


def _crossing(low: int, left: float, high: int, right: float, scale_days: float) -> int:
    if right == -inf or left == inf:
        return (low + high) // 2
    near, far = log(scale_days + low), log(scale_days + high)
    return round(exp(near + (far - near) * left / (left - right)) - scale_days)


def ages_below(
    model: Model, frequency: Ints, recency_days: Ints, age_days: Ints, bounds: Floats, age_max: int, terms: Terms
) -> Ints:
    """What `age_below` tells of many customers' discounted purchases, each with his bound; NEVER for none."""
    low, high = age_days.copy(), np.maximum(age_days, age_max)

    def below(ages: Ints, rows: Ints) -> npt.NDArray[np.bool_]:
        return scored(model, frequency[rows], recency_days[rows], ages, terms).discounted < bounds[rows]

    every = np.arange(len(low))
    already, ever = below(low, every), below(high, every)
    rows = np.flatnonzero(ever & ~already)
    while len(rows):
        middle = (low[rows] + high[rows]) // 2
        is_below = below(middle, rows)
        high[rows[is_below]] = middle[is_below]
        low[rows[~is_below]] = middle[~is_below]
        rows = rows[high[rows] - low[rows] > 1]
    return np.where(already, age_days, np.where(ever, high, NEVER))
