"""Gamma-Gamma: what a customer spends at a purchase, and what of it stays.

Owns the model of mean spend and rates drawn towards everybody's where a customer has shown little. Amounts are of one
unit and one currency, gross: returns and margin are rates on top of it.

Source: Fader and Hardie, "The Gamma-Gamma Model of Monetary Value" (2013). It holds that how much and how often one
buys have nothing to do with each other: `correlation` says how far that is so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import numpy as np
from scipy.special import gammaln, psi

from services.value.domain.models.arrays import Floats, Ints

Number = TypeVar("Number", float, Floats)


@dataclass(frozen=True)
class Spends:
    """Distinct (purchases, amount of all of them) in order, and how many customers have each."""

    purchases: Floats
    amount: Floats
    customers: Floats

    def __len__(self) -> int:
        return len(self.purchases)

    @property
    def total(self) -> float:
        """How many customers there are."""
        return float(self.customers.sum())

    @property
    def mean(self) -> float:
        """The mean over customers of their mean spend; 1 without anybody."""
        return float((self.customers * self.amount / self.purchases).sum() / self.total) if len(self) else 1.0

    @property
    def correlation(self) -> float:
        """Pearson's, of the number of purchases and the mean spend; 0 where one of them is the same for all."""
        if not len(self):
            return 0.0
        weight = self.customers / self.total
        often, much = self.purchases, self.amount / self.purchases
        often, much = often - (weight * often).sum(), much - (weight * much).sum()
        spread = float((weight * often**2).sum() * (weight * much**2).sum())
        return float((weight * often * much).sum()) / spread**0.5 if spread > 0 else 0.0


def spends(purchases: Ints, amount: Ints) -> Spends:
    """Equal rows together, sorted; who has no purchase, or got back more than he paid, says nothing of spending."""
    says = (purchases > 0) & (amount > 0)
    count, paid = purchases[says], amount[says]
    order = np.lexsort((paid, count))
    count, paid = count[order], paid[order]
    begins = np.flatnonzero(np.diff(count, prepend=-1) | np.diff(paid, prepend=-1))
    customers = np.diff(begins, append=len(count))
    return Spends(count[begins].astype(np.float64), paid[begins].astype(np.float64), customers.astype(np.float64))


@dataclass(frozen=True, slots=True)
class GammaGamma:
    """Parameters: purchases are Gamma(p, v), v of customers Gamma(q, gamma); q is above 1, so that a mean exists."""

    p: float
    q: float
    gamma: float

    family: ClassVar[str] = "gamma_gamma"

    @property
    def mean(self) -> float:
        """Mean spend of somebody who has not bought yet: p gamma / (q - 1)."""
        return self.p * self.gamma / (self.q - 1)

    def expected(self, purchases: Number, amount: Number) -> Number:
        """Mean spend at his next purchases: p (gamma + amount) / (p x + q - 1), equation 5 of the source.

        A sum of money below 0 counts as none.
        """
        found: Number = self.p * (self.gamma + np.maximum(amount, 0.0)) / (self.p * purchases + self.q - 1)
        return found

    @classmethod
    def likelihood(cls, rows: Spends) -> Callable[[Floats], tuple[float, Floats]]:
        """ln p, ln (q - 1), ln gamma → the mean log-likelihood of mean spends (equation 1a) and its gradient."""
        x, of_x = np.unique(rows.purchases, return_inverse=True)
        log_amount = np.log(rows.amount)
        customers, total = rows.customers, rows.total
        with_x = np.bincount(of_x, customers, len(x))
        fixed = float((customers * (np.log(rows.purchases) - log_amount)).sum())
        of_amount = float((customers * rows.purchases * log_amount).sum())

        def at(theta: Floats) -> tuple[float, Floats]:
            p, less, gamma = np.exp(theta)
            q = 1 + less
            shape = p * rows.purchases + q
            paid = gamma + rows.amount
            log_paid = customers * np.log(paid)
            value = (with_x * (gammaln(p * x + q) - gammaln(p * x))).sum() + p * of_amount + fixed
            value += total * (q * np.log(gamma) - gammaln(q)) - (shape * log_paid).sum()
            many = psi(p * x + q)
            gradient = np.array([
                (with_x * x * (many - psi(p * x))).sum() + of_amount - (rows.purchases * log_paid).sum(),
                (with_x * many).sum() + total * (np.log(gamma) - psi(q)) - log_paid.sum(),
                total * q / gamma - (customers * shape / paid).sum(),
            ])  # fmt: skip
            return float(value) / total, gradient * np.array([p, less, gamma]) / total

        return at

    @classmethod
    def centre(cls, rows: Spends) -> Floats:
        """Where a search begins: ln p, ln (q - 1), ln gamma."""
        return np.log([4.0, 3.0, rows.mean])

    @classmethod
    def of(cls, theta: Floats) -> GammaGamma:
        """From ln p, ln (q - 1), ln gamma."""
        p, less, gamma = (float(one) for one in np.exp(theta))
        return cls(p, 1 + less, gamma)


def shrunk(part: Floats, whole: Floats, rate: float, as_much_as: float | Floats) -> Floats:
    """A customer's own rate, drawn to everybody's `rate` as if he had shown that of `as_much_as` as well.

    For what share of the gross goes back, and what share of the rest is margin. Where both wholes are 0: `rate`.
    `as_much_as`: one for all, or each customer's own.
    """
    known = np.maximum(whole, 0.0) + as_much_as
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(known > 0, (part + rate * as_much_as) / known, rate)
