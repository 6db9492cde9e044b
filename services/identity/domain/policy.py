"""The identity policy: which identifiers exclude each other, what links weigh, when a value is generic.

Owns reading a policy from its YAML form (already parsed); pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from schemas.identifiers import CLASSES, class_rank
from services.identity.domain.similarity.model import Model, read_model

T = TypeVar("T")

ALIAS_WEIGHT = 11
OPERATOR_WEIGHT = 12


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the policy. `weights` and `generic_above` are by class name."""

    version: int
    exclusive: frozenset[str]
    weights: Mapping[str, int]
    personal_types: frozenset[str]
    generic_above: Mapping[str, int]
    blocked: Mapping[str, re.Pattern[str]]
    similar_weight: int
    similarity: Model

    def is_exclusive(self, identifier_type: str) -> bool:
        """At most one value of this type (with its namespace) per customer."""
        return identifier_type.partition(".")[0] in self.exclusive

    def is_personal(self, identifier_type: str) -> bool:
        """Its distinct values tell how many people a shared value was seen with."""
        return identifier_type.partition(".")[0] in self.personal_types

    def weight(self, identifier_type: str) -> int:
        """What a link through this identifier weighs."""
        return self.weights[CLASSES[class_rank(identifier_type)]]

    def generic_limit(self, identifier_type: str) -> int | None:
        """Distinct personal values beyond which it is generic; None: never."""
        return self.generic_above.get(CLASSES[class_rank(identifier_type)])

    def is_blocked(self, identifier_type: str, value: str) -> bool:
        """A value that policy says never links."""
        pattern = self.blocked.get(identifier_type.partition(".")[0])
        return pattern is not None and pattern.fullmatch(value) is not None


def read_policy(document: Mapping[str, Any]) -> Policy:
    """A policy from its document. Raises ValueError naming the part that is missing or wrong."""
    weights = _part(document, "weights", lambda w: {name: int(w[name]) for name in CLASSES})
    if max(weights.values()) >= ALIAS_WEIGHT:
        raise ValueError(f"weights must stay below {ALIAS_WEIGHT}, what an alias weighs")
    return Policy(
        version=_part(document, "version", int),
        exclusive=_part(document, "exclusive", _names),
        weights=weights,
        personal_types=_part(document, "personal_types", _names),
        generic_above=_part(document, "generic_above", lambda g: {str(n): int(limit) for n, limit in g.items()}),
        blocked=_part(document, "blocked_patterns", _patterns),
        similar_weight=_part(document, "similar_weight", int),
        similarity=_part(document, "similarity", read_model),
    )


def may_follow(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Raises ValueError for what cannot be changed under a running service, as events were not read for it."""
    if before.get("blocked_patterns") != after.get("blocked_patterns"):
        raise ValueError("blocked_patterns: links of blocked values are not kept; this needs a rebuild from the log")


def _part(document: Mapping[str, Any], name: str, read: Callable[[Any], T]) -> T:
    try:
        return read(document[name])
    except KeyError as missing:
        raise ValueError(f"the policy lacks {name}: {missing.args[0]}") from None
    except (TypeError, ValueError, AttributeError, re.error) as wrong:
        raise ValueError(f"the policy's {name} cannot be read: {wrong}") from None


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
