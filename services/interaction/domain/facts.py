"""Facts: what an event says beyond having happened, in a small form that is folded again and again.

Owns the shape of a fact, its order, and keys of business ids. What each type says is in the modules beside this one;
each folds a *set* of facts, so that order, copies, merges and splits cannot change what comes of them. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from schemas.envelope import INBOUND, Event, microseconds, moment_at, rfc3339
from schemas.events.fields import text_of

TEXT_CHARS_MAX = 2_000
"""Characters of a text that a fact keeps; the whole event stays in the history."""
ID_CHARS_MAX = 256
"""Ids longer than this name nothing: keys are indexed."""


class Fact(msgspec.Struct, frozen=True):
    """One thing that one event says. `part` numbers what one event says; `key` is what it is about within its `kind`.

    `body` is small JSON, without floats. Times are in µs since 1970.
    """

    record_id: str
    event_id: str
    part: int
    kind: str
    key: str
    time_us: int
    channel: str
    direction: str
    source: str
    body: Mapping[str, Any] = {}

    @property
    def rank(self) -> tuple[int, str, str, int]:
        """The total order of facts: the greater was said later. "Latest wins" is always by this."""
        return self.time_us, self.event_id, self.record_id, self.part

    @property
    def at(self) -> str:
        """Its time as answers show it."""
        return rfc3339(moment_at(self.time_us))

    @property
    def by_customer(self) -> bool:
        """Whether the customer said it."""
        return self.direction == INBOUND


def facts_about(event: Event, said: Iterable[tuple[str, str, Mapping[str, Any]]]) -> list[Fact]:
    """(kind, key, body) each → the event's facts."""
    listed = list(said)
    if not listed:
        return []
    time_us, event_id = microseconds(event.time), event.event_id
    channel, direction = event.data.get("channel", "other"), event.data.get("direction", INBOUND)
    return [
        Fact(event.record_id, event_id, part, kind, key, time_us, channel, direction, event.source, body)
        for part, (kind, key, body) in enumerate(listed)
    ]


def in_order(facts: Iterable[Fact]) -> list[Fact]:
    """Each once, the earliest first."""
    return sorted({f.rank: f for f in facts}.values(), key=lambda f: f.rank)


def business_key(event: Event, sent_id: Any) -> str | None:
    """`<namespace>:<id>` of an id that is unique in the source's business namespace; None where there is none."""
    own_id = text_of(sent_id)
    if own_id is None or len(own_id) > ID_CHARS_MAX:
        return None
    namespace = text_of(event.data.get("business_namespace")) or event.source
    return f"{namespace.replace('%', '%25').replace(':', '%3A')}:{own_id}"


def short(text: Any) -> str | None:
    """A text as facts keep it: trimmed, without control characters, TEXT_CHARS_MAX at most."""
    found = text_of(text)
    if found is None:
        return None
    if len(found) <= TEXT_CHARS_MAX and found.isprintable():
        return found
    clean = "".join(c if c.isprintable() or c == "\n" else " " for c in found[: 2 * TEXT_CHARS_MAX]).strip()
    return clean if len(clean) <= TEXT_CHARS_MAX else f"{clean[: TEXT_CHARS_MAX - 1].rstrip()}…"
