"""Events of the mix about talking: messages and their fate, calls, chats, tickets, feedback, consents.

Owns the form of each type as an upstream sends it; see forms_shopping.py for what a form is.
"""

from __future__ import annotations

from typing import Any

from services.ops.generate.forms_shopping import Formed, known
from services.ops.generate.names import TOPICS
from services.ops.generate.population import CRM, EMAIL, FIRST_DEVICE, PHONE, USER
from services.ops.generate.traffic import Data, Identifiers, Message, Ticket, Traffic

CAMPAIGNS = 40
PROMISE_SHARE = 0.15
_MAIL_FIRST = (EMAIL, PHONE, USER, CRM)
_PHONE_FIRST = (PHONE, CRM, USER, EMAIL)
_CHAT_FIRST = (USER, EMAIL, PHONE, CRM)
_CHANNEL_OF_SLOT = {EMAIL: "email", PHONE: "sms"}
_OUTCOMES = ("answered", "answered", "answered", "voicemail", "missed", "abandoned")


def message_sent(t: Traffic, n: int) -> Formed:
    """A campaign's message to the customer's e-mail address, else phone, else app."""
    slot = _slot(t, n, _MAIL_FIRST)
    channel = _CHANNEL_OF_SLOT.get(slot, "push")
    identifiers = t.alone(n, slot)
    message = Message(n, t.number("m"), f"C{int(t.random() * CAMPAIGNS)}", channel, t.people.value(n, slot))
    t.remember(t.messages, message)
    properties = {
        "message_id": message.message_id,
        "campaign_id": message.campaign_id,
        "purpose": "marketing",
        "subject": "This week",
        "address": message.address,
    }
    return n, "message.sent", _data(identifiers, channel, properties, direction="outbound")


def _followed(t: Traffic, n: int, kind: str, more: dict[str, Any]) -> Formed:
    if not t.messages:
        return message_sent(t, n)
    message = t.one_of(t.messages)
    slot = _slot(t, message.customer, _MAIL_FIRST)
    properties = {"message_id": message.message_id, "campaign_id": message.campaign_id, **more}
    if kind == "message.bounced":
        properties["address"] = message.address
    return message.customer, kind, _data(t.alone(message.customer, slot), message.channel, properties)


def message_delivered(t: Traffic, n: int) -> Formed:
    """A message of this stream arrived."""
    return _followed(t, n, "message.delivered", {})


def message_opened(t: Traffic, n: int) -> Formed:
    """A message of this stream was opened, one in three by a machine."""
    return _followed(t, n, "message.opened", {"machine_open": t.random() < 0.33})


def message_clicked(t: Traffic, n: int) -> Formed:
    """A link in a message of this stream was followed."""
    return _followed(t, n, "message.clicked", {"link_url": t.one_of(t.goods.pages)["url"]})


def message_bounced(t: Traffic, n: int) -> Formed:
    """A message of this stream came back."""
    return _followed(t, n, "message.bounced", {"kind": "soft" if t.random() < 0.7 else "hard", "code": "550"})


def call_held(t: Traffic, n: int) -> Formed:
    """A call, sometimes with a promise."""
    topic = TOPICS[int(t.random() * len(TOPICS))]
    properties: dict[str, Any] = {
        "call_id": t.number("k"),
        "duration_s": 20 + int(t.random() * 600),
        "outcome": _OUTCOMES[int(t.random() * len(_OUTCOMES))],
        "summary": f"Asked about {topic}.",
        "topics": [topic],
        "resolved": t.random() < 0.8,
        "sentiment": round(t.random() * 2 - 1, 2),
    }
    if t.random() < PROMISE_SHARE:
        properties["promises"] = [{"text": f"We look into {topic} and call back."}]
    return n, "call.held", _data(t.alone(n, _slot(t, n, _PHONE_FIRST)), "call", properties)


def conversation_message(t: Traffic, n: int) -> Formed:
    """A chat message by the customer."""
    properties = {
        "conversation_id": f"v-{t.prefix}-{n}-{t.numbered >> 14}",
        "message_id": t.number("w"),
        "text": f"A question about {TOPICS[int(t.random() * len(TOPICS))]}, please.",
    }
    return n, "conversation.message", _data(t.alone(n, _slot(t, n, _CHAT_FIRST)), "chat", properties)


def ticket_opened(t: Traffic, n: int) -> Formed:
    """A ticket."""
    ticket = Ticket(n, t.number("t"))
    t.remember(t.tickets, ticket)
    properties = {"ticket_id": ticket.ticket_id, "subject": TOPICS[n % len(TOPICS)], "kind": "question"}
    return n, "ticket.opened", _data(known(t, n), "web", properties)


def ticket_closed(t: Traffic, n: int) -> Formed:
    """A ticket of this stream closed, perhaps once more; an opening while there was none."""
    if not t.tickets:
        return ticket_opened(t, n)
    ticket = t.one_of(t.tickets)
    properties = {"ticket_id": ticket.ticket_id, "resolution": "answered"}
    return ticket.customer, "ticket.closed", _data(known(t, ticket.customer), "web", properties)


def feedback_given(t: Traffic, n: int) -> Formed:
    """A score from 0 to 10."""
    properties = {"score": int(t.random() * 11), "scale": "nps", "survey_id": "nps-standard"}
    return n, "feedback.given", _data(known(t, n), "web", properties)


def consent_granted(t: Traffic, n: int) -> Formed:
    """Marketing consent given."""
    properties = {"purpose": "marketing", "text_version": "2024-1", "method": "form"}
    return n, "consent.granted", _data(known(t, n), "web", properties)


def consent_withdrawn(t: Traffic, n: int) -> Formed:
    """Marketing consent taken back."""
    return n, "consent.withdrawn", _data(known(t, n), "web", {"purpose": "marketing", "channels": ["email"]})


def preference_stated(t: Traffic, n: int) -> Formed:
    """How often the customer wants to hear about a topic."""
    properties = {"topic": "offers", "frequency": "weekly" if t.random() < 0.6 else "monthly"}
    return n, "preference.stated", _data(known(t, n), "web", properties)


def _slot(t: Traffic, n: int, order: tuple[int, ...]) -> int:
    slot = t.preferred(n, order)
    return t.browser(n) if slot == FIRST_DEVICE else slot


def _data(identifiers: Identifiers, channel: str, properties: dict[str, Any], direction: str = "") -> Data:
    data: Data = {"identifiers": identifiers, "channel": channel, "properties": properties}
    if direction:
        data["direction"] = direction
    return data
