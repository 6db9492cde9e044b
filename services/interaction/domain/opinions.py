"""Opinions: tone and topic of a free text, by the words of the policy. Rules, no model: each can be read and mended.

Owns counting words for and against, and the turn of a negation. The words are the policy's. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from services.interaction.domain.terms import Phrases, fold

POSITIVE, NEGATIVE, MIXED, NEUTRAL = "positive", "negative", "mixed", "neutral"
NEGATED_WITHIN = 2
"""A negation turns what is said within so many words after it: not good, not very good."""


@dataclass(frozen=True, slots=True)
class Tone:
    """`words` are labelled positive or negative; `negations` are single folded words."""

    words: Phrases
    negations: frozenset[str]


def tone_of(text: str, tone: Tone) -> str:
    """What more of the words are; mixed: as many of both; neutral: none."""
    folded = fold(text)
    said = folded.split()
    count = Counter(
        _turned(label, said[max(0, at - NEGATED_WITHIN) : at], tone) for at, label in tone.words.found(folded)
    )
    if count[POSITIVE] == count[NEGATIVE]:
        return MIXED if count[POSITIVE] else NEUTRAL
    return POSITIVE if count[POSITIVE] > count[NEGATIVE] else NEGATIVE


def _turned(label: str, before: Sequence[str], tone: Tone) -> str:
    if tone.negations.isdisjoint(before):
        return label
    return NEGATIVE if label == POSITIVE else POSITIVE


def topic_of(text: str, topics: Phrases) -> str | None:
    """The topic of which most is said; of equals the one said first. None: none of them."""
    found = list(topics.found(fold(text)))
    count = Counter(label for _, label in found)
    first = {label: at for at, label in reversed(found)}
    return min(count, key=lambda label: (-count[label], first[label], label), default=None)
