"""Which pairs a model is fitted on, and how they agree: random pairs, and those that blocking keys bring together.

Owns the choice of pairs and counting their patterns of agreement. Chance is a hash of the seed, so that records in
any order give the same pairs. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import combinations, product
from math import comb

from services.identity.domain.similarity.blocking import Part, Values, keys_of
from services.identity.domain.similarity.model import Model
from services.identity.domain.similarity.scoring import agreement

RANDOM_PAIRS_MAX = 200_000
BLOCKED_PAIRS_MAX = 300_000

Pattern = tuple[tuple[str, int], ...]
"""(field, level) of every field both records have, by field."""
Key = tuple[int, int]
"""(number of its recipe, key)."""


@dataclass(frozen=True, slots=True)
class Pass:
    """Pairs that share keys of one recipe. `left_out`: its fields, of which they tell nothing."""

    left_out: frozenset[str]
    patterns: Mapping[Pattern, float]


@dataclass(frozen=True, slots=True)
class Sample:
    """Pattern → number of pairs. `random`: of any two records; `passes`: one per recipe and choice of its fields.

    `blocked`: an estimate for all blocked pairs, each counted once, whatever number of keys it shares; `one_source`:
    type → those of them whose records are both of that type.
    `all_pairs`: how many pairs of records there are; `used`: how many were compared, random and blocked.
    """

    random: Mapping[Pattern, float]
    passes: Sequence[Pass]
    blocked: Mapping[Pattern, float]
    one_source: Mapping[str, Mapping[Pattern, float]]
    all_pairs: int
    used: tuple[int, int]


def sample(features: Mapping[str, Values], model: Model, seed: int, types: Mapping[str, str]) -> Sample:
    """The sample of all records; at most RANDOM_PAIRS_MAX and BLOCKED_PAIRS_MAX pairs are compared.

    `types`: record → its type, of records that are numbers a source gave.
    """
    records = [features[name] for name in sorted(features)]
    given = [types.get(name) for name in sorted(features)]
    levels = _Levels(records, model)
    drawn = Counter(levels.of(i, j) for i, j in _random_pairs(len(records), seed))
    recipes = [one for recipe in model.recipes for one in _alternatives(recipe)]
    keys = [
        frozenset((n, key) for n, recipe in enumerate(recipes) for key in keys_of(record, [recipe]))
        for record in records
    ]
    holders = _open(keys, model.key_records_max)
    chosen = _chosen(holders, seed)
    total = sum(comb(len(those), 2) for those in holders.values())
    taken = sum(comb(len(holders[key]), 2) for key in chosen)
    patterns: list[Counter[Pattern]] = [Counter() for _ in recipes]
    blocked: dict[Pattern, float] = {}
    one_source: dict[str, dict[Pattern, float]] = {}
    for key in chosen:
        for i, j in combinations(holders[key], 2):
            found = levels.of(i, j)
            patterns[key[0]][found] += 1
            ways = sum(k in holders for k in keys[i] & keys[j])
            blocked[found] = blocked.get(found, 0.0) + total / taken / ways
            source = given[i]
            if source is not None and source == given[j]:
                of_source = one_source.setdefault(source, {})
                of_source[found] = of_source.get(found, 0.0) + total / taken / ways
    left_out = [frozenset(name for fields, _ in recipe for name in fields) for recipe in recipes]
    passes = [Pass(out, counts) for out, counts in zip(left_out, patterns, strict=True)]
    return Sample(drawn, passes, blocked, one_source, comb(len(records), 2), (drawn.total(), taken))


def _alternatives(recipe: Sequence[Part]) -> list[tuple[Part, ...]]:
    """A recipe per choice among its fields (`a|b`): each choice leaves fewer fields untold."""
    return list(product(*([((field,), take) for field in fields] for fields, take in recipe)))


class _Levels:
    """How pairs of records agree, each pair compared once."""

    def __init__(self, records: Sequence[Values], model: Model) -> None:
        self._records = records
        self._model = model
        self._found: dict[tuple[int, int], Pattern] = {}

    def of(self, i: int, j: int) -> Pattern:
        """As the score reads them, names in each other's place included."""
        found = self._found.get((i, j))
        if found is None:
            found = tuple(sorted(agreement(self._records[i], self._records[j], self._model).levels))
            self._found[i, j] = found
        return found


def _random_pairs(count: int, seed: int) -> Iterator[tuple[int, int]]:
    """Distinct pairs i < j of so many records; all of them where there are few."""
    if comb(count, 2) <= RANDOM_PAIRS_MAX:
        yield from combinations(range(count), 2)
        return
    seen: set[tuple[int, int]] = set()
    number = 0
    while len(seen) < RANDOM_PAIRS_MAX:
        drawn = _hash(f"{seed}:pair:{number}")
        number += 1
        one, other = drawn % count, (drawn >> 64) % count
        pair = (one, other) if one < other else (other, one)
        if one != other and pair not in seen:
            seen.add(pair)
            yield pair


def _open(keys: Sequence[frozenset[Key]], key_records_max: int) -> dict[Key, list[int]]:
    """Key → its records, where there are several and it is not full."""
    found: dict[Key, list[int]] = {}
    for i, those in enumerate(keys):
        for key in those:
            found.setdefault(key, []).append(i)
    return {key: those for key, those in found.items() if 1 < len(those) <= key_records_max}


def _chosen(holders: Mapping[Key, Sequence[int]], seed: int) -> list[Key]:
    """The keys whose pairs are compared: whole keys by hash, up to the bound, in an order of their own."""
    chosen: list[Key] = []
    pairs = 0
    for key in sorted(holders, key=lambda k: (_hash(f"{seed}:key:{k[0]}:{k[1]}"), k)):
        pairs += comb(len(holders[key]), 2)
        if pairs > BLOCKED_PAIRS_MAX:
            break
        chosen.append(key)
    return chosen


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=16).digest(), "big")
