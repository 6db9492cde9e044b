"""BG/NBD and MBG/NBD: customers buy at random and may stop for good right after a purchase.

Owns their likelihood, who is still there, and what those will buy. One likelihood for both: they differ in how many
purchases a customer has survived. BG/NBD lets nobody stop before his second purchase, so that a one-time buyer is
there for certain; MBG/NBD lets him stop after the first.

Sources: Fader, Hardie, Lee, "Counting Your Customers" the Easy Way (Marketing Science, 2005); Batislam, Denizel,
Filiztekin (IJRM, 2007) and Hoppe, Wagner (Marketing ZFP, 2007) for the modification.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import expit, gammaln, psi

from services.value.domain.models.arrays import Floats
from services.value.domain.models.history import Histories
from services.value.domain.models.quadrature import beta_rule, beta_trapezoid

TRAPEZOID = 0
"""Instead of a number of Gauss's points."""
FAR = 12.0
"""No horizon of more times alpha + T is left to Gauss."""
STEEP = 1e5
"""The trapezoid resolves p down to a 100,000th of 1 / (r + x)."""
ROWS_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class BetaGeometric:
    """Parameters: purchase rates are Gamma(r, alpha) a day, chances to stop at a purchase are Beta(a, b)."""

    r: float
    alpha_days: float
    a: float
    b: float

    family: ClassVar[str] = "bg"
    survived_first: ClassVar[int] = 0
    """How often a customer can have stopped by his first purchase."""

    def log_odds_gone(self, frequency: Floats, recency_days: Floats, age_days: Floats) -> Floats:
        """ln((1 - p) / p) of the probability p that he is still there: -inf for certain.

        Fader, Hardie, Lee (2008), "Computing P(alive) using the BG/NBD model"; in logarithms, so that heavy buyers
        give no overflow.
        """
        survived = frequency + self.survived_first
        with np.errstate(divide="ignore"):
            chance = np.log(self.a) - np.log(np.maximum(self.b + survived - 1, 0.0))
        longer = np.log((self.alpha_days + age_days) / (self.alpha_days + recency_days))
        return np.where(survived > 0, chance + (self.r + frequency) * longer, -np.inf)

    def expected_if_there(self, frequency: Floats, age_days: Floats, horizons_days: Floats) -> Floats:
        """Purchases within each horizon of one who is still there: a row a customer, a column a horizon.

        Given the chance p to stop, the mean over the Gamma of the rates is (1 - (1 + p t / (alpha + T))^-(r + x)) / p
        (Fader, Hardie, Lee 2005, before equation 10 takes the mean over p to a 2F1). The mean over
        p ~ Beta(a, b + survived) is taken by quadrature: it exists at a = 1, and never overflows.
        """
        steps = horizons_days / (self.alpha_days + age_days)[:, None]
        few, more = self.reaches(frequency)
        farthest = steps.max(axis=1)
        points = np.where(farthest <= few, 16, np.where(farthest <= more, 32, TRAPEZOID))
        found = np.empty(steps.shape)
        for wanted in np.unique(points):
            rows = np.flatnonzero(points == wanted)
            distinct, which = np.unique(frequency[rows], return_inverse=True)
            places, weights = self.rules(distinct, int(wanted))
            for at in range(0, len(rows), ROWS_AT_ONCE):
                some, rule = rows[at : at + ROWS_AT_ONCE], which[at : at + ROWS_AT_ONCE]
                bought = np.log1p(places[rule][:, None, :] * steps[some][:, :, None])
                bought *= -(self.r + frequency[some])[:, None, None]
                found[some] = -np.einsum("ijk,ik->ij", np.expm1(bought, out=bought), weights[rule])
        return found

    def reaches(self, frequency: Floats) -> tuple[Floats, Floats]:
        """How far 16 and 32 points of Gauss are right to 1e-7, as horizon by alpha + T; beyond, the trapezoid.

        The oftener one bought, the steeper the integrand.
        """
        shape = self.b + frequency + self.survived_first
        return np.where(shape <= 4, FAR, 2.5), np.where(shape <= 40, FAR, 6.0)

    def rules(self, frequency: Floats, points: int) -> tuple[Floats, Floats]:
        """For each frequency the points of p and the weights by p, as `expected_if_there` adds them up."""
        shape = self.b + frequency + self.survived_first
        if points == TRAPEZOID:
            places, weights = beta_trapezoid(self.a, shape, STEEP * (1 + self.r + frequency))
        else:
            places, weights = beta_rule(self.a, shape, points)
        return places, weights / places

    @property
    def scale_days(self) -> float:
        """The time in which what is expected of a new customer changes."""
        return self.alpha_days

    @classmethod
    def likelihood(cls, rows: Histories) -> Callable[[Floats], tuple[float, Floats]]:
        """Logarithms of (r, alpha, a, b) → the mean log-likelihood and its gradient."""
        return _Likelihood(rows, cls.survived_first).at

    @classmethod
    def centre(cls, rows: Histories) -> Floats:
        """Where a search begins and the prior is flat around: logarithms of (r, alpha, a, b)."""
        return np.log([1.0, rows.mean_age_days / 3, 1.0, 2.0])


