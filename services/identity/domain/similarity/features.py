"""A record's features: what is compared of all that was said of it.

Owns choosing and normalising trait values, and the stored form. Pure; the same for the same traits in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from services.identity.domain.evidence import Trait
from services.identity.domain.similarity.blocking import Values
from services.identity.domain.similarity.kinds import Kind, normalise, split_name
from services.identity.domain.similarity.model import Model

VALUES_PER_FIELD_MAX = 3
"""A person who married or moved is compared by the last of each."""


def features_of(traits: Iterable[Trait], model: Model) -> Values:
    """field → its last few distinct forms, the one said last first.

    A trait that was last said to be null says nothing at all; full names give their parts only where these are not
    said themselves.
    """
    said: dict[str, list[Trait]] = {}
    for trait in traits:
        said.setdefault(trait.name, []).append(trait)
    found: dict[str, tuple[str, ...]] = {}
    whole: dict[str, tuple[str, ...]] = {}
    for path, (kind, fields) in model.traits.items():
        name, _, inside = path.partition(".")
        if name not in said:
            continue
        latest = sorted(said[name], key=lambda t: (t.last_us, t.last_event, t.value), reverse=True)
        values = [orjson.loads(t.value) for t in latest]
        if values[0] is None:
            continue
        forms = [_forms(kind, _inside(value, inside)) for value in values]
        for field, column in zip(fields, zip(*forms, strict=True), strict=True):
            distinct = tuple(dict.fromkeys(form for form in column if form))[:VALUES_PER_FIELD_MAX]
            if distinct:
                into = whole if kind is Kind.FULL_NAME else found
                into[field] = (*into.get(field, ()), *distinct)[:VALUES_PER_FIELD_MAX]
    return {field: found.get(field) or whole[field] for field in sorted(found.keys() | whole.keys())}


def _inside(value: Any, path: str) -> Any:
    for name in path.split(".") if path else ():
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _forms(kind: Kind, value: Any) -> tuple[str, ...]:
    if value is None or isinstance(value, Mapping | list):
        return ("", "") if kind is Kind.FULL_NAME else ("",)
    return split_name(value) if kind is Kind.FULL_NAME else (normalise(kind, value),)


def write_features(values: Values) -> str:
    """The stored form."""
    return orjson.dumps(values, option=orjson.OPT_SORT_KEYS).decode()


def read_features(text: str) -> Values:
    """From the stored form."""
    return {field: tuple(forms) for field, forms in orjson.loads(text).items()}
