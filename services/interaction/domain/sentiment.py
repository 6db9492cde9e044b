"""Sentiment: how the customer sounds in a talk, from the sentiment sent with what he said, else from a list of words.

Owns the scale: whole thousandths, -1000 to 1000. Which words there are is the caller's to say. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal

from services.interaction.domain.facts import Fact, in_order

ToneWords = Mapping[str, int]
"""Case-folded word → its tone in thousandths (angry: -800). Without words only sent sentiments give a tone."""

NEUTRAL_MAX = 200
"""Up to so many thousandths either way a tone is neutral."""
TONE_MAX = 1_000
BOTH_SPEAK = frozenset({"call", "meeting"})
"""Talks whose tone is the customer's whoever began them."""

NO_WORDS: ToneWords = {}
_WORD = re.compile(r"\w+")
_UNIT = Decimal("0.001")


def tone_of(turn: Fact, words: ToneWords = NO_WORDS) -> int | None:
    """The tone of one turn of the customer's in thousandths; None where nothing tells it, or it is not his."""
    if turn.kind != "turn" or (turn.body.get("by") != "customer" and turn.body.get("what") not in BOTH_SPEAK):
        return None
    sent = turn.body.get("tone")
    if isinstance(sent, int):
        return sent
    found = [words[word] for word in _WORD.findall((turn.body.get("text") or "").casefold()) if word in words]
    if not found:
        return None
    mean = Decimal(sum(found)) / len(found)
    return max(-TONE_MAX, min(TONE_MAX, int(mean.to_integral_value(ROUND_HALF_EVEN))))


def last_tone(facts: Iterable[Fact], words: ToneWords = NO_WORDS) -> str | None:
    """negative, neutral or positive: of the customer's latest turn that has a tone."""
    tones = (tone_of(turn, words) for turn in reversed(in_order(facts)))
    last = next((tone for tone in tones if tone is not None), None)
    if last is None:
        return None
    return "neutral" if abs(last) <= NEUTRAL_MAX else "positive" if last > 0 else "negative"


def mean_tone(facts: Iterable[Fact], words: ToneWords = NO_WORDS) -> str | None:
    """The mean of all his turns that have a tone, as a decimal from -1 to 1 with three places at most."""
    tones = [tone for turn in in_order(facts) if (tone := tone_of(turn, words)) is not None]
    if not tones:
        return None
    mean = (Decimal(sum(tones)) / len(tones) / TONE_MAX).quantize(_UNIT, ROUND_HALF_EVEN)
    return f"{mean.normalize() + 0:f}"
