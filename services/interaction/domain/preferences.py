"""Preferences: how a customer wants to be told about a topic, as he stated it, and as his responses show it.

Owns which of his words counts for which field, and what is inferred where he said nothing. What is told knows no
day; schemas/answers/preferences.py does: a word may end. Must not decide by which channel a message goes. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from schemas.envelope import Event
from services.interaction.domain.facts import Fact, in_order
from services.interaction.domain.lasting import lasting
from services.interaction.domain.policy import Policy
from services.interaction.domain.pressure import Response, responses
from services.interaction.domain.sent import Reader, Said, channel_named, moment_us, said_by, small_json, words
from services.interaction.domain.terms import name_of

PREFERENCE = "preference"
TOPICS_MAX = 100
"""Told of one customer, those said last."""


def say(event: Event) -> list[Said]:
    """What the event says of preferences; nothing without a topic or a field that can be read."""
    return said_by(event, TYPES)


def _stated(_: Event, properties: Mapping[str, Any]) -> list[Said]:
    """A field that is null is not named; an end that cannot be read is none."""
    topic = name_of(properties.get("topic"))
    fields = {
        "channel": channel_named(properties.get("channel")),
        **words(properties, "frequency", "format", "language"),
        "quiet_hours": small_json(properties.get("quiet_hours")),
        "value": small_json(properties.get("value")),
    }
    said = {name: value for name, value in fields.items() if value not in (None, "", [], {})}
    ends = moment_us(properties.get("until"))
    if topic is None or not said:
        return []
    return [(PREFERENCE, topic, {"fields": said, **({} if ends is None else {"until_us": ends})})]


def preferences(facts: Iterable[Fact], policy: Policy) -> dict[str, Any]:
    """What is told of one customer, of the facts of all his records: all that an answer needs on any day.

    `stated`: {topic: {"words": how many, "fields": {field: [word]}}}; a word replaces the fields it names, of any of
    his records, until it ends; the first that has not ended counts. `inferred`: see `_inferred`.
    """
    listed = list(facts)
    said: dict[str, list[Fact]] = {}
    for fact in in_order(f for f in listed if f.kind == PREFERENCE):
        said.setdefault(fact.key, []).append(fact)
    newest = sorted(said, key=lambda topic: (said[topic][-1].rank, topic), reverse=True)[:TOPICS_MAX]
    return {
        "stated": {topic: _told(said[topic]) for topic in sorted(newest)},
        "inferred": _inferred(responses(listed), policy.inferred_responses_min),
    }


def _told(in_time: list[Fact]) -> dict[str, Any]:
    fields = sorted({name for fact in in_time for name in fact.body["fields"]})
    return {
        "words": len(in_time),
        "fields": {
            name: [_word(f, name) for f in lasting((f for f in in_time if name in f.body["fields"]), "until_us")]
            for name in fields
        },
    }


def _word(fact: Fact, name: str) -> dict[str, Any]:
    ends = {"until_us": fact.body["until_us"]} if "until_us" in fact.body else {}
    origin = {"source": fact.source, "event_id": fact.event_id, "origin_record": fact.record_id}
    return {"value": fact.body["fields"][name], "since_us": fact.time_us, **ends, **origin}


def _inferred(found: Iterable[Response], responses_min: int) -> dict[str, Any]:
    """{"best": channel, "by_channel": {channel: {"count", "since_us", "hour", "hour_count"}}}, of enough responses.

    A message is counted once however often it was opened. The best has most; of equals the first by name. The hour is
    the one with most, of equals the earlier: of the day in the zone the event names, else in UTC.
    """
    by_channel: dict[str, list[Response]] = {}
    for response in found:
        by_channel.setdefault(response.channel, []).append(response)
    enough = {channel: those for channel, those in sorted(by_channel.items()) if len(those) >= responses_min}
    best = min(enough, key=lambda channel: (-len(enough[channel]), channel), default=None)
    return {"best": best, "by_channel": {channel: _channel(those) for channel, those in enough.items()}}


def _channel(those: list[Response]) -> dict[str, Any]:
    hours = Counter(response.hour for response in those)
    hour = min(hours, key=lambda h: (-hours[h], h))
    since_us = min(response.time_us for response in those)
    return {"count": len(those), "since_us": since_us, "hour": hour, "hour_count": hours[hour]}


TYPES: dict[str, Reader] = {"preference.stated": _stated}
