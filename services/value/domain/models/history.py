"""What a model knows of a customer: how often, how recently and for how long he has bought.

Owns the summary of business days and equal summaries held together. Several orders of one day are one purchase: their
distinct days count. Sums of money are spend.py's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from services.value.domain.models.arrays import Floats, Ints


class History(NamedTuple):
    """One customer on one day: x, t_x and T of the literature.

    `frequency` is the number of days with a purchase after the first, `recency_days` from the first to the last of
    them, `age_days` from the first to the day of the answer.
    """

    frequency: int
    recency_days: int
    age_days: int


def history(first_day: int, last_day: int, days: int, as_of_day: int) -> History:
    """The summary as of a day, of the first, the last and the number of distinct days with a purchase.

    Days are counted from any one day. A purchase after `as_of_day` (a clock that runs ahead) makes its own day the
    day of the answer.
    """
    return History(max(days - 1, 0), last_day - first_day, max(as_of_day, last_day) - first_day)


@dataclass(frozen=True)
class Histories:
    """Distinct summaries in order and how many customers have each: a function of the set of customers alone."""

    frequency: Floats
    recency_days: Floats
    age_days: Floats
    customers: Floats

    def __len__(self) -> int:
        return len(self.frequency)

    @cached_property
    def total(self) -> float:
        """How many customers there are."""
        return float(self.customers.sum())

    @cached_property
    def mean_age_days(self) -> float:
        """The mean time since the first purchase, at least a day."""
        return max(float((self.customers * self.age_days).sum()) / max(self.total, 1.0), 1.0)

    def sampled(self, rows_max: int) -> Histories:
        """At most `rows_max` rows that stand for all of them; all when they fit.

        Half of them are those of the most customers, as they are; of the others every k-th stands for its like.
        """
        if len(self) <= rows_max:
            return self
        by_weight = np.argsort(-self.customers, kind="stable")
        heavy, light = by_weight[: rows_max // 2], np.sort(by_weight[rows_max // 2 :])
        step = -(-len(light) // (rows_max - len(heavy)))
        some = light[step // 2 :: step]
        share = self.customers[light].sum() / self.customers[some].sum()
        chosen = np.concatenate([heavy, some])
        customers = np.concatenate([self.customers[heavy], self.customers[some] * share])
        return Histories(self.frequency[chosen], self.recency_days[chosen], self.age_days[chosen], customers)


def grouped(frequency: Ints, recency_days: Ints, age_days: Ints) -> Histories:
    """Equal summaries together, sorted; no value is below 0."""
    x, recency, age = (np.asarray(part, dtype=np.int64) for part in (frequency, recency_days, age_days))
    if not len(x):
        none = np.zeros(0)
        return Histories(none, none, none, none)
    by_x = int(x.max()) + 1
    by_recency = by_x * (int(recency.max()) + 1)
    codes, counts = np.unique(age * by_recency + recency * by_x + x, return_counts=True)
    return Histories(
        (codes % by_x).astype(np.float64),
        (codes % by_recency // by_x).astype(np.float64),
        (codes // by_recency).astype(np.float64),
        counts.astype(np.float64),
    )
