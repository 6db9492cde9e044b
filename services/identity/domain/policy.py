"""The identity policy: which identifiers exclude each other, what links weigh, when a value is generic.

Owns reading a policy from its YAML form (already parsed); pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from schemas.identifiers import CLASSES, class_rank
from services.identity.domain.similarity.model import Model, read_model

T = TypeVar("T")

ALIAS_WEIGHT = 11
OPERATOR_WEIGHT = 12
TYPES_REMEMBERED_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Held:
    """A join is held for a look when both sides have so many records, and so many identifiers of personal types."""

    records: int
    personal: int


@dataclass(frozen=True, slots=True)
class OfType:
    """All that a policy says of one identifier type, its namespace included; the properties of Policy explain it."""

    rank: int
    weight: int
    exclusive: bool
    limit: int | None
    personal: bool
    generic_above: int | None
    generic_names_above: int | None
    blocked: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the policy. `weights`, `generic_above` and `generic_names_above` are by class name, `limits` by
    type.
    """

    version: int
    exclusive: frozenset[str]
    limits: Mapping[str, int]
    held_from: Held
    weights: Mapping[str, int]
    personal_types: frozenset[str]
    generic_above: Mapping[str, int]
    generic_names_above: Mapping[str, int]
    blocked: Mapping[str, re.Pattern[str]]
    similar_weight: int
    similarity: Model

    _types: dict[str, OfType] = field(default_factory=dict, init=False, repr=False, compare=False)

    def of(self, identifier_type: str) -> OfType:
        """What it says of a type; remembered, as every record of a component is asked for its own."""
        found = self._types.get(identifier_type)
        if found is None:
            if len(self._types) >= TYPES_REMEMBERED_MAX:
                self._types.clear()
            found = self._types[identifier_type] = self._read(identifier_type)
        return found

    def _read(self, identifier_type: str) -> OfType:
        base, rank = identifier_type.partition(".")[0], class_rank(identifier_type)
        name = CLASSES[rank]
        return OfType(
            rank=rank,
            weight=self.weights[name],
            exclusive=base in self.exclusive,
            limit=self.limits.get(base),
            personal=base in self.personal_types,
            generic_above=self.generic_above.get(name),
            generic_names_above=self.generic_names_above.get(name),
            blocked=self.blocked.get(base),
        )

    def is_exclusive(self, identifier_type: str) -> bool:
        """At most one value of this type (with its namespace) per customer."""
        return self.of(identifier_type).exclusive

    def limit(self, identifier_type: str) -> int | None:
        """How many values of this type (with its namespace) a customer may have; None: any number."""
        return self.of(identifier_type).limit

    def is_personal(self, identifier_type: str) -> bool:
        """Its distinct values tell how many people a shared value was seen with."""
        return self.of(identifier_type).personal

    def weight(self, identifier_type: str) -> int:
        """What a link through this identifier weighs."""
        return self.of(identifier_type).weight

    def generic_limit(self, identifier_type: str) -> int | None:
        """Distinct personal values beyond which it is generic; None: never."""
        return self.of(identifier_type).generic_above

    def generic_names_limit(self, identifier_type: str) -> int | None:
        """Distinct given names beyond which it is generic; None: never."""
        return self.of(identifier_type).generic_names_above

    def is_blocked(self, identifier_type: str, value: str) -> bool:
        """A value that policy says never links."""
        pattern = self.of(identifier_type).blocked
        return pattern is not None and pattern.fullmatch(value) is not None


def read_policy(document: Mapping[str, Any]) -> Policy:
    """A policy from its document. Raises ValueError naming every part that is missing or wrong."""
    reading = _Reading(document)
    found: dict[str, Any] = {name: reading.part(name, read) for name, read in _PARTS.items()}
    reading.done()
    return Policy(**found)


class _Reading:
    """Collects every error, so that whoever wrote the document mends them in one go."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.errors: list[str] = []

    def part(self, name: str, read: Callable[[Any], T]) -> T | None:
        entry = _NAMES.get(name, name)
        if name in _SINCE and entry not in self.document:
            # A policy that was set before there was this part goes on meaning what it meant.
            return read(_SINCE[name])
        try:
            return read(self.document[entry])
        except KeyError as missing:
            self.errors.append(f"the policy lacks {entry}: {missing.args[0]}")
        except (TypeError, ValueError, AttributeError, re.error) as wrong:
            self.errors.append(f"the policy's {entry} cannot be read: {wrong}")
        return None

    def done(self) -> None:
        if self.errors:
            raise ValueError("; ".join(self.errors))


def _weights(weights: Any) -> dict[str, int]:
    read = {name: int(weights[name]) for name in CLASSES}
    if max(read.values()) >= ALIAS_WEIGHT:
        raise ValueError(f"weights must stay below {ALIAS_WEIGHT}, what an alias weighs")
    return read


def _counts(counts: Any) -> dict[str, int]:
    read = {str(name): int(count) for name, count in counts.items()}
    small = sorted(name for name, count in read.items() if count < 1)
    if small:
        raise ValueError(f"{', '.join(small)}: at least 1")
    return read


def _held(held: Any) -> Held:
    counts = _counts(held)
    return Held(counts["records"], counts["personal"])


def _names(names: Any) -> frozenset[str]:
    if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
        raise TypeError("it is a list of names")
    return frozenset(names)


def _patterns(patterns: Any) -> dict[str, re.Pattern[str]]:
    return {
        str(name): re.compile("|".join(f"(?:{p})" for p in _listed(listed)), re.IGNORECASE)
        for name, listed in patterns.items()
    }


def _listed(listed: Any) -> list[str]:
    if not isinstance(listed, list) or not all(isinstance(p, str) for p in listed):
        raise TypeError("patterns are lists of regular expressions")
    return listed


_NAMES = {"blocked": "blocked_patterns"}
_PARTS: Mapping[str, Callable[[Any], Any]] = {
    "version": int,
    "exclusive": _names,
    "limits": _counts,
    "held_from": _held,
    "weights": _weights,
    "personal_types": _names,
    "generic_above": _counts,
    "generic_names_above": _counts,
    "blocked": _patterns,
    "similar_weight": int,
    "similarity": read_model,
}
"""Part → what reads it."""
_SINCE: Mapping[str, Any] = {
    "limits": {},
    "held_from": {"records": 10**9, "personal": 10**9},
    "generic_names_above": {},
}
"""Parts that older policies lack → what they meant without."""
