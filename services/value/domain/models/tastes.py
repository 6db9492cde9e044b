"""Tastes: what all customers bought, learnt once, and the two lists it makes for one of them.

Owns what is learnt of everybody (which items are bought most, which speak for others) and putting it beside one
customer's own purchases. The two formulas are replenish.py's and discover.py's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from services.value.domain.models.discover import Voices, discover, learn
from services.value.domain.models.replenish import Bought, Suggestion, replenish, weight

NO_VOICES = Voices(np.zeros((0, 0), dtype=np.int64), np.zeros((0, 0)))
ITEMS_MAX = 3_000
"""So many of the most bought items can be discovered: learning takes their cube."""


class Sold(NamedTuple):
    """On one business day so many customers bought an item."""

    item: str
    day: int
    customers: int


class Found(NamedTuple):
    """An item he has not bought: how much speaks for it, and what he bought that speaks the loudest.

    `because` None: nothing he bought says anything; many others bought it.
    """

    item: str
    score: float
    because: str | None


@dataclass(frozen=True)
class Tastes:
    """What was learnt of everybody. `popular` are weights (replenish.py) of items, `total` of all of them."""

    items: Sequence[str]
    numbers: Mapping[str, int]
    popular: Mapping[str, int]
    total: int
    voices: Voices

    def replenish(self, own: Mapping[str, Bought], day: int, limit: int) -> list[Suggestion]:
        """What he is likeliest to buy again."""
        return replenish(own, self.popular, day, limit, self.total)

    def discover(self, own: Iterable[str], limit: int) -> list[Found]:
        """What he may want that he has not bought; after what speaks for something, what most others buy."""
        mine = set(own)
        known = [self.numbers[item] for item in mine if item in self.numbers]
        found = [
            Found(self.items[one.item], one.score, self.items[one.because])
            for one in discover(self.voices, known, limit)
        ]
        has = mine | {one.item for one in found}
        others = (item for item in self.items if item not in has)
        whole = self.total or 1
        return [*found, *(Found(item, self.popular.get(item, 0) / whole, None)
                          for item, _ in zip(others, range(limit - len(found)), strict=False))]  # fmt: skip


def tastes(sold: Iterable[Sold], pairs: Iterable[tuple[str, str]], items_max: int = ITEMS_MAX) -> Tastes:
    """Learn of what was sold, and of (customer, item) pairs; a pair that comes twice counts once."""
    popular: dict[str, int] = {}
    for one in sold:
        popular[one.item] = popular.get(one.item, 0) + one.customers * weight(one.day)
    items = sorted(popular, key=lambda item: (-popular[item], item))[:items_max]
    numbers = {item: number for number, item in enumerate(items)}
    who: dict[str, int] = {}
    rows = [(who.setdefault(customer, len(who)), numbers[item]) for customer, item in pairs if item in numbers]
    both = np.array(rows, dtype=np.int64).reshape(-1, 2)
    voices = learn(both[:, 0], both[:, 1], len(items)) if len(both) else NO_VOICES
    return Tastes(items, numbers, popular, sum(popular.values()), voices)
