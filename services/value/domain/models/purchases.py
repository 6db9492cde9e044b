"""Purchases: who bought on which business day for how much, and what was known and what came after on any day.

Owns the step from days to the summaries models are fitted on, as of now or of an earlier day, so that a model can be
asked about a time whose outcome is known. Amounts are whole numbers of 10^-4 of one currency's unit, gross.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from services.value.domain.models.arrays import Floats, Ints
from services.value.domain.models.history import Histories, grouped
from services.value.domain.models.spend import Spends, spends


@dataclass(frozen=True)
class Standing:
    """Customers as known on a day: those who had bought by then, in the order of their labels.

    Summaries are x, t_x and T; `amount_after_first` is what they paid on all days but the first.
    """

    customer: Ints
    frequency: Ints
    recency_days: Ints
    age_days: Ints
    amount_after_first: Ints

    @property
    def histories(self) -> Histories:
        """What a model of buying is fitted on."""
        return grouped(self.frequency, self.recency_days, self.age_days)

    @property
    def spends(self) -> Spends:
        """What a model of spend is fitted on: as published, the first day is left out."""
        return spends(self.frequency, self.amount_after_first)


@dataclass(frozen=True)
class Purchases:
    """Distinct days of customers, sorted by (customer, day); `customer` is any whole number, from 0 on."""

    customer: Ints
    day: Ints
    amount: Ints

    @cached_property
    def first_day(self) -> int:
        """The first day of all."""
        return int(self.day.min())

    @cached_property
    def last_day(self) -> int:
        """The last day of all."""
        return int(self.day.max())

    def standing(self, as_of_day: int) -> Standing:
        """What was known at the end of a day."""
        known = self.day <= as_of_day
        customer, day, amount = self.customer[known], self.day[known], self.amount[known]
        begins = np.flatnonzero(np.diff(customer, prepend=-1))
        ends = np.append(begins[1:], len(customer)) - 1 if len(begins) else begins
        totals = np.add.reduceat(amount, begins) if len(begins) else amount
        first, last = day[begins], day[ends]
        return Standing(customer[begins], ends - begins, last - first, as_of_day - first, totals - amount[begins])

    def after(self, standing: Standing, from_day: int, until_day: int) -> tuple[Floats, Floats]:
        """Of the customers of a standing the days on which they bought, and the amounts they paid, from after
        `from_day` to the end of `until_day`.
        """
        later = (self.day > from_day) & (self.day <= until_day)
        at = np.searchsorted(standing.customer, self.customer[later])
        at = np.minimum(at, max(len(standing.customer) - 1, 0))
        is_known = standing.customer[at] == self.customer[later] if len(standing.customer) else np.zeros(0, bool)
        counts = np.bincount(at[is_known], minlength=len(standing.customer))
        amounts = np.bincount(at[is_known], self.amount[later][is_known], minlength=len(standing.customer))
        return counts.astype(np.float64), amounts.astype(np.float64)


def purchases(customer: Ints, day: Ints, amount: Ints) -> Purchases:
    """From rows in any order: of one customer's rows of one day the amounts are added."""
    order = np.lexsort((day, customer))
    customer, day, amount = customer[order], day[order], amount[order]
    begins = np.flatnonzero(np.diff(customer, prepend=-1) | np.diff(day, prepend=np.iinfo(np.int64).min))
    amounts = np.add.reduceat(amount, begins) if len(begins) else amount
    return Purchases(customer[begins], day[begins], amounts)
