"""Fitting the model to the records there are, without labels: what each level weighs, how common names are.

Owns the step from estimated shares to weights, and the policy document that would hold them; choosing pairs is
sampling.py's, the estimate mixture.py's. Pure; the same for the same records in any order.

A level weighs log2(m / u) bits, after Fellegi and Sunter (1969); a name's own frequency f makes it log2(m / f).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from services.identity.domain.similarity.blocking import Values
from services.identity.domain.similarity.kinds import LEVELS, Kind
from services.identity.domain.similarity.mixture import Estimate, estimate
from services.identity.domain.similarity.model import Compared, Model
from services.identity.domain.similarity.sampling import sample

MATCHES_MIN = 30
"""Expected matches below which a field keeps the weights it has."""
BITS_MAX = 24.0
"""No level is surer than a sample of this size can show."""
FREQUENCY_MIN = 0.0005
FREQUENCIES_MAX = 300
"""Names less common than this, or beyond so many, are weighed as one."""
HOLDERS_MIN = 5
"""Records; a name on fewer may be one person's."""
SOURCE_RECORDS_MIN = 100
SOURCE_BITS_MIN = -6.0
"""What a source's own tidiness may say at most: some duplicates slip into every one."""
COUNTED = (Kind.GIVEN_NAME, Kind.SURNAME)
APART = frozenset({"nickname", "initial", "sounds", "partial"})
"""Levels that are no more and no less alike than those beside them: only between exact and different."""


@dataclass(frozen=True, slots=True)
class FittedField:
    """One field. `m`, `u`: level → share of one person's, of two people's pairs of records; `weights`: level → bits.

    `frequencies`: name → share of the records that have one; with them, `exact` weighs what a rarer name does.
    `matches`: expected number of one person's pairs that m rests on.
    """

    m: Mapping[str, float]
    u: Mapping[str, float]
    weights: Mapping[str, float]
    frequencies: Mapping[str, float]
    matches: float


@dataclass(frozen=True, slots=True)
class Fitted:
    """The estimate; a field with too few matches to tell is not in `fields`, and bounds are None then.

    `prior_bits`: log2 of the share of matches among all pairs. `shared_bits_max`: -log2 of the share of kin: what a
    home shares says that two records are of one home, and leaves open of whom. `shared_bits_min`: log2 of the share
    of one person's pairs that are of two homes. `same_source`: type → bits.
    `random_pairs`, `blocked_pairs`: how many were compared.
    """

    fields: Mapping[str, FittedField]
    prior_bits: float | None
    shared_bits_max: float | None
    shared_bits_min: float | None
    same_source: Mapping[str, float]
    random_pairs: int
    blocked_pairs: int
    iterations: int


def fit(features: Mapping[str, Values], model: Model, types: Mapping[str, str], seed: int = 1) -> Fitted:
    """What the records themselves tell about the model's fields.

    `features`: record → its features; `types`: record → its type, of records that are numbers a source gave.
    """
    drawn = sample(features, model, seed, types)
    found = estimate(drawn, model)
    fields = {
        name: _field(model.fields[name], found, features)
        for name, matches in found.matches.items()
        if matches >= MATCHES_MIN
    }
    prior = most = least = None
    home, moved, kin, _ = found.shares
    if (home + moved) * drawn.all_pairs >= MATCHES_MIN:
        prior, most = round(math.log2(home + moved), 1), round(-math.log2(kin), 1)
        least = round(math.log2(moved / (home + moved)), 1)
    enough = (home + moved) * drawn.all_pairs >= MATCHES_MIN
    sources = _sources(found.one_source, features.keys(), types) if enough else {}
    return Fitted(fields, prior, most, least, sources, *drawn.used, found.iterations)


