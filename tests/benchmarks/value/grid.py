"""The grid: expected purchases beside sixty digits, and what is finite, positive and falling in silence.

Owns the grid of the bar: 0 to 20,000 purchases, 0 to 20 years, a through 1. Errors are told to a year's horizon,
which the bar binds, and to ten.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np

from services.value.domain.models.bg import BetaGeometric, ModifiedBetaGeometric
from services.value.domain.models.families import Buying
from services.value.domain.models.pareto import ParetoGamma
from services.value.domain.models.scoring import Terms, scored
from tests.benchmarks.value.peers import ask

FREQUENCIES = (0, 1, 2, 5, 10, 30, 100, 365, 1_090, 5_000, 20_000)
AGES = (0, 1, 7, 30, 90, 365, 1_000, 3_650, 7_300)
HORIZONS = (7.0, 30.0, 91.0, 365.0, 3_650.0)
YEAR_DAYS = 365.0
MODELS = tuple(
    BetaGeometric(r, alpha, a, b)
    for (r, alpha, b), a in product(((0.2426, 30.9, 2.426), (1.5, 90.0, 0.8)), (0.1, 0.793, 1.0, 1.2, 4.0))
)
EVERY: tuple[Buying, ...] = (
    *MODELS,
    *(ModifiedBetaGeometric(0.52, 43.0, a, 1.6) for a in (0.3, 1.0, 1.5)),
    *(ParetoGamma(0.55, 74.0, s, 82.0) for s in (0.3, 0.606, 1.0, 2.0)),
)
BAR = 1e-6


def lines(folder: Path) -> list[str]:
    """Two paragraphs."""
    rows = np.array([
        (m.r, m.alpha_days, m.a, m.b, x, age, horizon)
        for m, x, age, horizon in product(MODELS, FREQUENCIES, AGES, HORIZONS)
    ])  # fmt: skip
    exact = np.array(ask("mpmath_peer", folder, {"rows": rows})["expected"], dtype=float)
    found = _all(rows)
    error = np.abs(found / exact - 1)
    year = rows[:, 6] <= YEAR_DAYS
    cases, faults = _laws()
    return [
        "",
        "## The grid",
        f"Expected purchases of {len(rows):,} (model, x, T, horizon) beside mpmath with 60 digits; x to 20,000, "
        f"T to 20 years, a from .1 through 1 to 4. Largest relative error to a year: **{error[year].max():.1e}** "
        f"(bar {BAR:g}); to ten years {error[~year].max():.1e}. Medians {np.median(error[year]):.0e} and "
        f"{np.median(error[~year]):.0e}.",
        "",
        f"Of {cases:,} scores of all three families on it {faults['not finite']} are not finite, "
        f"{faults['negative']} negative, and {faults['rising']} rise from one day of silence to the next (bar: 0).",
    ]


def _all(rows: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    found = np.empty(len(rows))
    for model in MODELS:
        of = np.flatnonzero((rows[:, :4] == (model.r, model.alpha_days, model.a, model.b)).all(axis=1))
        found[of] = model.expected_if_there(rows[of, 4], rows[of, 5], rows[of, 6:])[:, 0]
    return found


def _laws() -> tuple[int, dict[str, int]]:
    faults = {"not finite": 0, "negative": 0, "rising": 0}
    cases = 0
    for model, x, horizon in product(EVERY, FREQUENCIES, HORIZONS):
        for recency in (0, 30, 365, 3_650):
            ages = np.arange(recency, 7_301, 3, dtype=np.int64)
            scores = scored(model, np.full_like(ages, x), np.full_like(ages, recency), ages, Terms(horizon, 0.1))
            for part in scores:
                cases += len(part)
                faults["not finite"] += int((~np.isfinite(part)).sum())
                faults["negative"] += int((part < 0).sum())
                faults["rising"] += int((np.diff(part) > part[:-1] * 1e-12).sum())
    return cases, faults
