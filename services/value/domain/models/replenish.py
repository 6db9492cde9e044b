"""Replenish: what a customer is likely to buy again, of what he bought so far.

Owns the weights of days and the order of the list. A purchase counts half after 90 days. Weights are whole numbers
relative to a fixed day, so sums of them are the same in any order, and what was added can be taken out again exactly:
lateness, copies, merges and splits leave no trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

HALF_LIFE_DAYS = 90
EPOCH_DAY = 10_957
"""2000-01-01, in days since 1970-01-01: weights of all days are relative to it, whenever they are taken."""
SCALE_BITS = 64
"""Binary digits of a weight on the first day; days before have fewer, and none some fifteen years before."""
EVERYBODY = 100
"""How many purchases of his own a customer's list is worth that nothing is known of: then it is everybody's.

Of 30, 60, 100 and 200 the best for the next baskets after 2017-09-15 and 2017-10-15 of The Complete Journey.
"""


def _steps() -> tuple[int, ...]:
    return tuple(int(Decimal(2) ** (SCALE_BITS + Decimal(day) / HALF_LIFE_DAYS)) for day in range(HALF_LIFE_DAYS))


_STEPS = _steps()


def weight(day: int) -> int:
    """The weight of a purchase on this day since 1970-01-01: twice that of one a half-life before."""
    halves, rest = divmod(day - EPOCH_DAY, HALF_LIFE_DAYS)
    return _STEPS[rest] << halves if halves >= 0 else _STEPS[rest] >> -halves


class Bought(NamedTuple):
    """One customer's purchases of one item: the sum of their weights, on how many days, the first and the last."""

    weight: int
    days: int
    first_day: int
    last_day: int


class Suggestion(NamedTuple):
    """An item, its score (in purchases on the day of the answer), and why: how often, when last, how far apart."""

    item: str
    score: float
    days: int
    last_day: int
    every_days: int | None


def bought(days: Iterable[tuple[str, int]]) -> dict[str, Bought]:
    """Of (item, day) pairs, in any order; a pair that comes twice counts once."""
    found: dict[str, list[int]] = {}
    for item, day in set(days):
        found.setdefault(item, []).append(day)
    return {item: Bought(sum(map(weight, of)), len(of), min(of), max(of)) for item, of in found.items()}


def everybody(customers: Iterable[Mapping[str, Bought]]) -> dict[str, int]:
    """What all customers bought: the weights of each item. Additive: customers can be added and taken out."""
    found: dict[str, int] = {}
    for items in customers:
        for item, one in items.items():
            found[item] = found.get(item, 0) + one.weight
    return found


def replenish(
    own: Mapping[str, Bought], popular: Mapping[str, int], as_of_day: int, limit: int = 10, total: int | None = None
) -> list[Suggestion]:
    """The items he is likeliest to buy next of those he has bought, the likeliest first.

    A customer's own count, as of the day, is drawn towards everybody's: `popular` is what `everybody` gives, or some
    of it, and `total` the sum of all its weights (None: it is all there).
    """
    whole = (sum(popular.values()) if total is None else total) or 1
    now = weight(as_of_day) or 1
    scored = [(one.weight / now + EVERYBODY * popular.get(item, 0) / whole, item) for item, one in own.items()]
    scored.sort(key=lambda found: (-found[0], found[1]))
    return [_suggestion(item, score, own[item]) for score, item in scored[:limit]]


def _suggestion(item: str, score: float, one: Bought) -> Suggestion:
    every = round((one.last_day - one.first_day) / (one.days - 1)) if one.days > 1 else None
    return Suggestion(item, score, one.days, one.last_day, every)
