"""Words that end: of several that said something of one matter, those that can still come to count.

Owns which to keep without knowing the day. Which of them counts on a day is for who answers: the first that has not
ended. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

from services.interaction.domain.facts import Fact


def lasting(facts: Iterable[Fact], ends: str) -> list[Fact]:
    """The newest, then of the others, newest first, each that outlasts all before it.

    `ends` names the field of the body that holds the end in µs since 1970; without one a word lasts for ever.
    """
    kept: list[Fact] = []
    for fact in sorted(facts, key=lambda f: f.rank, reverse=True):
        end, last = fact.body.get(ends), kept[-1].body.get(ends) if kept else -1
        if not kept or (last is not None and (end is None or end > last)):
            kept.append(fact)
    return kept
