"""How alike two records are: Fellegi-Sunter weights in bits, with what households share counted once.

Owns the score of a pair. It depends on the two records and the model alone: never on counts of what is stored, nor
on the customers they belong to. Pure.

bits = prior + Σ personal + min(Σ shared, shared_bits_max), after Fellegi and Sunter (1969), "A Theory for Record
Linkage", with one bound: surname, address, phone and e-mail of one household are one piece of evidence, not four.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product

from services.identity.domain.similarity.blocking import Values
from services.identity.domain.similarity.kinds import LEVELS, Kind, compare
from services.identity.domain.similarity.model import Compared, Evidence, Model

FREQUENCY_MIN = 1e-6
BESIDE_NAMES_MIN = 2.0
"""Bits of agreement beside names; less, such as of a gender, leaves two records namesakes."""


@dataclass(frozen=True, slots=True)
class Score:
    """`bits` of a pair, the level of each compared field, classes of the identifiers both were seen with.

    `counts`: whether it says anything about two customers: alike enough to join, or contradicting in person.
    Two records of one person that share too little to tell are silent, and neither join nor part anything.
    """

    bits: float
    levels: Mapping[str, str]
    shared: tuple[str, ...]
    counts: bool


UNTYPED = ("", "")


def score(a: Values, b: Values, model: Model, shared: Iterable[str] = (), types: tuple[str, str] = UNTYPED) -> Score:
    """The score of two records' features.

    `shared`: classes of the identifiers both were seen with; `types`: what types of identifier the two are.
    """
    found = {
        name: _agreement(field, a[name], b[name]) for name, field in model.fields.items() if name in a and name in b
    }
    _read_swapped(found, a, b, model)
    personal = household = away = 0.0
    named_apart = any(model.fields[name].kind is Kind.GIVEN_NAME and bits < 0 for name, (_, bits) in found.items())
    for name, (_, bits) in found.items():
        evidence = model.fields[name].evidence
        if evidence is Evidence.PERSONAL:
            if named_apart and bits > 0 and model.fields[name].kind is Kind.DATE:
                # Twins: beside another given name a birthday is the household's.
                household += bits
            else:
                personal += bits
        elif bits > 0:
            household += bits
        elif evidence is Evidence.FAMILY:
            personal += bits
        else:
            away += bits
    classes = tuple(sorted(shared))
    household += sum(model.identifiers.get(name, 0.0) for name in classes)
    personal_bits = personal + model.apart(types)
    bits = model.prior_bits + personal_bits + min(household, model.shared_bits_max) + max(away, model.shared_bits_min)
    if not classes and sum(max(b, 0.0) for n, (_, b) in found.items() if not _is_name(model, n)) < BESIDE_NAMES_MIN:
        # Namesakes: however rare a name is, there are two of it somewhere.
        bits = min(bits, model.names_bits_max)
    bits, bound = round(bits, 3), model.pair_bits_max
    levels = {name: LEVELS[model.fields[name].kind][level] for name, (level, _) in found.items()}
    return Score(max(-bound, min(bound, bits)), levels, classes, bits >= model.link_bits or personal < 0)


def _is_name(model: Model, field: str) -> bool:
    return model.fields[field].kind in (Kind.GIVEN_NAME, Kind.SURNAME)


def best_bits(values: Values, model: Model) -> float:
    """What no partner's score with this record can exceed, shared identifiers left aside.

    A record of which too little is known reaches nobody, and need not be compared.
    """
    personal = household = beside = 0.0
    for name, forms in values.items():
        field = model.fields[name]
        bits = max(0.0, *field.weights, *(_exact_bits(field, form) for form in forms))
        if field.evidence is Evidence.PERSONAL:
            personal += bits
        else:
            household += bits
        beside += 0.0 if _is_name(model, name) else bits
    best = model.prior_bits + personal + min(household, model.shared_bits_max)
    return best if beside >= BESIDE_NAMES_MIN else min(best, model.names_bits_max)


def _exact_bits(field: Compared, form: str) -> float:
    share = field.frequencies.get(form)
    return field.weights[0] if share is None else math.log2(field.exact_m / max(share, FREQUENCY_MIN))


def _agreement(field: Compared, ours: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[int, float]:
    """(level, bits) of the pair of values that agrees best."""
    level, one = min((compare(field.kind, x, y), x) for x, y in product(ours, theirs))
    return level, _exact_bits(field, one) if level == 0 else field.weights[level]


def _read_swapped(found: dict[str, tuple[int, float]], a: Values, b: Values, model: Model) -> None:
    """Given name and surname written in each other's place are read as they were meant, as close, not as exact."""
    pair = [name for kind in (Kind.GIVEN_NAME, Kind.SURNAME) for name, f in model.fields.items() if f.kind is kind]
    if len(pair) != 2 or any(name not in found or found[name][1] > 0 for name in pair):
        return
    given, surname = pair
    crossed = [
        min(compare(Kind.SURNAME, x, y) for x, y in product(a[one], b[other]))
        for one, other in ((given, surname), (surname, given))
    ]
    close = LEVELS[Kind.SURNAME].index("close")
    if min(crossed) > close:
        return
    for name in pair:
        field = model.fields[name]
        level = LEVELS[field.kind].index("close")
        found[name] = level, field.weights[level]
    if max(crossed) > close:
        # Only one of the two is found again: it is the surname of a record that lacks its given name.
        del found[given]
