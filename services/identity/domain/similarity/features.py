"""A record's features: what is compared of all that was said of it.

Owns choosing and normalising trait values, and the stored form. Pure; the same for the same traits in any order.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from services.identity.domain.evidence import Trait
from services.identity.domain.remembering import remembered
from services.identity.domain.similarity.blocking import Values
from services.identity.domain.similarity.kinds import Kind, normalise, split_name
from services.identity.domain.similarity.model import Model

VALUES_PER_FIELD_MAX = 3
"""A person who married or moved is compared by the last of each."""
FEATURES_CACHED_MAX = 16_384
"""Records; about 1 kB each."""


class Features(dict[str, tuple[str, ...]]):
    """field → compared forms, the one said last first. Nobody changes it, so it can stand for what follows of it."""

    __slots__ = ("_hash",)

    def __init__(self, values: Values) -> None:
        super().__init__(values)
        self._hash = hash(frozenset(values.items()))

    def __hash__(self) -> int:  # type: ignore[override]
        return self._hash


def features_of(traits: Iterable[Trait], model: Model) -> Features:
    """field → its last few distinct forms, the one said last first.

    A trait that was last said to be null says nothing at all; full names give their parts only where these are not
    said themselves.
    """
    said: dict[str, list[Trait]] = {}
    for trait in traits:
        said.setdefault(trait.name, []).append(trait)
    read = {name: _latest(those) for name, those in said.items() if name in model.trait_names}
    found: dict[str, tuple[str, ...]] = {}
    whole: dict[str, tuple[str, ...]] = {}
    for name, inside, kind, fields in model.paths:
        values = read.get(name)
        if values is None or values[0] is None:
            continue
        forms = [_forms(kind, _inside(value, inside) if inside else value) for value in values]
        into = whole if kind is Kind.FULL_NAME else found
        for place, field in enumerate(fields):
            distinct = tuple(dict.fromkeys([form[place] for form in forms if form[place]]))[:VALUES_PER_FIELD_MAX]
            if distinct:
                into[field] = (*into.get(field, ()), *distinct)[:VALUES_PER_FIELD_MAX]
    return Features({field: found.get(field) or whole[field] for field in sorted(found.keys() | whole.keys())})


def _latest(said: list[Trait]) -> list[Any]:
    """The values of one trait, the one said last first."""
    if len(said) > 1:
        said = sorted(said, key=lambda t: (t.last_us, t.last_event, t.value), reverse=True)
    return [orjson.loads(trait.value) for trait in said]


def _inside(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _forms(kind: Kind, value: Any) -> tuple[str, ...]:
    if value is None or isinstance(value, dict | list):
        return ("", "") if kind is Kind.FULL_NAME else ("",)
    return split_name(value) if kind is Kind.FULL_NAME else (normalise(kind, value),)


def write_features(values: Values) -> str:
    """The stored form."""
    return orjson.dumps(values, option=orjson.OPT_SORT_KEYS).decode()


@remembered(FEATURES_CACHED_MAX)
def read_features(text: str) -> Features:
    """From the stored form; remembered, as a record's are read with every batch that touches its component."""
    return Features({field: tuple(forms) for field, forms in orjson.loads(text).items()})
