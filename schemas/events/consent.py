"""What somebody allows and prefers: consents per purpose, preferences per topic.

Owns these types' properties; whether a channel may be used is the interaction service's to decide.
"""

from __future__ import annotations

from typing import Annotated, Any

from schemas.events.common import Properties
from schemas.events.fields import Id, Moment, Text
from schemas.events.kinds import EventType
from schemas.personal import PERSONAL


class Consent(Properties):
    """A purpose allowed or no longer allowed, on `channels` or, without them, on all."""

    purpose: Text = None
    channels: list[str] | None = None
    list_id: Id = None
    text_version: Text = None
    method: Text = None
    legal_basis: Text = None
    expires_at: Moment = None
    evidence: Annotated[Any, PERSONAL] = None


class PreferenceStated(Properties):
    """How somebody wants to be told about a topic; `channel` here is the one preferred."""

    topic: Text = None
    channel: Text = None
    frequency: Text = None
    format: Text = None
    language: Text = None
    quiet_hours: Any = None
    value: Any = None
    until: Moment = None
    question_id: Id = None


HOW = "channel|frequency|format|language|quiet_hours|value"

TYPES: tuple[EventType, ...] = (
    EventType("consent.granted", Consent, ("interaction",), ("purpose",)),
    EventType("consent.withdrawn", Consent, ("interaction",), ("purpose",)),
    EventType("preference.stated", PreferenceStated, ("interaction",), ("topic", HOW)),
)
