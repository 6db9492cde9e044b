"""What we decided to do for somebody, what was shown, and how it went.

Owns these types' properties; deciding is the treatment service's.
"""

from __future__ import annotations

from typing import Any, Literal

from schemas.envelope import OUTBOUND
from schemas.events.common import Properties
from schemas.events.fields import Currency, Id, Moment, Money, Number, PersonalText, Text
from schemas.events.kinds import EventType


class Decided(Properties):
    """A decision, with all that is needed to make it again.

    `reason` and `left_out` name rules, never what was found of the customer; `profile_version` and `profile_position`
    say what was known of him.
    """

    treatment_id: Id = None
    action_id: Id = None
    kind: Text = None
    reason: Text = None
    placement: Text = None
    propensity: Number = None
    candidates: list[Any] | None = None
    left_out: list[Any] | None = None
    profile_version: Number = None
    profile_position: Text = None
    rule_version: Text = None
    model_version: Text = None
    experiment: Text = None
    variant: Text = None
    position: Number = None
    seed: Text = None
    expires_at: Moment = None


class Shown(Properties):
    """A treatment that reached somebody's eyes or ears."""

    treatment_id: Id = None
    action_id: Id = None
    placement: Text = None
    experiment: Text = None
    variant: Text = None
    position: Number = None


class Outcome(Shown):
    """What came of it."""

    outcome: Literal["accepted", "rejected", "ignored", "converted"] | None = None
    value: Money = None
    currency: Currency = None
    reason: PersonalText = None


TREATMENT = ("treatment",)
DECIDED = ("action_id", "placement", "treatment_id")

TYPES: tuple[EventType, ...] = (
    EventType("recommendation.made", Decided, TREATMENT, DECIDED, OUTBOUND),
    EventType("treatment.decided", Decided, TREATMENT, DECIDED, OUTBOUND),
    EventType("treatment.shown", Shown, TREATMENT, ("treatment_id",), OUTBOUND),
    EventType("treatment.outcome", Outcome, TREATMENT, ("outcome", "treatment_id")),
)