def _sources(matched: Mapping[str, float], records: Collection[str], types: Mapping[str, str]) -> dict[str, float]:
    """type → log2 of how much less often one person's records are both of it than any two are; at most 0."""
    counts = Counter(types[r] for r in records if r in types)
    chance = {source: (count / len(records)) ** 2 for source, count in counts.items() if count >= SOURCE_RECORDS_MIN}
    return {
        source: round(min(0.0, max(SOURCE_BITS_MIN, math.log2(max(matched.get(source, 0.0), 1e-9) / share))), 1)
        for source, share in sorted(chance.items())
    }


def proposed(document: Mapping[str, Any], fitted: Fitted) -> dict[str, Any]:
    """A policy document with what was fitted in its `similarity`; all else is as it was."""
    changed = deepcopy(dict(document))
    similarity = changed["similarity"]
    for name in ("prior_bits", "shared_bits_max", "shared_bits_min"):
        bits = getattr(fitted, name)
        if bits is not None:
            similarity[name] = bits
    if fitted.same_source:
        similarity["same_source"] = {**similarity["same_source"], **fitted.same_source}
    for name, field in fitted.fields.items():
        entry = similarity["compared"][name]
        entry["weights"] = dict(field.weights)
        if field.frequencies:
            entry["frequencies"] = dict(field.frequencies)
            entry["exact_m"] = round(field.m["exact"], 3)
    return changed


def _field(field: Compared, found: Estimate, features: Mapping[str, Values]) -> FittedField:
    levels = LEVELS[field.kind]
    m, u = found.m[field.field], found.u[field.field]
    bits = weights(levels, m, u)
    frequencies: dict[str, float] = {}
    if field.kind in COUNTED:
        frequencies, rest = _frequencies(field.field, features)
        if frequencies and rest:
            bits[0] = max(bits[0], _bits(m[0], rest))
    return FittedField(
        dict(zip(levels, m, strict=True)),
        dict(zip(levels, u, strict=True)),
        dict(zip(levels, bits, strict=True)),
        frequencies,
        found.matches[field.field],
    )


def weights(levels: Sequence[str], m: Sequence[float], u: Sequence[float]) -> list[float]:
    """Bits per level, rounded to 0.1, that never rise from a level to a less alike one.

    Neighbours in the wrong order are pooled (pool adjacent violators; Ayer et al. 1955). Levels in APART have no
    place in that order; they stay between exact and different.
    """
    pools: list[tuple[float, float, list[int]]] = []
    for i, level in enumerate(levels):
        if level in APART:
            continue
        pool = (m[i], u[i], [i])
        while pools and pools[-1][0] * pool[1] < pool[0] * pools[-1][1]:
            above = pools.pop()
            pool = (above[0] + pool[0], above[1] + pool[1], above[2] + pool[2])
        pools.append(pool)
    bits = [_bits(one, other) for one, other in zip(m, u, strict=True)]
    for one, other, members in pools:
        for i in members:
            bits[i] = _bits(one, other)
    least = bits[levels.index("different")]
    return [max(least, min(bits[0], b)) if level in APART else b for level, b in zip(levels, bits, strict=True)]


def _bits(m: float, u: float) -> float:
    return round(max(-BITS_MAX, min(BITS_MAX, math.log2(m / u))), 1)


def _frequencies(name: str, features: Mapping[str, Values]) -> tuple[dict[str, float], float]:
    """(common name → its share of records, how likely two strangers of rarer names have the same).

    The latter is Σ f² / Σ f over the rarer ones: what log2(m / f) is on average.
    """
    counts: Counter[str] = Counter()
    records = 0
    for values in features.values():
        forms = values.get(name, ())
        records += bool(forms)
        counts.update(forms)
    ranked = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    common = [
        (value, count)
        for value, count in ranked[:FREQUENCIES_MAX]
        if count >= max(HOLDERS_MIN, FREQUENCY_MIN * records)
    ]
    rest = [count / records for _, count in ranked[len(common) :]]
    shared = sum(f * f for f in rest) / sum(rest) if rest else 0.0
    return {value: round(count / records, 6) for value, count in common}, shared
