"""The Complete Journey: what households bought next, foretold from what they bought to 2017-11-15.

Owns the split and the figures. A household's next basket is its first after the split; only products in at least 50
baskets before it count. Recall@10 is what of the basket is among ten, by the size of the basket or ten, whichever is
less. What is new is measured apart: products of the next basket that the household had not bought. What there was to
choose (`replenish.EVERYBODY`, `discover.RIDGE`) was chosen on two earlier splits, which are told, too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np

from services.ops.demo.journey import FIRST_DAY, tables
from services.value.domain.models.arrays import Floats
from services.value.domain.models.discover import KEPT, Voices, discover, ease, learn, together
from services.value.domain.models.replenish import Bought, bought, everybody, replenish, weight

SPLITS = (date(2017, 9, 15), date(2017, 10, 15), date(2017, 11, 15))
"""The last is the test's."""
BASKETS_MIN, TOP = 50, 10
RIDGE_OF_AGES = 500.0
BAR = 0.25
_EPOCH = date(1970, 1, 1)

Row = tuple[str, int, str, str]
Guess = Callable[[str], Collection[str]]


@dataclass(slots=True)
class Split:
    """One split: what each household had bought, its next basket, and what everybody bought."""

    own: dict[str, dict[str, Bought]] = field(default_factory=dict)
    following: dict[str, set[str]] = field(default_factory=dict)
    popular: dict[str, int] = field(default_factory=dict)
    baskets: dict[str, int] = field(default_factory=dict)

    def recall(self, guess: Guess) -> float:
        """Of the next basket."""
        return _recall(guess, self.following)

    def recall_new(self, guess: Guess) -> float:
        """Of what is new in it."""
        new = {who: basket - self.own.get(who, {}).keys() for who, basket in self.following.items()}
        return _recall(guess, {who: basket for who, basket in new.items() if basket})


def lines(_folder: Path) -> list[str]:
    """The table, with the bar."""
    rows = _rows()
    measured = [Ways(split_at(rows, (day - _EPOCH).days)).figures() for day in SPLITS]
    last = measured[-1]
    names = [f"{day:%Y-%m-%d}" for day in SPLITS]
    reached = last["replenish"][0] or 0.0
    return [
        "",
        "## Next baskets of The Complete Journey",
        f"Recall@10, train to 2017-11-15, products with at least {BASKETS_MIN} baskets. Bar for the next basket "
        f"{BAR:g}: {'met' if reached >= BAR else '**missed**'} ({reached:.4f}). Settings were chosen on the earlier "
        "splits.",
        "",
        f"| way | {' | '.join(f'next basket after {name}' for name in names)} | "
        f"{' | '.join(f'new products after {name}' for name in names)} |",
        "| --- " * (1 + 2 * len(SPLITS)) + "|",
        *(
            f"| {_bold(way)} | {' | '.join(_shown(table[way][part]) for part in (0, 1) for table in measured)} |"
            for way in last
        ),
    ]


