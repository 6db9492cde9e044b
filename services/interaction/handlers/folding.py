"""Facts of all members of a group, folded to what is told of it.

Owns which facts are asked for, and whose they are; what they come to is domain/section.py.
"""

from __future__ import annotations

from collections.abc import Mapping

from services.interaction import store
from services.interaction.domain import section
from services.interaction.domain.families import Family
from services.interaction.domain.policy import Policy
from services.runtime import grouping


def asked(locked: grouping.Locked, wanted: Mapping[str, set[Family]]) -> dict[str, set[Family]]:
    """member → the families wanted of its group."""
    return {member: families for group, families in wanted.items() for member in locked.members[group]}


def folded(
    locked: grouping.Locked, wanted: Mapping[str, set[Family]], facts: store.FactsOf, policy: Policy
) -> dict[str, section.Parts]:
    """group → its parts, the families wanted folded of all its members' facts."""
    return {
        group: section.parts_of(
            [f for m in locked.members[group] for those in facts[m].values() for f in those],
            wanted[group],
            policy,
            section.read_parts(locked.parts.get(group)),
        )
        for group in wanted
    }
