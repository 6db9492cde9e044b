"""The section: what is told of one customer, his records' summaries beside what his facts come to.

Owns its composition and the stored form of the parts. What depends on the day is answered by schemas/answers. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from services.interaction.domain.facts import Fact
from services.interaction.domain.families import Family, family_of, told
from services.interaction.domain.policy import Policy
from services.interaction.domain.summary import Summary, combine

Parts = dict[str, dict[str, Any]]
"""Family's name → what is told of it; families without facts are left out."""


def parts_of(facts: Iterable[Fact], families: Iterable[Family], policy: Policy, standing: Parts) -> Parts:
    """The parts when these families are folded anew, of the facts of all records of a customer."""
    by_family: dict[Family, list[Fact]] = {family: [] for family in families}
    for fact in facts:
        by_family[family_of(fact.kind)].append(fact)
    parts = dict(standing)
    for family, those in by_family.items():
        part = told(family, those, policy)
        if part is None:
            parts.pop(family.name.lower(), None)
        else:
            parts[family.name.lower()] = part
    return parts


def write_parts(parts: Parts) -> str | None:
    """The stored form; nothing for no parts."""
    return orjson.dumps(parts, option=orjson.OPT_SORT_KEYS).decode() if parts else None


def read_parts(stored: str | None) -> Parts:
    """From the stored form."""
    return dict(orjson.loads(stored)) if stored else {}


def section(summaries: Mapping[str, Summary], parts: Parts) -> dict[str, Any] | None:
    """What is told of a customer; None when nothing passed."""
    body = combine(summaries)
    if body is None:
        return None
    for part in parts.values():
        body |= part
    return body
