"""How right an answer to "who is who" is, against the truth, and what naive joining would have answered.

Owns the measures and the baseline: pure, exact, without enumerating pairs. Must not know where an answer
came from.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.identifiers import usable

RecordKey = tuple[str, str]
"""(identifier type, normalised value), as schemas.identifiers has it."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Of `records` records of `persons` persons, put to `customers` customers. Measures: 0 to 1.

    `pairs_*` count pairs of records said to be one; B-cubed averages over records, so that one large
    mistake does not hide many small ones. A share of no pairs at all is 1.
    """

    records: int
    persons: int
    customers: int
    pairs_true: int
    pairs_said: int
    pairs_right: int
    bcubed_precision: float
    bcubed_recall: float

    @property
    def precision(self) -> float:
        """Of the pairs said to be one person, those that are."""
        return self.pairs_right / self.pairs_said if self.pairs_said else 1.0

    @property
    def recall(self) -> float:
        """Of the pairs that are one person, those said to be."""
        return self.pairs_right / self.pairs_true if self.pairs_true else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall of pairs."""
        return _harmonic(self.precision, self.recall)

    @property
    def bcubed_f1(self) -> float:
        """Harmonic mean of B-cubed precision and recall."""
        return _harmonic(self.bcubed_precision, self.bcubed_recall)


def evaluate(truth: Mapping[RecordKey, int], customers: Mapping[RecordKey, Hashable | None]) -> Accuracy:
    """Compares the customer of each record with its person, over the records of `truth` only.

    A record that `customers` lacks, or puts to None, counts as a customer of its own. Takes time and memory
    in the number of records, not of pairs.
    """
    cells: Counter[tuple[int, Hashable]] = Counter()
    for key, person in truth.items():
        said = customers.get(key)
        cells[person, ("alone", key) if said is None else ("customer", said)] += 1
    persons: Counter[int] = Counter()
    groups: Counter[Hashable] = Counter()
    for (person, group), n in cells.items():
        persons[person] += n
        groups[group] += n
    records = len(truth)
    return Accuracy(
        records=records,
        persons=len(persons),
        customers=len(groups),
        pairs_true=sum(math.comb(n, 2) for n in persons.values()),
        pairs_said=sum(math.comb(n, 2) for n in groups.values()),
        pairs_right=sum(math.comb(n, 2) for n in cells.values()),
        bcubed_precision=_mean((n * n / groups[group] for (_, group), n in cells.items()), records),
        bcubed_recall=_mean((n * n / persons[person] for (person, _), n in cells.items()), records),
    )


def transitive_closure(events: Iterable[Mapping[str, Any]]) -> dict[RecordKey, int]:
    """The naive answer: identifiers in one event are one customer, and so is whoever shares one with them.

    The group of every identifier in the events, numbered in order of appearance. Values blocked by
    schemas.identifiers join nobody; nothing else is held back.
    """
    parent: dict[RecordKey, RecordKey] = {}
    for event in events:
        keys = identifiers_of(event)
        for key in keys:
            parent.setdefault(key, key)
        for key in keys[1:]:
            one, other = _root(parent, keys[0]), _root(parent, key)
            if one != other:
                parent[other] = one
    numbers: dict[RecordKey, int] = {}
    return {key: numbers.setdefault(_root(parent, key), len(numbers)) for key in parent}


def identifiers_of(event: Mapping[str, Any]) -> list[RecordKey]:
    """Usable identifiers of a structured event, the leading one first; an alias' previous one is the last."""
    data = event["data"]
    given = {name: [v] if isinstance(v, str) else v for name, v in data["identifiers"].items()}
    found: list[RecordKey] = [(one.type, one.value) for one in usable(given)]
    previous = data.get("properties", {}).get("previous")
    if event["type"] == "alias.asserted" and previous and "type" in previous:
        found += [(one.type, one.value) for one in usable({previous["type"]: [previous["value"]]})]
    return found


def _root(parent: dict[RecordKey, RecordKey], key: RecordKey) -> RecordKey:
    while parent[key] != key:
        parent[key] = parent[parent[key]]
        key = parent[key]
    return key


def _mean(shares: Iterable[float], count: int) -> float:
    return math.fsum(shares) / count if count else 1.0


def _harmonic(one: float, other: float) -> float:
    return 2 * one * other / (one + other) if one + other else 0.0
