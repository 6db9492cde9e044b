"""The identity policy: which identifiers exclude each other, what links weigh, when a value is generic.

Owns reading a policy from its YAML form (already parsed); pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.identifiers import CLASSES, class_rank

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
    """A policy from its document. Raises ValueError naming the part that is wrong."""
    try:
        weights = {name: int(document["weights"][name]) for name in CLASSES}
        if max(weights.values()) >= ALIAS_WEIGHT:
            raise ValueError(f"weights must stay below {ALIAS_WEIGHT}, what an alias weighs")
        return Policy(
            version=int(document["version"]),
            exclusive=frozenset(document["exclusive"]),
            weights=weights,
            personal_types=frozenset(document["personal_types"]),
            generic_above={name: int(limit) for name, limit in document["generic_above"].items()},
            blocked={
                name: re.compile("|".join(f"(?:{p})" for p in patterns), re.IGNORECASE)
                for name, patterns in document["blocked_patterns"].items()
            },
        )
    except KeyError as missing:
        raise ValueError(f"the policy lacks {missing.args[0]}") from None
    except re.error as broken:
        raise ValueError(f"a blocked pattern cannot be read: {broken}") from None
