"""How alike two records are: Fellegi-Sunter weights in bits, with what households share counted once.

Owns the score of a pair. It depends on the two records and the model alone: never on counts of what is stored, nor
on the customers they belong to. Pure.

bits = prior + Σ personal + min(Σ shared, shared_bits_max), after Fellegi and Sunter (1969), "A Theory for Record
Linkage", with one bound: surname, address, phone and e-mail of one household are one piece of evidence, not four.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import product
from typing import NamedTuple

import msgspec

from services.identity.domain.remembering import remembered
from services.identity.domain.similarity.blocking import Values
from services.identity.domain.similarity.features import Features
from services.identity.domain.similarity.kinds import LEVELS, Kind, compare
from services.identity.domain.similarity.model import Compared, Evidence, Model

FREQUENCY_MIN = 1e-6
BESIDE_NAMES_MIN = 2.0
"""Bits of agreement beside names; less, such as of a gender, leaves two records namesakes."""
PAIRS_REMEMBERED_MAX = 32_768
"""Pairs; about 1 kB each."""
_NAMES = frozenset({Kind.GIVEN_NAME, Kind.SURNAME})


class Agreement(NamedTuple):
    """How two records' features agree, by themselves: bits of what is personal, of what a household shares, and of
    what speaks of another home; the level of each compared field; whether nothing but names agrees.
    """

    personal: float
    household: float
    away: float
    levels: tuple[tuple[str, int], ...]
    only_names: bool


class Score(msgspec.Struct, frozen=True, gc=False):
    """`bits` of a pair, how its features agree, classes of the identifiers both were seen with.

    `counts`: whether it says anything about two customers: alike enough to join, or contradicting in person.
    Two records of one person that share too little to tell are silent, and neither join nor part anything.
    """

    bits: float
    shared: tuple[str, ...]
    counts: bool
    agreement: Agreement
    model: Model

    @property
    def levels(self) -> dict[str, str]:
        """Field → the level at which the two agree in it, of all that both have."""
        fields = self.model.fields
        return {name: LEVELS[fields[name].kind][level] for name, level in self.agreement.levels}


UNTYPED = ("", "")


def score(
    a: Features, b: Features, model: Model, shared: Iterable[str] = (), types: tuple[str, str] = UNTYPED
) -> Score:
    """The score of two records' features.

    `shared`: classes of the identifiers both were seen with; `types`: what types of identifier the two are.
    """
    return _scored(a, b, model, tuple(sorted(shared)), types)


@remembered(PAIRS_REMEMBERED_MAX)
def _scored(a: Features, b: Features, model: Model, classes: tuple[str, ...], types: tuple[str, str]) -> Score:
    """A pair is judged again with every batch that touches its component."""
    agreed = _agreement_of(a, b, model)
    household = agreed.household
    if classes:
        household += sum(model.identifiers.get(name, 0.0) for name in classes)
    personal = agreed.personal + model.apart(types)
    shared_bits = min(household, model.shared_bits_max)
    bits = model.prior_bits + personal + shared_bits + max(agreed.away, model.shared_bits_min)
    if not classes and agreed.only_names:
        # Namesakes: however rare a name is, there are two of it somewhere.
        bits = min(bits, model.names_bits_max)
    bits, bound = round(bits, 3), model.pair_bits_max
    counts = bits >= model.link_bits or agreed.personal < 0
    return Score(max(-bound, min(bound, bits)), classes, counts, agreed, model)


@remembered(PAIRS_REMEMBERED_MAX)
def _agreement_of(a: Features, b: Features, model: Model) -> Agreement:
    """What was compared by itself is scored again with the identifiers both were seen with."""
    return agreement(a, b, model)


def agreement(a: Values, b: Values, model: Model) -> Agreement:
    """How two records' features agree."""
    found = {
        name: _agreement(field, a[name], b[name]) for name, field in model.fields.items() if name in a and name in b
    }
    _read_swapped(found, a, b, model)
    personal = household = away = beside = 0.0
    named_apart = any(found[name][1] < 0 for name in model.given_names if name in found)
    for name, (_, bits) in found.items():
        field = model.fields[name]
        if field.evidence is Evidence.PERSONAL:
            if named_apart and bits > 0 and field.kind is Kind.DATE:
                # Twins: beside another given name a birthday is the household's.
                household += bits
            else:
                personal += bits
        elif bits > 0:
            household += bits
        elif field.evidence is Evidence.FAMILY:
            personal += bits
        else:
            away += bits
        if bits > 0 and field.kind not in _NAMES:
            beside += bits
    levels = tuple((name, level) for name, (level, _) in found.items())
    return Agreement(personal, household, away, levels, beside < BESIDE_NAMES_MIN)


def best_bits(values: Values, model: Model) -> float:
    """What no partner's score with this record can exceed, shared identifiers left aside.

    A record of which too little is known reaches nobody, and need not be compared.
    """
    personal = household = beside = 0.0
    for name, forms in values.items():
        field = model.fields[name]
        # What is no common value weighs weights[0].
        common = [_exact_bits(field, form) for form in forms if form in field.frequencies]
        bits = max(model.weights_max[name], *common) if common else model.weights_max[name]
        if field.evidence is Evidence.PERSONAL:
            personal += bits
        else:
            household += bits
        beside += 0.0 if field.kind in _NAMES else bits
    best = model.prior_bits + personal + min(household, model.shared_bits_max)
    return best if beside >= BESIDE_NAMES_MIN else min(best, model.names_bits_max)


def _exact_bits(field: Compared, form: str) -> float:
    share = field.frequencies.get(form)
    return field.weights[0] if share is None else math.log2(field.exact_m / max(share, FREQUENCY_MIN))


def _agreement(field: Compared, ours: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[int, float]:
    """(level, bits) of the pair of values that agrees best."""
    if len(ours) == len(theirs) == 1:
        one = ours[0]
        level = 0 if one == theirs[0] else compare(field.kind, one, theirs[0])
    else:
        level, one = min((compare(field.kind, x, y), x) for x, y in product(ours, theirs))
    return level, _exact_bits(field, one) if level == 0 else field.weights[level]


def _read_swapped(found: dict[str, tuple[int, float]], a: Values, b: Values, model: Model) -> None:
    """Given name and surname written in each other's place are read as they were meant, as close, not as exact."""
    pair = (*model.given_names, *model.surnames)
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
