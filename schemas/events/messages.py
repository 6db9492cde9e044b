"""Messages we send and what becomes of them: sent, delivered, opened, clicked, bounced, complained, replied.

Owns these types' properties. A machine-opened e-mail is counted but proves nothing.
"""

from __future__ import annotations

from typing import Literal

from schemas.envelope import OUTBOUND
from schemas.events.common import Properties
from schemas.events.fields import Currency, Flag, Id, Money, Number, PersonalText, Text
from schemas.events.kinds import EventType


class MessageSent(Properties):
    """A message on its way to somebody, on the event's channel."""

    message_id: Id = None
    campaign_id: Id = None
    campaign_name: Text = None
    template_id: Id = None
    subject: PersonalText = None
    purpose: Text = None
    address: PersonalText = None
    treatment_id: Id = None
    cost: Money = None
    currency: Currency = None


class MessageSeen(Properties):
    """A message delivered, opened or clicked; `machine_open` says that no person did it."""

    message_id: Id = None
    campaign_id: Id = None
    campaign_name: Text = None
    subject: PersonalText = None
    link_url: PersonalText = None
    link_id: Id = None
    machine_open: Flag = None
    address: PersonalText = None


class MessageBounced(Properties):
    """A message that came back; an unknown kind counts as soft."""

    message_id: Id = None
    address: PersonalText = None
    kind: Literal["hard", "soft", "unknown"] | None = None
    code: Text = None
    reason: PersonalText = None


class MessageComplained(Properties):
    """Marked as spam: consent withdrawn for marketing e-mail."""

    message_id: Id = None
    campaign_id: Id = None


class MessageReplied(Properties):
    """An answer to a message, or a message to us out of the blue."""

    text: PersonalText = None
    summary: PersonalText = None
    message_id: Id = None
    reply_to: Id = None
    subject: PersonalText = None
    sentiment: Number = None


ID = ("message_id",)

TYPES: tuple[EventType, ...] = (
    EventType("message.sent", MessageSent, ("interaction", "value"), ID, OUTBOUND),
    EventType("message.delivered", MessageSeen, ("identity", "interaction"), ID, OUTBOUND),
    EventType("message.opened", MessageSeen, ("identity", "interaction"), ID),
    EventType("message.clicked", MessageSeen, ("identity", "interaction"), ID),
    EventType(
        "message.bounced",
        MessageBounced,
        ("identity",),
        ("address|identifiers.email", "message_id"),
        OUTBOUND,
    ),
    EventType("message.complained", MessageComplained, ("identity", "interaction", "value"), ID),
    EventType("message.replied", MessageReplied, ("identity", "interaction"), ("text|summary",)),
)
