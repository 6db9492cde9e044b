"""From a ledger's whole numbers to the models' arrays and back: the one place where amounts become floats.

Owns no formula: buying, spend, shares and their product are the other modules'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from services.value.domain.models.clv import clv
from services.value.domain.models.history import history
from services.value.domain.models.purchases import Purchases, purchases
from services.value.domain.models.single import Single
from services.value.domain.models.spend import GammaGamma, shrunk

OWN_RATE_FROM_PURCHASES = 3
"""A customer's own share of returns and margin counts as much as everybody's after so many usual purchases."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """One customer's sums: days with a purchase, what he paid on all but the first, and what became of it."""

    days: Sequence[int]
    after_first: int
    gross: int
    refunds: int
    margin: int


class Rates(NamedTuple):
    """Everybody's shares: what of the gross goes back, and what of the rest is margin."""

    returned: float
    margin: float


class Expectation(NamedTuple):
    """Of one customer: still there, purchases, mean spend at one, what all of it is worth; in the ledger's unit."""

    alive: float
    purchases: float
    spend: int
    clv: int


def expectation(single: Single, spend: GammaGamma, rates: Rates, ledger: Ledger, as_of_day: int) -> Expectation:
    """By one model, as of a business day; `ledger.days` are sorted, and there is one."""
    days = ledger.days
    score = single.score(history(days[0], days[-1], len(days), as_of_day))
    each = float(spend.expected(np.array(len(days) - 1.0), np.array(float(ledger.after_first))))
    usual = OWN_RATE_FROM_PURCHASES * each
    gross, refunds = np.array(float(ledger.gross)), np.array(float(ledger.refunds))
    returned = float(shrunk(refunds, gross, rates.returned, usual))
    margin = float(shrunk(np.array(float(ledger.margin)), gross - refunds, rates.margin, usual))
    return Expectation(score.alive, score.expected, round(each), round(clv(score.discounted, each, returned, margin)))


def purchases_of(customer: Sequence[int], day: Sequence[int], amount: Sequence[int]) -> Purchases:
    """Parallel columns of whole numbers as the models read them."""
    return purchases(*(np.asarray(column, dtype=np.int64) for column in (customer, day, amount)))
