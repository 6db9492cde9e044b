"""From a ledger's whole numbers to the models' arrays and back: the one place where amounts become floats.

Owns no formula: buying, spend, shares and their product are the other modules'. Amounts are of one unit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import numpy as np

from services.value.domain.models.arrays import Floats, Ints
from services.value.domain.models.clv import clv
from services.value.domain.models.history import History, history
from services.value.domain.models.purchases import Purchases, purchases
from services.value.domain.models.scoring import Model, Terms, scored
from services.value.domain.models.silence import age_below
from services.value.domain.models.single import Single
from services.value.domain.models.spend import GammaGamma, shrunk

OWN_RATE_FROM_PURCHASES = 3
"""A customer's own share of returns and margin counts as much as everybody's after so many usual purchases."""
SILENCE_DAYS_MAX = 7_300
"""No day of a fall is looked for farther ahead than this."""
ALIVE_DIGITS = 4
"""The chance that he is still there is told, and compared with bounds, rounded to so many digits."""


class Rates(NamedTuple):
    """Everybody's shares: what of the gross goes back, and what of the rest is margin."""

    returned: float
    margin: float


class Sums(NamedTuple):
    """What a customer's bookings up to some day come to.

    `bought` are days with a purchase, from the first to the last; `after_first` what he paid on all but the first;
    `margin` is less what serving him cost.
    """

    bought: int
    first_day: int
    last_day: int
    after_first: int
    gross: int
    refunds: int
    margin: int


class Expectation(NamedTuple):
    """Of one customer: still there, purchases, mean spend at one, what all of it is worth; in the ledger's unit."""

    alive: float
    purchases: float
    spend: int
    clv: int


class Prospect(msgspec.Struct, frozen=True):
    """One customer under one model: what of him does not change in silence, and what he is worth on any day.

    `each` is his mean spend at a purchase, `returned` and `margin` his shares, drawn to everybody's.
    """

    single: Single
    sums: Sums
    each: float
    returned: float
    margin: float

    def on(self, day: int) -> Expectation:
        """What is expected of him as of a business day."""
        score = self.single.score(self._history(day))
        worth = self._worth(score.discounted)
        return Expectation(round(score.alive, ALIVE_DIGITS), score.expected, round(self.each), worth)

    def clv(self, day: int) -> int:
        """What all that is to come of him is worth."""
        sums = self.sums
        first, last = sums.first_day, sums.last_day
        age = (day if day > last else last) - first
        return self._worth(self.single.discounted(sums.bought - 1, last - first, age))

    def alive(self, day: int) -> float:
        """The chance that he is still there."""
        sums = self.sums
        first, last = sums.first_day, sums.last_day
        age = (day if day > last else last) - first
        return round(self.single.there(sums.bought - 1, last - first, age), ALIVE_DIGITS)

    def clv_below(self, bound: int, day: int, until: int) -> int | None:
        """The first day after `day` to `until` on which he is worth less, if he buys nothing; None: none."""
        return self._below(self.clv, bound, day, until)

    def alive_below(self, bound: float, day: int, until: int) -> int | None:
        """The same of the chance that he is still there."""
        return self._below(self.alive, bound, day, until)

    def _below(self, worth: Callable[[int], float], bound: float, day: int, until: int) -> int | None:
        first = self.sums.first_day
        age = age_below(lambda at: worth(first + at), bound, day - first, until - first, self.single.scale_days)
        return None if age is None else first + age

    def _history(self, day: int) -> History:
        return history(self.sums.first_day, self.sums.last_day, self.sums.bought, day)

    def _worth(self, discounted: float) -> int:
        return round(clv(discounted, self.each, self.returned, self.margin))


def prospect(single: Single, spend: GammaGamma, rates: Rates, sums: Sums) -> Prospect:
    """Of who bought on one day at least."""
    each = float(spend.expected(float(sums.bought - 1), float(sums.after_first)))
    usual = OWN_RATE_FROM_PURCHASES * each
    returned = _share(sums.refunds, sums.gross, rates.returned, usual)
    margin = _share(sums.margin, sums.gross - sums.refunds, rates.margin, usual)
    return Prospect(single, sums, each, returned, margin)


def _share(part: int, whole: int, rate: float, as_much_as: float) -> float:
    """As spend.shrunk, of one customer."""
    known = max(float(whole), 0.0) + as_much_as
    return (float(part) + rate * as_much_as) / known if known > 0 else rate


@dataclass(frozen=True, slots=True)
class Columns:
    """The `Sums` of many customers, column by column, as of one day: `age_days` since each one's first."""

    frequency: Ints
    recency_days: Ints
    age_days: Ints
    after_first: Ints
    gross: Ints
    refunds: Ints
    margin: Ints


class Worths(NamedTuple):
    """What Prospect tells of one customer, of many."""

    alive: Floats
    purchases: Floats
    clv: Floats


def worths(model: Model, spend: GammaGamma, terms: Terms, rates: Rates, of: Columns) -> Worths:
    """Of many customers at once."""
    found = scored(model, of.frequency, of.recency_days, of.age_days, terms)
    each = spend.expected(of.frequency.astype(np.float64), of.after_first.astype(np.float64))
    gross, refunds = of.gross.astype(np.float64), of.refunds.astype(np.float64)
    usual = OWN_RATE_FROM_PURCHASES * each
    returned = shrunk(refunds, gross, rates.returned, usual)
    margin = shrunk(of.margin.astype(np.float64), gross - refunds, rates.margin, usual)
    return Worths(found.alive, found.expected, np.rint(clv(found.discounted, each, returned, margin)))


def columns_of(sums: Sequence[Sums], as_of_day: int) -> Columns:
    """Of customers who all had bought by then."""
    rows = np.array([list(one) for one in sums], dtype=np.int64).reshape(-1, len(Sums._fields)).T
    bought, first, last, after_first, gross, refunds, margin = rows
    return Columns(bought - 1, last - first, np.maximum(as_of_day, last) - first, after_first, gross, refunds, margin)


def purchases_of(customer: Sequence[int], day: Sequence[int], amount: Sequence[int]) -> Purchases:
    """Parallel columns of whole numbers as the models read them."""
    return purchases(*(np.asarray(column, dtype=np.int64) for column in (customer, day, amount)))


def bounds_of(worth: Sequence[int], shares: Sequence[float]) -> list[int]:
    """The worths from which on the best `shares` (ascending parts of 1) of the customers are; an exact sort."""
    best = np.sort(np.asarray(worth, dtype=np.int64))[::-1]
    if not len(best):
        return []
    return [int(best[min(max(round(share * len(best)), 1), len(best)) - 1]) for share in shares]


def ranked(worth: Floats, bounds: Sequence[int]) -> list[int]:
    """How many of the falling bounds each worth is below."""
    rising = np.asarray(bounds[::-1], dtype=np.float64)
    found: list[int] = (len(bounds) - np.searchsorted(rising, worth, side="right")).tolist()
    return found
