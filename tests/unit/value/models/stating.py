"""Models with the parameters published for CDNOW's sample, and customers to ask them about.

CDNOW's times are weeks; a parameter per day is seven times that of a week. The data itself is not in the project:
`make bench-value` checks the fits on it.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from hypothesis import strategies as st

from services.value.domain.models.arrays import Floats, Ints
from services.value.domain.models.bg import BetaGeometric, ModifiedBetaGeometric
from services.value.domain.models.families import FAMILIES, Buying
from services.value.domain.models.pareto import ParetoGamma
from services.value.domain.models.spend import GammaGamma

BG = BetaGeometric(0.242594, 4.413602 * 7, 0.792922, 2.425907)
MBG = ModifiedBetaGeometric(0.524843, 6.183085 * 7, 0.891359, 1.614002)
PARETO = ParetoGamma(0.553277, 10.577684 * 7, 0.606240, 11.668735 * 7)
MODELS: tuple[Buying, ...] = (BG, MBG, PARETO)
SPEND = GammaGamma(6.2496, 3.7442, 15.4435)


def floats(*values: float) -> Floats:
    """An array."""
    return np.array(values, dtype=np.float64)


def ints(values: Iterable[int]) -> Ints:
    """An array of whole numbers."""
    return np.array(list(values), dtype=np.int64)


def columns(rows: Iterable[tuple[int, int, int]]) -> tuple[Ints, Ints, Ints]:
    """x, t_x and T of rows."""
    every = list(rows)
    return ints(row[0] for row in every), ints(row[1] for row in every), ints(row[2] for row in every)


@st.composite
def summaries(draw: st.DrawFn) -> tuple[int, int, int]:
    """(x, t_x, T) of a customer there can be: no more purchases than days, none after the last."""
    age = draw(st.integers(0, 7_300))
    recency = draw(st.integers(0, age))
    frequency = draw(st.integers(1, recency)) if recency else 0
    return frequency, recency, age


@st.composite
def models(draw: st.DrawFn) -> Buying:
    """A model of any family with parameters as populations have them, and some that they have not."""
    shape, days = st.floats(0.05, 20.0), st.floats(1.0, 500.0)
    family = draw(st.sampled_from(sorted(FAMILIES)))
    if family == ParetoGamma.family:
        return ParetoGamma(draw(shape), draw(days), draw(shape), draw(days))
    which = BetaGeometric if family == BetaGeometric.family else ModifiedBetaGeometric
    return which(draw(shape), draw(days), draw(shape), draw(shape))
