"""Pareto/NBD: customers buy at random and stop for good at a moment nobody sees.

Owns its likelihood, who is still there, and what those will buy.

Sources: Schmittlein, Morrison, Colombo, Counting Your Customers (Management Science, 1987); Fader and Hardie, "A Note
on Deriving the Pareto/NBD Model and Related Expressions" (2005).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import gammaln, psi

from services.value.domain.models.arrays import Floats
from services.value.domain.models.history import Histories
from services.value.domain.models.quadrature import NEGLIGIBLE, unit_rule

POINTS, POINTS_TO_FIT = 16, 12
"""Right to 1e-7 for any parameters, and to 1e-10 for those of populations."""
ROWS_AT_ONCE = 2048
"""Rows whose points are held in memory, and in the processor's cache, together."""
LEVEL = 1e-8
"""Below it (1 - e^-y) / y is 1 - y / 2."""
_EXPONENT_MAX = 300.0


@dataclass(frozen=True, slots=True)
class ParetoGamma:
    """Parameters: purchase rates are Gamma(r, alpha) a day, rates of stopping Gamma(s, beta) a day."""

    r: float
    alpha_days: float
    s: float
    beta_days: float

    family: ClassVar[str] = "pareto"

    def log_odds_gone(self, frequency: Floats, recency_days: Floats, age_days: Floats) -> Floats:
        """ln((1 - p) / p) of the probability p that he is still there: -inf for certain."""
        found = np.empty(len(frequency))
        for at in range(0, len(frequency), ROWS_AT_ONCE):
            part = slice(at, at + ROWS_AT_ONCE)
            x, recency, age = frequency[part], recency_days[part], age_days[part]
            gone = _Gone(self.r, self.alpha_days, self.s, self.beta_days, x, recency, age, POINTS)
            there = (self.r + x) * np.log(self.alpha_days + age) + self.s * np.log(self.beta_days + age)
            found[part] = gone.log + there
        return found

    def expected_if_there(self, frequency: Floats, age_days: Floats, horizons_days: Floats) -> Floats:
        """Purchases within each horizon of one who is still there: a row a customer, a column a horizon.

        By Fader and Hardie's note (r + x) (beta + T) / ((alpha + T) (s - 1)) times
        1 - ((beta + T) / (beta + T + t))^(s - 1); at s = 1 its limit.
        """
        there = (self.beta_days + age_days)[:, None]
        lasting = np.log1p(horizons_days / there)
        power = (self.s - 1) * lasting
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = np.where(np.abs(power) < LEVEL, 1 - power / 2, -np.expm1(-power) / power)
        rate = (self.r + frequency) / (self.alpha_days + age_days)
        return rate[:, None] * there * lasting * ratio

    @property
    def scale_days(self) -> float:
        """The time in which what is expected of a new customer changes."""
        return min(self.alpha_days, self.beta_days)

    @classmethod
    def likelihood(cls, rows: Histories) -> Callable[[Floats], tuple[float, Floats]]:
        """Logarithms of (r, alpha, s, beta) → the mean log-likelihood and its gradient."""

        def at(theta: Floats) -> tuple[float, Floats]:
            value, gradient = 0.0, np.zeros(4)
            for begin in range(0, len(rows), ROWS_AT_ONCE):
                part = slice(begin, begin + ROWS_AT_ONCE)
                some = Histories(
                    rows.frequency[part], rows.recency_days[part], rows.age_days[part], rows.customers[part]
                )
                more, steeper = _likelihood(theta, some)
                value, gradient = value + more, gradient + steeper
            return value / rows.total, gradient / rows.total

        return at

    @classmethod
    def centre(cls, rows: Histories) -> Floats:
        """Where a search begins and the prior is flat around: logarithms of (r, alpha, s, beta)."""
        return np.log([1.0, rows.mean_age_days / 3, 1.0, rows.mean_age_days / 3])


class _Gone:
    """The integral of s (beta + u)^-(s+1) (alpha + u)^-(r+x) over the moments u he may have stopped, t_x to T.

    With the term of one who is there, (alpha + T)^-(r+x) (beta + T)^-s, it is what parameters make of a row besides
    factors; the published form takes it as a difference of two 2F1, which overflow. Here it is Gauss-Legendre in
    v = ln(1 + (u - t_x) / scale), the scale being that on which the integrand first falls: in v it is analytic in a
    strip around the axis, whatever the number of purchases. `log` is its logarithm.
    """

    def __init__(
        self, r: float, alpha: float, s: float, beta: float, x: Floats, recency: Floats, age: Floats, points: int
    ) -> None:
        self.bought = r + x
        self.to_buy, self.to_stop = alpha + recency, beta + recency
        scale = 1 / (self.bought / self.to_buy + (s + 1) / self.to_stop)
        end = np.minimum(age - recency, self.to_buy * np.expm1(np.minimum(NEGLIGIBLE / self.bought, _EXPONENT_MAX)))
        end = np.minimum(end, self.to_stop * np.expm1(min(NEGLIGIBLE / (s + 1), _EXPONENT_MAX)))
        width = np.log1p(end / scale)
        places, weights = unit_rule(points)
        since = scale[:, None] * np.expm1(width[:, None] * places)
        self.since = since
        self.log_buy, self.log_stop = np.log1p(since / self.to_buy[:, None]), np.log1p(since / self.to_stop[:, None])
        parts = np.exp(-self.bought[:, None] * self.log_buy - (s + 1) * self.log_stop)
        parts *= (since + scale[:, None]) * weights
        whole = parts.sum(axis=1) * width
        with np.errstate(divide="ignore", invalid="ignore"):
            self.shares = np.nan_to_num(parts * (width / whole)[:, None])
            self.log = np.log(s * whole) - self.bought * np.log(self.to_buy) - (s + 1) * np.log(self.to_stop)

    def mean(self, values: Floats) -> Floats:
        """The mean of values at the points over the moment he stopped, given that he has."""
        found: Floats = np.einsum("ij,ij->i", self.shares, values)
        return found


def _likelihood(theta: Floats, rows: Histories) -> tuple[float, Floats]:
    """The summed log-likelihood of rows and its gradient by the logarithms of the parameters."""
    r, alpha, s, beta = (float(one) for one in np.exp(theta))
    x, age = rows.frequency, rows.age_days
    gone = _Gone(r, alpha, s, beta, x, rows.recency_days, age, POINTS_TO_FIT)
    bought = gone.bought
    log_age, log_stop = np.log(alpha + age), np.log(beta + age)
    there = -bought * log_age - s * log_stop
    either = np.logaddexp(there, gone.log)
    share = np.exp(gone.log - either)
    rest = 1 - share
    value = gammaln(bought) - gammaln(r) + r * np.log(alpha) + s * np.log(beta) + either
    buy = gone.mean(1 / (gone.to_buy[:, None] + gone.since))
    stop = gone.mean(1 / (gone.to_stop[:, None] + gone.since))
    until_buy = gone.mean(gone.log_buy) + np.log(gone.to_buy)
    until_stop = gone.mean(gone.log_stop) + np.log(gone.to_stop)
    slopes = (
        psi(bought) - psi(r) + np.log(alpha) - rest * log_age - share * until_buy,
        r / alpha - bought * (rest / (alpha + age) + share * buy),
        np.log(beta) - rest * log_stop + share * (1 / s - until_stop),
        s / beta - rest * s / (beta + age) - share * (s + 1) * stop,
    )
    gradient = np.array([(rows.customers * slope).sum() for slope in slopes])
    return float((rows.customers * value).sum()), gradient * np.exp(theta)
