"""A treatment: all that was said of one, folded; the same in any order, with any copies.

Owns the fold, and what a treatment adds to what is counted of its action. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from schemas.treatments import DECIDED, OUTCOME, SHOWN
from services.treatment.domain.policy import NONE
from services.treatment.domain.words import OUTCOMES, Word

SUCCESSES = frozenset({"accepted", "converted"})


class Treatment(msgspec.Struct, frozen=True, array_like=True):
    """What is known of one treatment. `record_id`: whose it is. Times are µs since 1970; None: it did not happen.

    An outcome says that it was shown, whether anybody told so or not.
    """

    treatment_id: str
    record_id: str
    action_id: str
    channel: str
    placement: str | None
    decided_us: int | None
    shown_us: int | None
    outcome: str | None
    outcome_us: int | None
    expires_us: int | None
    experiment: str | None
    variant: str | None

    @property
    def at_us(self) -> int:
        """When it began: decided, else shown."""
        return next((us for us in (self.decided_us, self.shown_us) if us is not None), 0)

    @property
    def is_any(self) -> bool:
        """Whether anything was to be done: a decision for nothing is none."""
        return self.action_id != NONE


def fold(words: Iterable[Word]) -> Treatment | None:
    """The treatment these words speak of; None without any. It is whose decision it was, else who was shown it."""
    ordered = sorted(words, key=lambda word: word.rank)
    if not ordered:
        return None
    decided = [word for word in ordered if word.what == DECIDED]
    seen = [word for word in ordered if word.what in (SHOWN, OUTCOME)]
    outcomes = [word for word in ordered if word.outcome is not None]
    final = max(outcomes, key=lambda word: (OUTCOMES.index(word.outcome or ""), -word.time_us), default=None)
    first = (decided or ordered)[0]
    told = decided or ordered
    return Treatment(
        treatment_id=first.treatment_id,
        record_id=first.record_id,
        # Who shows without having asked may name the action by its treatment alone.
        action_id=_first(word.action_id for word in told) or first.treatment_id,
        channel=first.channel,
        placement=_first(word.placement for word in told),
        decided_us=first.time_us if decided else None,
        shown_us=seen[0].time_us if seen else None,
        outcome=final.outcome if final else None,
        outcome_us=final.time_us if final else None,
        expires_us=first.expires_us,
        experiment=_first(word.experiment for word in told),
        variant=_first(word.variant for word in told),
    )


def _first(texts: Iterable[str | None]) -> str | None:
    return next((text for text in texts if text is not None), None)


class Arm(NamedTuple):
    """What is counted apart: an action, as a variant of an experiment decided it; "" where there was none."""

    action_id: str
    experiment: str
    variant: str


class Tally(NamedTuple):
    """Treatments decided, shown, accepted (or converted) and rejected."""

    decided: int = 0
    shown: int = 0
    accepted: int = 0
    rejected: int = 0

    def plus(self, other: Tally, sign: int = 1) -> Tally:
        """Both together, or the difference."""
        return Tally(*(a + sign * b for a, b in zip(self, other, strict=True)))


def counted(treatment: Treatment | None) -> dict[Arm, Tally]:
    """What a treatment adds to what is counted: a decision for nothing is counted too."""
    if treatment is None:
        return {}
    arm = Arm(treatment.action_id, treatment.experiment or "", treatment.variant or "")
    return {
        arm: Tally(
            decided=int(treatment.decided_us is not None),
            shown=int(treatment.shown_us is not None),
            accepted=int(treatment.outcome in SUCCESSES),
            rejected=int(treatment.outcome == "rejected"),
        )
    }


_READING = msgspec.json.Decoder(Treatment)


def write(treatment: Treatment) -> str:
    """The stored form: the same text for the same treatment."""
    return msgspec.json.encode(treatment).decode()


def read(stored: str) -> Treatment:
    """From the stored form."""
    return _READING.decode(stored)
