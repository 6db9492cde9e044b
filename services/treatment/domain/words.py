"""What events say of treatments: that one was decided, shown, and what came of it; and which treatment they speak of.

Owns reading an event into a word. Pure. A word holds no text a person wrote.

A treatment we decided has an id of our making, unlike any other, so whatever record tells of it speaks of the same
one. Ids of others may be one promotion's for everybody (Segment's `promotion_id`): those are one treatment for each
record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from typing import Any
from uuid import UUID

import msgspec

from schemas.envelope import Event, microseconds
from schemas.events.fields import moment_of, text_of
from schemas.treatments import DECIDED, OUTCOME, SAID, TREATMENT_ID

CONVERTED = "converted"
OUTCOMES = ("ignored", "rejected", "accepted", "converted")
"""The later ones say more: of several outcomes the last of these counts, whichever came first."""
TEXT_CHARS_MAX = 256
TOLD_BYTES_MAX = 24_000
"""Of how a decision came about, as an event tells it; of one that tells more, that part is not kept."""
TOLD = (
    "kind", "reason", "candidates", "left_out", "rule_version", "model_version", "profile_position",
    "profile_version", "seed", "propensity",
)  # fmt: skip
"""Properties of a decision that say how it came about."""
OWN_SOURCE = "customer360"
"""Who decides: nobody else gives out ids of our making."""


class Word(msgspec.Struct, frozen=True, array_like=True):
    """What one event said of one treatment. Times are µs since 1970; `told`: how a decision came about."""

    event_id: str
    record_id: str
    treatment_id: str
    what: str
    time_us: int
    channel: str
    action_id: str | None = None
    placement: str | None = None
    outcome: str | None = None
    experiment: str | None = None
    variant: str | None = None
    expires_us: int | None = None
    told: dict[str, Any] | None = None

    @property
    def treatment(self) -> str:
        """The treatment it speaks of, as the id of a row."""
        return treatment_of(self.treatment_id, self.record_id)

    @property
    def rank(self) -> tuple[int, str]:
        """Words are ordered by their time, then by their event."""
        return self.time_us, self.event_id


def treatment_of(treatment_id: str, record_id: str) -> str:
    """The row of a treatment, as a UUID's text."""
    key = treatment_id if TREATMENT_ID.fullmatch(treatment_id) else f"{record_id}\x1f{treatment_id}"
    return str(UUID(bytes=blake2b(key.encode(), digest_size=16).digest()))


@dataclass(frozen=True, slots=True)
class Incomplete:
    """An event that is about a treatment and does not say which, or what, or is not its sender's to say."""


def word_of(event: Event) -> Word | Incomplete | None:
    """What an event says of a treatment; None where it says nothing of any."""
    what = SAID.get(event.type)
    if what is None:
        return None
    properties = event.data.get("properties")
    said: Mapping[str, Any] = properties if isinstance(properties, Mapping) else {}
    treatment_id = _text(said.get("treatment_id"))
    if event.type == "coupon.redeemed":
        if treatment_id is None:
            return None
        return _word(event, said, treatment_id, what, CONVERTED)
    outcome = said.get("outcome") if what == OUTCOME else None
    is_ours = treatment_id is not None and TREATMENT_ID.fullmatch(treatment_id) is not None
    if what == DECIDED and is_ours and event.source != OWN_SOURCE:
        return Incomplete()
    lacks_outcome = what == OUTCOME and outcome not in OUTCOMES
    lacks_action = what == DECIDED and _text(said.get("action_id")) is None
    if treatment_id is None or lacks_outcome or lacks_action:
        return Incomplete()
    word = _word(event, said, treatment_id, what, outcome)
    return msgspec.structs.replace(word, told=_told(said)) if what == DECIDED and is_ours else word


def _word(event: Event, said: Mapping[str, Any], treatment_id: str, what: str, outcome: str | None) -> Word:
    expires = moment_of(said.get("expires_at")) if what == DECIDED else None
    return Word(
        event_id=event.event_id,
        record_id=event.record_id,
        treatment_id=treatment_id,
        what=what,
        time_us=microseconds(event.time),
        channel=str(event.data.get("channel") or "other"),
        action_id=_text(said.get("action_id")),
        placement=_text(said.get("placement")),
        outcome=outcome,
        experiment=_text(said.get("experiment")),
        variant=_text(said.get("variant")),
        expires_us=None if expires is None else microseconds(expires),
    )


def _text(value: Any) -> str | None:
    text = text_of(value)
    return text if text is not None and len(text) <= TEXT_CHARS_MAX else None


class _Candidate(msgspec.Struct):
    """What a decision can be made again of."""

    action_id: str
    kind: str
    priority: int
    propensity: Decimal
    value: Decimal
    cost: Decimal
    weight: Decimal


def _told(said: Mapping[str, Any]) -> dict[str, Any] | None:
    found = {name: said[name] for name in TOLD if said.get(name) is not None}
    try:
        msgspec.convert(found.get("candidates", []), list[_Candidate])
    except msgspec.ValidationError:
        # Not of our making: nothing could be made again of it.
        return None
    return found if found and len(msgspec.json.encode(found)) <= TOLD_BYTES_MAX else None


_READING = msgspec.json.Decoder(Word)


def write(word: Word) -> str:
    """The stored form: the same text for the same word."""
    return msgspec.json.encode(word).decode()


def read(stored: str) -> Word:
    """From the stored form."""
    return _READING.decode(stored)
