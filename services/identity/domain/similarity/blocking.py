"""Blocking keys: which records are compared at all.

Two records are compared when they share a key; a key that too many records have (`key_records_max`) is full and
leads nowhere, as long as it is. Owns recipes, such as `lastName.sound + birthday`, and the keys of a record. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import islice, product

from services.identity.domain.similarity.kinds import sound

Values = Mapping[str, tuple[str, ...]]
"""field → compared forms, the one said last first."""
Part = tuple[tuple[str, ...], str]
"""(fields, what of any of them)."""

KEYS_PER_RECIPE_MAX = 4

TAKES: Mapping[str, Callable[[str], str]] = {
    "whole": lambda value: value,
    "initial": lambda value: value[:1],
    "start3": lambda value: value[:3] if len(value) >= 3 else "",
    "sound": sound,
    "year": lambda value: value[:4] if len(value) >= 4 else "",
    "words": lambda value: " ".join(sorted(value.split())),
    "number": lambda value: (re.findall(r"\d+", value) or [""])[0],
    "last4": lambda value: value[-4:] if len(value) >= 4 else "",
}
"""What a recipe may take of a value; "" makes no key. A date without its day is taken whole by nobody."""


def read_recipe(text: str, fields: Collection[str]) -> tuple[Part, ...]:
    """`field.take + field|field.take`; a field alone is taken whole. Raises ValueError."""
    parts = []
    for piece in map(str.strip, text.split("+")):
        named, dot, take = piece.rpartition(".")
        if not dot or take not in TAKES:
            named, take = piece, "whole"
        names = tuple(map(str.strip, named.split("|")))
        unknown = [name for name in names if name not in fields]
        if unknown:
            takes = f"; what may be taken of one: {', '.join(TAKES)}"
            raise ValueError(f"{', '.join(unknown)} is no field that is compared{takes}")
        parts.append((names, take))
    return tuple(parts)


def keys_of(values: Values, recipes: Iterable[Sequence[Part]]) -> frozenset[int]:
    """The record's keys, as signed 64-bit numbers."""
    found = set()
    taken: dict[Part, list[str]] = {}
    for number, recipe in enumerate(recipes):
        for part in recipe:
            if part not in taken:
                taken[part] = _taken(values, *part)
        for chosen in islice(product(*[taken[part] for part in recipe]), KEYS_PER_RECIPE_MAX):
            digest = blake2b("\x1f".join((str(number), *chosen)).encode(), digest_size=8).digest()
            found.add(int.from_bytes(digest, "big", signed=True))
    return frozenset(found)


def _taken(values: Values, fields: Sequence[str], take: str) -> list[str]:
    takes = TAKES[take]
    found = [takes(value) for field in fields if field in values for value in values[field]]
    return list(filter(None, dict.fromkeys(found)))


def open_pairs(keys: Mapping[str, Iterable[int]], key_records_max: int) -> set[tuple[str, str]]:
    """All pairs (a < b) of records that share a key which is not full."""
    by_key: dict[int, list[str]] = {}
    for record in sorted(keys):
        for key in keys[record]:
            by_key.setdefault(key, []).append(record)
    return {
        (a, b)
        for records in by_key.values()
        if len(records) <= key_records_max
        for i, a in enumerate(records)
        for b in records[i + 1 :]
    }
