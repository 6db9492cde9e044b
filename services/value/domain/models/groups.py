"""Needs groups: customers who buy and state alike, with a label a person understands.

Owns learning groups and finding somebody's. Each customer is a direction in the space of areas and needs: how often,
less than linearly, and more where few others do (inverse document frequency). Groups are spherical k-means; how many
there are is chosen by the simplified silhouette. What is learnt is a function of the set of customers.

Source: Dhillon and Modha, Concept Decompositions for Large Sparse Text Data (Machine Learning 42, 2001).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log, sqrt
from typing import NamedTuple

import numpy as np

from services.value.domain.models.arrays import Floats, Ints

GROUPS_MAX = 8
FEATURES_MAX = 300
FEATURE_CUSTOMERS_MIN = 2
CUSTOMERS_MAX = 20_000
"""So many customers are enough to learn groups of."""
STARTS, ROUNDS_MAX = 8, 100
CANDIDATES = 64
"""Rows out of which the beginnings of groups are chosen."""
ALIKE = 0.15
"""Below this silhouette customers are no groups: they are all alike."""
LABEL_PARTS = 2
LABEL_SHARE = 0.5
"""A label's second word weighs at least this part of the first."""
EVERYBODY = "everybody"
WEIGHT_DIGITS = 4
LEAST_WEIGHT = 0.005
"""What weighs less in a group is left out of it."""


class Nearest(NamedTuple):
    """Somebody's group, and how sure it is: 0 where another is as near, 1 where he is in its middle."""

    label: str
    confidence: float


@dataclass(frozen=True)
class Groups:
    """What was learnt. `rarity` weighs areas and needs; each group is a label and a direction of length 1.

    `parts`: label → the groups within it, told apart by more than the groups are.
    """

    version: int
    rarity: Mapping[str, float]
    groups: Sequence[tuple[str, Mapping[str, float]]]
    parts: Mapping[str, Groups] = field(default_factory=dict)

    def nearest(self, counts: Mapping[str, int]) -> Nearest | None:
        """Of who bought or stated these so often; None where nothing of it is known to any group."""
        mine = {name: sqrt(count) * self.rarity[name] for name, count in counts.items()
                if count > 0 and name in self.rarity}  # fmt: skip
        length = sqrt(sum(weight * weight for weight in mine.values()))
        if not length or not self.groups:
            return None
        near = sorted(
            (-sum(weight * centre.get(name, 0.0) for name, weight in sorted(mine.items())) / length, label)
            for label, centre in self.groups
        )
        if -near[0][0] <= 0:
            return None
        first, second = 1 + near[0][0], 1 + near[1][0] if len(near) > 1 else 1.0
        return Nearest(near[0][1], max(0.0, 1 - first / second) if second > 0 else 0.0)


def learn_groups(customers: Iterable[Mapping[str, int]], version: int, groups_max: int = GROUPS_MAX) -> Groups:
    """Groups of customers, each how often he bought or stated what."""
    alike = Counter(tuple(sorted((n, c) for n, c in one.items() if c > 0)) for one in customers)
    alike.pop((), None)
    kinds = sorted(alike)
    having = Counter(name for kind in kinds for name, _ in kind for _ in range(alike[kind]))
    names = sorted(sorted(n for n, c in having.items() if c >= FEATURE_CUSTOMERS_MIN),
                   key=lambda name: -having[name])[:FEATURES_MAX]  # fmt: skip
    total = sum(alike.values())
    rarity = {name: round(log((1 + total) / (1 + having[name])) + 1, WEIGHT_DIGITS) for name in names}
    rows, weights = _directions(kinds, [alike[kind] for kind in kinds], names, rarity)
    if not len(rows):
        return Groups(version, {}, ())
    best, chosen = 0.0, np.zeros(len(rows), dtype=np.int64)
    for count in range(2, min(groups_max, len(rows)) + 1):
        found = _clustered(rows, weights, count)
        score = _silhouette(rows, weights, found)
        if score > max(best, ALIKE):
            best, chosen = score, found
    centres = _centres(rows, weights, chosen, int(chosen.max()) + 1)
    return Groups(version, rarity, _labelled(centres, names, (weights[:, None] * rows).sum(axis=0) / weights.sum()))