class Ways:
    """The ways to foretell, learnt on one split."""

    def __init__(self, split: Split) -> None:
        self.split = split
        self.day = max(one.last_day for own in split.own.values() for one in own.values())
        self.total = sum(split.popular.values())
        self.best = sorted(split.popular, key=lambda item: (-split.baskets[item], item))
        self.items = sorted(split.popular)
        self.households = sorted(split.own)
        self.index = {item: at for at, item in enumerate(self.items)}
        pairs = [(at, self.index[item]) for at, who in enumerate(self.households) for item in split.own[who]]
        self.who, self.what = np.array(pairs).T

    def figures(self) -> dict[str, tuple[float | None, float | None]]:
        """way → recall of the next basket, and of what is new in it; None where a way does not say."""
        split, ages = self.split, self.matrix(lambda one: one.weight / weight(self.day))
        voices = learn(self.who, self.what, len(self.items))
        cosine = _cosine(together(self.who, self.what, len(self.items)))
        by_ease = self.of_all(ease(ages.T @ ages, RIDGE_OF_AGES), ages)
        by_cosine = self.of_all(cosine, self.matrix(lambda _: 1.0))
        return {
            "replenish": (split.recall(lambda who: self.again(who, split.popular)), None),
            "own purchases by age alone": (split.recall(lambda who: self.again(who, {})), None),
            "discover (EASE)": (None, split.recall_new(self.spoken_for(voices))),
            "EASE of purchases by age, own products too": (split.recall(by_ease), None),
            "item-kNN, cosine": (split.recall(by_cosine), split.recall_new(self.spoken_for(_loudest(cosine)))),
            "popularity": (split.recall(lambda _: self.best[:TOP]), split.recall_new(self.popular_new)),
        }

    def matrix(self, value: Callable[[Bought], float]) -> Floats:
        """Households by products."""
        found = np.zeros((len(self.households), len(self.items)))
        found[self.who, self.what] = [value(one) for who in self.households for one in self.split.own[who].values()]
        return found

    def again(self, who: str, popular: Mapping[str, int]) -> list[str]:
        """What he bought before."""
        own = self.split.own.get(who, {})
        return [one.item for one in replenish(own, popular, self.day, TOP, self.total)]

    def popular_new(self, who: str) -> list[str]:
        """What most buy and he has not."""
        own = self.split.own.get(who, {})
        return [item for item in self.best[: TOP + len(own)] if item not in own][:TOP]

    def spoken_for(self, voices: Voices) -> Guess:
        """What he has not bought and what he has speaks for."""

        def guess(who: str) -> list[str]:
            owned = [self.index[item] for item in self.split.own.get(who, {})]
            return [self.items[one.item] for one in discover(voices, owned, TOP)]

        return guess

    def of_all(self, weights: Floats, counts: Floats) -> Guess:
        """The largest of counts times weights, whether he has bought it or not."""
        best = np.argsort(-(counts @ weights), axis=1, kind="stable")[:, :TOP]
        rows = {who: [self.items[at] for at in best[row]] for row, who in enumerate(self.households)}
        return lambda who: rows.get(who, [])


def _cosine(counts: Floats) -> Floats:
    """Cosines of who bought what: the item-kNN that is usual."""
    norms = np.sqrt(np.maximum(np.diag(counts), 1))
    cosine: Floats = counts / np.outer(norms, norms)
    np.fill_diagonal(cosine, 0.0)
    return cosine


def _loudest(weights: Floats) -> Voices:
    others = np.argsort(-weights, axis=1, kind="stable")[:, :KEPT]
    return Voices(others, np.take_along_axis(weights, others, axis=1))


def _recall(guess: Guess, truth: dict[str, set[str]]) -> float:
    shares = [len(basket.intersection(guess(who))) / min(len(basket), TOP) for who, basket in truth.items()]
    return sum(shares) / len(shares)


def split_at(rows: list[Row], day: int) -> Split:
    """What was known at the end of a day, and what came next."""
    split = Split()
    baskets: dict[str, set[str]] = {}
    for _, when, basket, item in rows:
        if when <= day:
            baskets.setdefault(item, set()).add(basket)
    split.baskets = {item: len(of) for item, of in baskets.items() if len(of) >= BASKETS_MIN}
    days: dict[str, list[tuple[str, int]]] = {}
    first: dict[str, tuple[int, str]] = {}
    for who, when, basket, item in rows:
        if item in split.baskets:
            if when <= day:
                days.setdefault(who, []).append((item, when))
            else:
                first[who] = min(first.get(who, (when, basket)), (when, basket))
    split.own = {who: bought(of) for who, of in days.items()}
    split.popular = everybody(split.own.values())
    for who, _, basket, item in rows:
        if who in first and first[who][1] == basket and item in split.baskets:
            split.following.setdefault(who, set()).add(item)
    return split


def _rows() -> list[Row]:
    """(household, day, basket, product) of every line."""
    sales = tables("transactions")["transactions"]
    days = (sales.transaction_timestamp.dt.normalize() - FIRST_DAY.replace(tzinfo=None)).dt.days
    first = (FIRST_DAY.date() - _EPOCH).days
    columns = (sales[name].astype(str).tolist() for name in ("household_id", "basket_id", "product_id"))
    households, names, products = columns
    return list(zip(households, (days + first).tolist(), names, products, strict=True))


def _bold(way: str) -> str:
    return f"**{way}**" if way in ("replenish", "discover (EASE)") else way


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