@dataclass(frozen=True, slots=True)
class ModifiedBetaGeometric(BetaGeometric):
    """MBG/NBD: who bought once may have stopped, too."""

    family: ClassVar[str] = "mbg"
    survived_first: ClassVar[int] = 1


class _Likelihood:
    """The likelihood of fixed rows. What depends on x, t_x or T alone is taken of their distinct values."""

    def __init__(self, rows: Histories, survived_first: int) -> None:
        self.total = rows.total
        self.x, of_x = np.unique(rows.frequency, return_inverse=True)
        self.survived = self.x + survived_first
        self.ages, of_age = np.unique(rows.age_days, return_inverse=True)
        self.recencies, of_recency = np.unique(rows.recency_days, return_inverse=True)
        self.with_x = np.bincount(of_x, rows.customers, len(self.x))
        self.with_age = np.bincount(of_age, rows.customers, len(self.ages))
        self.bought_at_age = np.bincount(of_age, rows.customers * rows.frequency, len(self.ages))
        # who cannot have stopped has no second term
        can_stop = self.survived[of_x] > 0
        self.of_x, self.of_age, self.of_recency = of_x[can_stop], of_age[can_stop], of_recency[can_stop]
        self.customers = rows.customers[can_stop]

    def at(self, theta: Floats) -> tuple[float, Floats]:
        """Mean log-likelihood and gradient: of equation 6 of Fader, Hardie, Lee (2005) the logarithm, with one
        ln(1 + e^d) a row, e^d being the odds that the customer has stopped.
        """
        r, alpha, a, b = np.exp(theta)
        log_age, log_recency = np.log(alpha + self.ages), np.log(alpha + self.recencies)
        survived = np.maximum(b + self.survived - 1, np.finfo(float).tiny)
        longer = log_age[self.of_age] - log_recency[self.of_recency]
        bought = (r + self.x)[self.of_x]
        odds = (np.log(a) - np.log(survived))[self.of_x] + bought * longer
        gone = self.customers * expit(odds)
        value = (self.customers * np.logaddexp(0.0, odds)).sum()
        value += self.total * (r * np.log(alpha) - gammaln(r) - gammaln(b) + gammaln(a + b))
        value += (self.with_x * _of_x(r, a, b, self.x, self.survived)).sum()
        value -= ((r * self.with_age + self.bought_at_age) * log_age).sum()
        later = 1 / (alpha + self.ages)
        moved = (gone * bought * (later[self.of_age] - 1 / (alpha + self.recencies)[self.of_recency])).sum()
        many = psi(a + b + self.survived)
        gradient = np.array([
            self.total * (np.log(alpha) - psi(r)) + (self.with_x * psi(r + self.x)).sum()
            - (self.with_age * log_age).sum() + (gone * longer).sum(),
            self.total * r / alpha - ((r * self.with_age + self.bought_at_age) * later).sum() + moved,
            self.total * psi(a + b) - (self.with_x * many).sum() + gone.sum() / a,
            self.total * (psi(a + b) - psi(b)) + (self.with_x * (psi(b + self.survived) - many)).sum()
            - (gone / survived[self.of_x]).sum(),
        ])  # fmt: skip
        return float(value) / self.total, gradient * np.exp(theta) / self.total


def _of_x(r: float, a: float, b: float, x: Floats, survived: Floats) -> Floats:
    """The part of a row's log-likelihood that its number of purchases decides."""
    found: Floats = gammaln(r + x) + gammaln(b + survived) - gammaln(a + b + survived)
    return found
