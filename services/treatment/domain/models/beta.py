"""The Beta distribution of an action's chance to be accepted: a quantile of it, and which of two is greater.

Owns the numerics only; what is counted is learning.py's. Deterministic: chance comes in as a number.
Sources: Beta-Bernoulli conjugacy, and drawing from the posterior to choose (Thompson, On the likelihood that one
unknown probability exceeds another, Biometrika 25, 1933; Russo et al., A tutorial on Thompson sampling, 2018, 3.2).
"""

from __future__ import annotations

from scipy.special import betainc, betaincinv

GRID = 1_000
"""Quantiles over which the chance of being greater is summed; its error is below 1 in so many."""


def quantile(successes: float, failures: float, share: float) -> float:
    """The value below which a share (0 to 1) of the Beta distribution lies; at its ends where a parameter is 0."""
    if successes <= 0:
        return 0.0
    if failures <= 0:
        return 1.0
    return float(betaincinv(successes, failures, share))


def chance_greater(one: tuple[float, float], other: tuple[float, float]) -> float:
    """How likely the first of two (successes, failures), both above 0, is the greater: ∫ F_other dF_one, 0 to 1."""
    middles = ((step + 0.5) / GRID for step in range(GRID))
    return float(sum(betainc(*other, quantile(*one, middle)) for middle in middles)) / GRID
