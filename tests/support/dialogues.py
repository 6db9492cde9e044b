"""What interaction tells of customers, of the events alone: the reference for what its lane folds step by step."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from schemas.envelope import Event
from services.interaction.domain.facts import Fact
from services.interaction.domain.families import FOLDED_MAX, Family, family_of, heard
from services.interaction.domain.policy import read_policy
from services.interaction.domain.section import parts_of, section
from services.interaction.domain.summary import Summary
from services.interaction.handlers import shipped_document

POLICY = read_policy(shipped_document())


def facts_in(events: Iterable[Event], withdrawn: Collection[str]) -> dict[str, list[Fact]]:
    """record → the facts a section is told of: the newest of each family; `withdrawn` events say nothing."""
    by_family: dict[tuple[str, Family], list[Fact]] = {}
    for event in events:
        for fact in heard(event) if event.event_id not in withdrawn else ():
            by_family.setdefault((fact.record_id, family_of(fact.kind)), []).append(fact)
    found: dict[str, list[Fact]] = {}
    for (record, family), facts in by_family.items():
        found.setdefault(record, []).extend(sorted(facts, key=lambda f: f.rank, reverse=True)[: FOLDED_MAX[family]])
    return found


def told_of(
    members: Iterable[str], summaries: Mapping[str, Summary], facts: Mapping[str, list[Fact]]
) -> dict[str, Any] | None:
    """The section of a customer with these records."""
    listed = list(members)
    parts = parts_of((f for m in listed for f in facts.get(m, ())), Family, POLICY, {})
    return section({m: summaries[m] for m in listed if m in summaries}, parts)
