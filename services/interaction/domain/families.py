"""Families of facts: what is folded together, and told together, whenever one of its facts comes or goes.

Owns which kinds of facts a family has, how much of each record is folded, and what a section tells of each. An event
whose facts are of one family leaves what is told of the others as it stands. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from enum import IntEnum
from itertools import chain
from typing import Any

from schemas.envelope import Event
from services.interaction.domain import (
    consents,
    feedback,
    needs,
    preferences,
    pressure,
    questions,
    replies,
    resuming,
    talks,
    threads,
)
from services.interaction.domain.facts import Fact, facts_about
from services.interaction.domain.policy import Policy
from services.interaction.domain.sent import Said


class Family(IntEnum):
    """Stored as its number."""

    TALKS = 0
    CONSENTS = 1
    REACH = 2
    NEEDS = 3
    FEEDBACK = 4


_SAY: tuple[tuple[Callable[[Event], list[Said]], Collection[str]], ...] = (
    (talks.say, talks.TYPES.keys() | questions.TYPES.keys()), (consents.say, consents.TYPES),
    (preferences.say, preferences.TYPES), (pressure.say, pressure.TYPES), (needs.say, needs.TYPES),
    (feedback.say, feedback.TYPES),
)  # fmt: skip
"""Who hears events, and of which types: most events are heard by nobody, and none by all."""
_HEARING = {
    event_type: tuple(say for say, types in _SAY if event_type in types)
    for event_type in chain.from_iterable(types for _, types in _SAY)
}
_KINDS: Mapping[Family, Iterable[str]] = {
    Family.TALKS: threads.KINDS,
    Family.CONSENTS: consents.KINDS,
    Family.REACH: {preferences.PREFERENCE, *pressure.KINDS},
    Family.NEEDS: needs.KINDS,
    Family.FEEDBACK: replies.KINDS,
}
_FAMILY_OF = {kind: family for family, kinds in _KINDS.items() for kind in kinds}
FOLDED_MAX: Mapping[Family, int] = {
    Family.TALKS: 400,
    Family.CONSENTS: 1_000,
    Family.REACH: 300,
    Family.NEEDS: 300,
    Family.FEEDBACK: 300,
}
"""Facts of one record that a section is told of: the newest. Nothing older is lost: answers fold more of them."""


def family_of(kind: str) -> Family:
    """The family of a kind of fact. Raises KeyError."""
    return _FAMILY_OF[kind]


def heard(event: Event) -> list[Fact]:
    """All that the event says, of all families."""
    return facts_about(event, chain.from_iterable(say(event) for say in _HEARING.get(event.type, ())))


def stirs(fact: Fact, policy: Policy, standing: Collection[str], by_type: Mapping[str, int]) -> bool:
    """Whether a new fact can change what is told of its family.

    `standing`: names of families told of now; `by_type`: how many events of each type its record has, with this one.
    Most of what comes cannot: a message nobody answered, its purpose while nobody spoke of consent, a product of
    which the taxonomy knows no need. It is kept all the same, for what comes after it. Where there may be more facts
    than are folded, each new one takes the place of the oldest.
    """
    if fact.kind == consents.PURPOSE_OF:
        return Family.CONSENTS.name.lower() in standing
    if fact.kind == "turn" and threads.is_alone(fact):
        return Family.TALKS.name.lower() in standing
    if fact.kind == needs.INTEREST:
        if policy.taxonomy.speaks(fact.body["by"], fact.key):
            return True
        return Family.NEEDS.name.lower() in standing and needs.heard_max(by_type) > FOLDED_MAX[Family.NEEDS]
    return True


def told(family: Family, facts: list[Fact], policy: Policy) -> dict[str, Any] | None:
    """What the section tells of a customer's facts of one family; None where there is nothing to tell."""
    found = _TOLD[family](facts, policy) if facts else {}
    return found if any(found.values()) else None


_TOLD: Mapping[Family, Callable[[list[Fact], Policy], dict[str, Any]]] = {
    Family.TALKS: lambda facts, policy: resuming.told(facts, policy.tone_words),
    Family.CONSENTS: lambda facts, _: {"consents": consents.consents(facts)},
    Family.REACH: lambda facts, policy: {
        "preferences": preferences.preferences(facts, policy),
        "pressure": pressure.pressure(facts, policy),
    },
    Family.NEEDS: lambda facts, policy: {
        "needs": needs.needs(facts, policy),
        "services": needs.services_used(facts),
    },
    Family.FEEDBACK: lambda facts, policy: {
        "feedback": feedback.told(facts, policy),
        **({"detractors": found} if (found := feedback.detractors(facts, policy)) else {}),
    },
}