def _directions(
    kinds: Sequence[tuple[tuple[str, int], ...]], counts: Sequence[int], names: Sequence[str],
    rarity: Mapping[str, float],
) -> tuple[Floats, Floats]:  # fmt: skip
    """One row of length 1 for each kind of customer who has any of the names, and how many he stands for."""
    places = {name: place for place, name in enumerate(names)}
    rows = np.zeros((len(kinds), len(names)))
    for row, kind in zip(rows, kinds, strict=True):
        for name, count in kind:
            if name in places:
                row[places[name]] = sqrt(count) * rarity[name]
    lengths = np.linalg.norm(rows, axis=1)
    has = lengths > 0
    return rows[has] / lengths[has, None], np.array(counts, dtype=np.float64)[has]


def _clustered(rows: Floats, weights: Floats, count: int) -> Ints:
    """The best of several starts: which group each row is in."""
    best, found = -np.inf, np.zeros(len(rows), dtype=np.int64)
    for start in range(STARTS):
        centres = _starts(rows, weights, count, start)
        groups = (rows @ centres.T).argmax(axis=1)
        for _ in range(ROUNDS_MAX):
            centres = _centres(rows, weights, groups, count)
            now = (rows @ centres.T).argmax(axis=1)
            if (now == groups).all():
                break
            groups = now
        score = float((weights * (rows @ centres.T).max(axis=1)).sum())
        if score > best + 1e-9:
            best, found = score, groups
    return np.unique(found, return_inverse=True)[1].astype(np.int64)


def _starts(rows: Floats, weights: Floats, count: int, start: int) -> Floats:
    """Rows that leave the others least far from one of them, each the best of some evenly drawn."""
    step = max(1, len(rows) // CANDIDATES)
    drawn = rows[start % step :: step]
    far = np.maximum(1 - rows @ drawn.T, 0)
    chosen = [int((start * 7) % len(drawn))]
    left = far[:, chosen[0]]
    for _ in range(count - 1):
        then = weights @ np.minimum(left[:, None], far)
        chosen.append(int(then.argmin()))
        left = np.minimum(left, far[:, chosen[-1]])
    return drawn[chosen].copy()


def _centres(rows: Floats, weights: Floats, groups: Ints, count: int) -> Floats:
    sums = np.zeros((count, rows.shape[1]))
    np.add.at(sums, groups, weights[:, None] * rows)
    lengths = np.linalg.norm(sums, axis=1)
    found: Floats = sums / np.where(lengths > 0, lengths, 1)[:, None]
    return found


def _silhouette(rows: Floats, weights: Floats, groups: Ints) -> float:
    """How much nearer their own group's centre customers are than the next, from -1 to 1."""
    count = int(groups.max()) + 1
    if count < 2:
        return 0.0
    far = 1 - rows @ _centres(rows, weights, groups, count).T
    own = far[np.arange(len(rows)), groups]
    far[np.arange(len(rows)), groups] = np.inf
    other = far.min(axis=1)
    most = np.maximum(np.maximum(own, other), 1e-12)
    return float((weights * (other - own) / most).sum() / weights.sum())


def _labelled(centres: Floats, names: Sequence[str], usual: Floats) -> list[tuple[str, Mapping[str, float]]]:
    """Each group by what its customers have more of than everybody, the most first; labels are all different."""
    found: dict[str, Mapping[str, float]] = {}
    for centre in centres:
        more = centre - usual if len(centres) > 1 else centre
        order = sorted(range(len(names)), key=lambda place: (-more[place], names[place]))
        words = [names[p] for p in order[:LABEL_PARTS] if more[p] >= LABEL_SHARE * more[order[0]] and more[p] > 0]
        label = " and ".join(words) if len(centres) > 1 and words else EVERYBODY
        while label in found:
            label = f"{label}, otherwise"
        weights = {
            names[p]: round(float(centre[p]), WEIGHT_DIGITS) for p in np.flatnonzero(centre > LEAST_WEIGHT).tolist()
        }
        found[label] = dict(sorted(weights.items(), key=lambda one: (-one[1], one[0])))
    return sorted(found.items())
