"""Contact pressure: how often we reached out by each channel, and how he responded.

Owns what is a touch and what is a response, and which response belongs to which touch. What is told knows no day;
schemas/answers/pressure.py counts windows and says who is fatigued. Must not decide whether a message may go. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from schemas.envelope import Event
from services.interaction.domain.facts import Fact, business_key, in_order
from services.interaction.domain.policy import Policy
from services.interaction.domain.sent import (
    Reader,
    Said,
    channel_of,
    hour_of,
    is_by_customer,
    is_outbound,
    said_by,
)

TOUCH, RESPONSE = "touch", "response"
KINDS = frozenset({TOUCH, RESPONSE})
TIMES_MAX = 50
"""Times told of a channel's touches, and of its responses: the newest. A window never counts more."""
OUT_OF_THE_BLUE = frozenset({"called", "talked"})
"""He came by himself: a sign of life on that channel, and no answer to a touch."""


class Touch(msgspec.Struct, frozen=True):
    """We reached out. `of` names what was sent, None where it has no id."""

    channel: str
    of: str | None
    time_us: int


class Response(msgspec.Struct, frozen=True):
    """He responded, on the touch's channel where it is known; `hour` of the day, `how` he did."""

    channel: str
    to: str | None
    time_us: int
    hour: int
    how: str
    answers: bool
    """Whether the touch it names was heard of."""


def say(event: Event) -> list[Said]:
    """The touch or response that the event is."""
    return said_by(event, TYPES)


def _sent(event: Event, properties: Mapping[str, Any]) -> list[Said]:
    return _touch(event, _id("message", event, properties.get("message_id"))) if is_outbound(event) else []


def _asked(event: Event, properties: Mapping[str, Any]) -> list[Said]:
    return _touch(event, _id("survey", event, properties.get("response_id")))


def _called(event: Event, properties: Mapping[str, Any]) -> list[Said]:
    """Our call is a touch, and a response too when he took it. His call is a sign of life."""
    if not is_outbound(event):
        return _response(event, "called", None)
    call = _id("call", event, properties.get("call_id"))
    taken = properties.get("outcome") == "answered"
    return [*_touch(event, call), *(_response(event, "answered", call) if taken else ())]


def _seen(how: str) -> Reader:
    """A message opened or clicked; what a machine did is no response."""

    def read(event: Event, properties: Mapping[str, Any]) -> list[Said]:
        by_machine = properties.get("machine_open") is True
        return [] if by_machine else _response(event, how, _id("message", event, properties.get("message_id")))

    return read


def _replied(event: Event, properties: Mapping[str, Any]) -> list[Said]:
    places = (properties.get("reply_to"), event.data.get("reply_to"), properties.get("message_id"))
    to = next((found for sent in places if (found := _id("message", event, sent)) is not None), None)
    return _response(event, "replied", to) if is_by_customer(event) else []


def _talked(event: Event, _: Mapping[str, Any]) -> list[Said]:
    return _response(event, "talked", None) if is_by_customer(event) else []


def _gave_feedback(event: Event, properties: Mapping[str, Any]) -> list[Said]:
    return _response(event, "feedback", _id("survey", event, properties.get("response_id")))


def _id(kind: str, event: Event, sent: Any) -> str | None:
    """A call and a message may bear the same number."""
    key = business_key(event, sent)
    return None if key is None else f"{kind} {key}"


def _touch(event: Event, of: str | None) -> list[Said]:
    return [(TOUCH, channel_of(event), {} if of is None else {"of": of})]


def _response(event: Event, how: str, to: str | None) -> list[Said]:
    return [(RESPONSE, channel_of(event), {"how": how, "hour": hour_of(event), **({} if to is None else {"to": to})})]


def touches(facts: Iterable[Fact]) -> list[Touch]:
    """What was sent under one id counts once, as it was first said; the earliest first."""
    found: dict[Any, Touch] = {}
    for fact in in_order(f for f in facts if f.kind == TOUCH):
        of = fact.body.get("of")
        found.setdefault(fact.rank if of is None else of, Touch(fact.key, of, fact.time_us))
    return list(found.values())


def responses(facts: Iterable[Fact]) -> list[Response]:
    """The first to each message, and those that name none; the earliest first."""
    listed = [f for f in facts if f.kind in KINDS]
    channels = {touch.of: touch.channel for touch in touches(listed) if touch.of is not None}
    found: dict[Any, Response] = {}
    for fact in in_order(f for f in listed if f.kind == RESPONSE):
        to, body = fact.body.get("to"), fact.body
        channel = fact.key if to is None else channels.get(to, fact.key)
        response = Response(channel, to, fact.time_us, body["hour"], body["how"], to in channels)
        found.setdefault(fact.rank if to is None else to, response)
    return list(found.values())


def pressure(facts: Iterable[Fact], policy: Policy) -> dict[str, Any]:
    """What is told of one customer, of the facts of all his records: per channel counts and the newest times in µs.

    `answered` of its touches got a response: each that a response names; of the others as many as there are responses
    that name none we know. `limit`: touches in days, beyond which he is fatigued.
    """
    listed = [f for f in facts if f.kind in KINDS]
    sent, back = touches(listed), responses(listed)
    told: dict[str, Any] = {}
    for channel in sorted({t.channel for t in sent} | {r.channel for r in back}):
        touched = [t.time_us for t in sent if t.channel == channel]
        responded = [r for r in back if r.channel == channel]
        named = sum(r.answers for r in responded)
        others = sum(not r.answers and r.how not in OUT_OF_THE_BLUE for r in responded)
        limit = policy.fatigue_limit(channel)
        told[channel] = {
            "touches": len(touched),
            "responses": len(responded),
            "answered": named + min(others, len(touched) - named),
            "touched_us": sorted(touched, reverse=True)[:TIMES_MAX],
            "responded_us": sorted((r.time_us for r in responded), reverse=True)[:TIMES_MAX],
            "limit": {"touches": limit.touches, "days": limit.days},
        }
    return told


TYPES: dict[str, Reader] = {
    "message.sent": _sent,
    "survey.asked": _asked,
    "call.held": _called,
    "message.opened": _seen("opened"),
    "message.clicked": _seen("clicked"),
    "message.replied": _replied,
    "conversation.message": _talked,
    "feedback.given": _gave_feedback,
}
