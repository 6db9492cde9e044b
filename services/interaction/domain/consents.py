"""Consents: what a customer allows, per purpose and channel, of every word he ever said on it.

Owns what the words of one record come to (the latest per channel; a word on all channels covers what was said before
it) and of several records (a withdrawal of any of them wins), so that a split restores what each had. What is told
knows no day; schemas/answers/consents.py does: a grant ends. Must not decide whether a message may go. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from schemas.answers.consents import ALL, GRANTED, WITHDRAWN
from schemas.envelope import Event, microseconds
from services.interaction.domain.facts import Fact, business_key, in_order
from services.interaction.domain.lasting import lasting
from services.interaction.domain.sent import Reader, Said, channel_named, channel_of, moment_us, said_by, words
from services.interaction.domain.terms import name_of

CONSENT, COMPLAINT, PURPOSE_OF = "consent", "complaint", "purpose_of"
KINDS = frozenset({CONSENT, COMPLAINT, PURPOSE_OF})
MARKETING = "marketing"
"""The purpose of a message that named none."""
PURPOSES_MAX = 200
"""Told of one customer, those said last; a purpose that is not told is not granted."""
CHANNELS_MAX = 50
"""A list with more of them is none."""
EVERY = frozenset({"all", "*", "any"})
MESSAGED = frozenset({"email", "sms", "push", "chat", "mail", "social", "call"})
"""Channels on which a complaint stays on its channel; elsewhere it is about an e-mail."""
KEPT = ("text_version", "list_id", "method", "legal_basis")

_BETWEEN = re.compile(r"[,;]")


def say(event: Event) -> list[Said]:
    """What the event says of consents; nothing for other types, or without a purpose."""
    return said_by(event, TYPES)


def _granted(event: Event, properties: Mapping[str, Any]) -> list[Said]:
    """A grant whose channels cannot be read grants nothing; one whose end cannot be read has ended at once."""
    purpose, channels = name_of(properties.get("purpose")), _channels(properties.get("channels"))
    if purpose is None or channels == []:
        return []
    body: dict[str, Any] = {"state": GRANTED, "channels": channels, **words(properties, *KEPT)}
    ends = properties.get("expires_at")
    if ends is not None and ends != "":
        end_us = moment_us(ends)
        body["expires_us"] = microseconds(event.time) if end_us is None else end_us
    return [(CONSENT, purpose, body)]


def _withdrawn(_: Event, properties: Mapping[str, Any]) -> list[Said]:
    """Without channels that can be read it is on all. It never ends."""
    purpose = name_of(properties.get("purpose"))
    channels = _channels(properties.get("channels")) or None
    body = {"state": WITHDRAWN, "channels": channels, **words(properties, *KEPT)}
    return [] if purpose is None else [(CONSENT, purpose, body)]


def _complained(event: Event, properties: Mapping[str, Any]) -> list[Said]:
    """Withdraws, on its channel, the purpose of the message, which may be heard of later."""
    channel = channel_of(event)
    about = business_key(event, properties.get("message_id")) or ""
    body = {"state": WITHDRAWN, "channels": [channel if channel in MESSAGED else "email"], "method": "complaint"}
    return [(COMPLAINT, about, body)]


def _sent(event: Event, properties: Mapping[str, Any]) -> list[Said]:
    message, purpose = business_key(event, properties.get("message_id")), name_of(properties.get("purpose"))
    return [] if message is None or purpose is None else [(PURPOSE_OF, message, {"purpose": purpose})]


def _channels(sent: Any) -> list[str] | None:
    """Sorted names; None: all channels; empty: something was sent that names none."""
    if sent is None:
        return None
    listed = _BETWEEN.split(sent) if type(sent) is str else sent
    if not isinstance(listed, list | tuple) or len(listed) > CHANNELS_MAX:
        return []
    named = {name for one in listed if (name := channel_named(one)) is not None}
    return None if named & EVERY else sorted(named)


def consents(facts: Iterable[Fact]) -> dict[str, Any]:
    """What is told of one customer, of the facts of all his records: all that an answer needs on any day.

    {purpose: {"withdrawn": whether some record's latest word withdraws, "by_channel": {channel or "all": [word]}}};
    the first word that has not ended counts; a withdrawal stands alone.
    """
    listed = in_order(f for f in facts if f.kind in KINDS)
    purpose_of = {f.key: f.body["purpose"] for f in listed if f.kind == PURPOSE_OF}
    said: dict[str, list[Fact]] = {}
    for fact in listed:
        if fact.kind == CONSENT:
            said.setdefault(fact.key, []).append(fact)
        elif fact.kind == COMPLAINT:
            said.setdefault(purpose_of.get(fact.key, MARKETING), []).append(fact)
    newest = sorted(said, key=lambda purpose: (said[purpose][-1].rank, purpose), reverse=True)[:PURPOSES_MAX]
    return {purpose: _told(said[purpose]) for purpose in sorted(newest)}


def _told(in_time: Iterable[Fact]) -> dict[str, Any]:
    latest: dict[str, Fact] = {}
    by_record: dict[str, dict[str, Fact]] = {}
    for fact in in_time:
        latest[fact.record_id] = fact
        of_record = by_record.setdefault(fact.record_id, {})
        if fact.body["channels"] is None:
            of_record.clear()
        of_record.update(dict.fromkeys(fact.body["channels"] or (ALL,), fact))
    channels = sorted({channel for of_record in by_record.values() for channel in of_record})
    return {
        "withdrawn": any(fact.body["state"] == WITHDRAWN for fact in latest.values()),
        "by_channel": {
            channel: [_word(fact) for fact in _deciding(of.get(channel, of.get(ALL)) for of in by_record.values())]
            for channel in channels
        },
    }


def _deciding(of_records: Iterable[Fact | None]) -> list[Fact]:
    """The newest withdrawal; without one the grants that can come to count."""
    found = [fact for fact in of_records if fact is not None]
    withdrawals = [fact for fact in found if fact.body["state"] == WITHDRAWN]
    return [max(withdrawals, key=lambda f: f.rank)] if withdrawals else lasting(found, "expires_us")


def _word(fact: Fact) -> dict[str, Any]:
    kept = {name: value for name, value in fact.body.items() if name != "channels"}
    origin = {"source": fact.source, "event_id": fact.event_id, "origin_record": fact.record_id}
    return {**kept, "since_us": fact.time_us, **origin}


TYPES: dict[str, Reader] = {
    "consent.granted": _granted,
    "consent.withdrawn": _withdrawn,
    "message.complained": _complained,
    "message.sent": _sent,
}
