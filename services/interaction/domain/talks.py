"""Talks: what events of messages, calls, meetings, chats and tickets say of a conversation.

Owns the bodies of `turn` (something said), `opened`, `closed` and `promise` facts. What conversation comes of them is
conversations.py. An event that lacks what its type requires says nothing. Never raises for what was sent. Pure.

A body holds only what was said: `what`, `by` (customer, staff, bot, system; us where nobody is named), `threads`,
`text`, `topics`, `tone` (sentiment in thousandths), `locale`, `conversation_id` and `ticket` (as sent), `waits_for`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from schemas.envelope import OUTBOUND, Event
from schemas.events.fields import money_of, text_of
from services.interaction.domain.facts import business_key
from services.interaction.domain.questions import CUSTOMER, asked_in_talk, remembered
from services.interaction.domain.sent import Reader, Said, flag, moment_us
from services.interaction.domain.threads import SENT, conversation_id_of, names
from services.interaction.domain.wording import first_said, items, kept, properties_of, said, worded

US = "us"
PROMISES_MAX = 50
"""Promises read of one event."""
TOPICS_MAX = 10
TOPIC_CHARS_MAX = 200
THOUSANDTHS = 1_000
DATE_CHARS = 10
LAST_SECOND_US = 86_399_000_000
LOCALE_CHARS_MAX = 35
STATUS_CLOSED = frozenset({"closed", "solved", "resolved", "done", "completed", "cancelled", "canceled"})
STATUS_OPEN = frozenset({"open", "opened", "reopened", "new"})
STATUS_WAITING = frozenset({"waiting", "pending", "waiting_for_customer", "waiting for customer"})
"""Words help desks use; other words change nothing."""

_DERIVED_PROMISE = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\.\d{1,3}")
_LOCALE = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*")
_OF_OURS = frozenset({"staff", "bot", "system"})
_REPLY_MARK = re.compile(r"^((re|fw|fwd|aw|wg|sv|vs|tr)\s*(\[\d+\]\s*)?:\s*)+", re.IGNORECASE)


def say(event: Event) -> list[Said]:
    """All the event says of talks, and what was asked and answered in it; [] for types that say nothing of these."""
    properties = properties_of(event)
    talk = TYPES.get(event.type)
    parts = talk(event, properties) if talk is not None and not event.data.get("incomplete") else []
    return [*parts, *remembered(event)]


def _sent(event: Event, properties: Mapping[str, Any]) -> list[Said]:
    return [_part("turn", event, SENT, _our_word(event), text=said(properties.get("subject")))]


def _replied(event: Event, properties: Mapping[str, Any]) -> list[Said]:
    text = first_said(properties, "text", "summary")
    subject = _REPLY_MARK.sub("", said(properties.get("subject")) or "")
    return [_part("turn", event, "reply", _writer(event), text=text, subject=said(subject))] if text else []


def _message(event: Event, properties: Mapping[str, Any]) -> list[Said]:
    text = said(properties.get("text"))
    return [_part("turn", event, "message", _writer(event), text=text, topics=_topics(properties))] if text else []


def _conversation(event: Event, properties: Mapping[str, Any]) -> list[Said]:
    if conversation_id_of(event) is None:
        return []
    opened_or_closed = event.type.rpartition(".")[2]
    return [_part(opened_or_closed, event, "conversation", _speaker(event), topics=_topics(properties))]


def _ticket_opened(event: Event, properties: Mapping[str, Any]) -> list[Said]:
    if text_of(properties.get("ticket_id")) is None:
        return []
    subject = said(properties.get("subject"))
    text = said(properties.get("text")) or subject
    by = _speaker(event)
    opened = _part("opened", event, "ticket", by, text=subject, topics=_topics(properties, subject))
    return [opened, _part("turn", event, "ticket", by, text=text)] if text else [opened]


def _ticket_updated(event: Event, properties: Mapping[str, Any]) -> list[Said]:
    status = (text_of(properties.get("status")) or "").casefold()
    if status in STATUS_CLOSED:
        return _ticket_closed(event, properties)
    if text_of(properties.get("ticket_id")) is None:
        return []
    found: list[Said] = []
    subject, text = said(properties.get("subject")), said(properties.get("text"))
    if properties.get("reopened") is True or status in STATUS_OPEN:
        found.append(_part("opened", event, "ticket", _writer(event), text=subject, topics=_topics({}, subject)))
    waits_for = CUSTOMER if status in STATUS_WAITING else None
    if text or waits_for:
        found.append(_part("turn", event, "ticket", _writer(event), text=text, waits_for=waits_for))
    return found


def _ticket_closed(event: Event, properties: Mapping[str, Any]) -> list[Said]:
    if text_of(properties.get("ticket_id")) is None:
        return []
    resolution, subject = said(properties.get("resolution")), said(properties.get("subject"))
    by = _our_word(event) if resolution else _writer(event)
    closed = _part("closed", event, "ticket", by, text=subject, topics=_topics(properties, subject))
    text = resolution or said(properties.get("text"))
    return [_part("turn", event, "ticket", by, text=text), closed] if text else [closed]


def _call(event: Event, properties: Mapping[str, Any]) -> list[Said]:
    outcome = (said(properties.get("outcome")) or "").casefold()
    turn = _part(
        "turn",
        event,
        "call",
        _speaker(event),
        text=said(properties.get("summary")),
        topics=_topics(properties),
        outcome=outcome[:TOPIC_CHARS_MAX] or None,
        resolved=flag(properties.get("resolved")),
    )
    return [turn, *_promised(event, properties), *asked_in_talk(event)]


def _meeting(event: Event, properties: Mapping[str, Any]) -> list[Said]:
    text = first_said(properties, "summary", "subject")
    subject = said(properties.get("subject"))
    turn = _part("turn", event, "meeting", _speaker(event), text=text, subject=subject, topics=_topics(properties))
    return [turn, *_promised(event, properties), *asked_in_talk(event)]


def _promised(event: Event, properties: Mapping[str, Any]) -> list[Said]:
    """Promises made in a talk. One without an id is named after the event and its place in the list."""
    found: list[Said] = []
    for place, sent in enumerate(items(properties.get("promises"), PROMISES_MAX)):
        one = worded(sent)
        text, sent_id = said(one.get("text")), text_of(one.get("promise_id"))
        if text is None and sent_id is None:
            continue
        derived = f"{event.event_id}.{place}"
        named = business_key(event, sent_id)
        body = {
            "word": "made",
            "promise_id": derived if named is None else sent_id,
            "text": text,
            "due_us": _due_us(one.get("due_at")),
            "by": _promiser(said(one.get("by"))) or _our_word(event),
        }
        found.append(("promise", named or f"event:{derived}", kept(body)))
    return found


def _promise(event: Event, properties: Mapping[str, Any]) -> list[Said]:
    sent_id = text_of(properties.get("promise_id"))
    key = business_key(event, sent_id)
    if sent_id is None or key is None:
        return []
    if _DERIVED_PROMISE.fullmatch(sent_id):
        # A derived id is one of the whole system: whoever names it means that promise.
        key = f"event:{sent_id}"
    body = {
        "word": event.type.rpartition(".")[2],
        "promise_id": sent_id,
        "text": said(properties.get("text")),
        "due_us": _due_us(properties.get("due_at")),
        "by": _promiser(first_said(properties, "by", "owner")) or _speaker(event),
        "threads": names(event),
    }
    return [("promise", key, kept(body))]


def _promiser(sent: str | None) -> str | None:
    return CUSTOMER if sent is not None and sent.casefold() == CUSTOMER else sent


def _due_us(sent: Any) -> int | None:
    """A day alone is due by its last second, in UTC."""
    found = moment_us(sent)
    return found + LAST_SECOND_US if found is not None and len(str(sent).strip()) == DATE_CHARS else found


def _part(kind: str, event: Event, what: str, by: str, **more: Any) -> Said:
    threads = names(event)
    body: dict[str, Any] = {"what": what, "by": by, "threads": threads, **more}
    body["conversation_id"] = (
        conversation_id_of(event) if threads and threads[0].startswith("conversation:") else None
    )
    if what == "ticket":
        body["ticket"] = text_of(properties_of(event).get("ticket_id"))
    if kind == "turn" and what != SENT:
        body |= {"tone": _tone(properties_of(event)), "locale": _locale(event)}
    return kind, threads[0] if threads else f"event:{event.event_id}", kept(body)


def _actor(event: Event) -> str | None:
    actor = event.data.get("actor")
    kind = actor.get("kind") if isinstance(actor, Mapping) else None
    return kind if isinstance(kind, str) else None


def _our_word(event: Event) -> str:
    kind = _actor(event)
    return kind if kind is not None and kind in _OF_OURS else US


def _speaker(event: Event) -> str:
    """Of a talk with two sides the direction decides: the actor of a call to us is who took it."""
    return _our_word(event) if event.data.get("direction") == OUTBOUND else CUSTOMER


def _writer(event: Event) -> str:
    """Of something written the actor decides, where one is named: inbound is also what nobody said a direction of."""
    kind = _actor(event)
    return kind if kind is not None and kind in {CUSTOMER, *_OF_OURS} else _speaker(event)


def _topics(properties: Mapping[str, Any], *more: str | None) -> list[str]:
    sent: Iterable[Any] = [properties.get("topic"), *items(properties.get("topics"), TOPICS_MAX), *more]
    found = dict.fromkeys(text[:TOPIC_CHARS_MAX] for text in map(said, sent) if text)
    return list(found)[:TOPICS_MAX]


def _tone(properties: Mapping[str, Any]) -> int | None:
    """Sentiment of -1 to 1 in thousandths; what lies outside is another scale and says nothing."""
    sentiment = money_of(properties.get("sentiment"))
    return round(sentiment * THOUSANDTHS) if sentiment is not None and abs(sentiment) <= 1 else None


def _locale(event: Event) -> str | None:
    context = event.data.get("context")
    sent = event.data.get("locale") or (context.get("locale") if isinstance(context, Mapping) else None)
    text = (text_of(sent) or "").partition(".")[0].partition("@")[0]
    return text.replace("_", "-") if len(text) <= LOCALE_CHARS_MAX and _LOCALE.fullmatch(text) else None


TYPES: dict[str, Reader] = {
    "message.sent": _sent,
    "message.replied": _replied,
    "conversation.message": _message,
    "conversation.opened": _conversation,
    "conversation.closed": _conversation,
    "ticket.opened": _ticket_opened,
    "ticket.updated": _ticket_updated,
    "ticket.closed": _ticket_closed,
    "call.held": _call,
    "meeting.held": _meeting,
    "promise.made": _promise,
    "promise.kept": _promise,
    "promise.broken": _promise,
}
"""Event type → how it is read."""
