"""What one event said about identity, kept whole, so that any event can be taken back.

Owns the stored form of a mention and folding mentions into evidence again. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
import orjson

from schemas.envelope import Event, microseconds
from schemas.events.fields import moment_of
from services.identity.domain.evidence import NEVER_US, Evidence, Link, Record, Trait

REMOVED = "contact.removed"
NAMED = 2
"""Beside the kinds of links: the record was spoken of, not seen."""


class Mention(msgspec.Struct, frozen=True, gc=False):
    """One event's word. `first_us`: its time as evidence, NEVER_US where that is not plausible.

    `seen` is false where the event speaks of records without having seen them (operators' words). `said` is
    JSON: [[other record, kind], …], [[trait, value, said_us], …]; None where the event only saw its own record.
    """

    event_id: str
    record_id: str
    source: str
    time_us: int
    first_us: int
    seen: bool
    said: str | None

    @property
    def place(self) -> tuple[str, str]:
        """(record id, event id)."""
        return self.record_id, self.event_id

    @property
    def others(self) -> list[str]:
        """Records it mentions beside its own."""
        return [other for other, _ in orjson.loads(self.said)[0]] if self.said else []


@dataclass(frozen=True, slots=True)
class Removal:
    """What `source` said under this record up to `until_us` is no evidence any more; the latest counts."""

    record_id: str
    source: str
    until_us: int


def mention_of(event: Event, time_us: int, evidence: Evidence) -> Mention | None:
    """The mention that keeps the evidence of this event; None where it has none."""
    own = event.record_id
    if own not in evidence.records:
        return None
    seen = bool(evidence.records[own].sources)
    others = [[k.b if k.a == own else k.a, k.kind] for k in evidence.links.values()]
    if not seen:
        others = [[r, NAMED] for r in evidence.records if r != own]
    traits = [[t.name, t.value, t.last_us] for t in evidence.traits.values()]
    said = orjson.dumps([others, traits]).decode() if others or traits else None
    first_us = NEVER_US if event.clamped or not seen else time_us
    return Mention(event.event_id, own, event.source, time_us, first_us, seen, said)


def removal_of(event: Event) -> Removal | None:
    """What a `contact.removed` takes back: evidence up to its `until`, else up to its own time."""
    if event.type != REMOVED:
        return None
    until = moment_of(event.data.get("properties", {}).get("until")) or event.time
    return Removal(event.record_id, event.source, microseconds(until))


def fold(mentions: Iterable[Mention]) -> Evidence:
    """The evidence of all these mentions, without operators' words; records have neither type nor value here."""
    found = Evidence()
    for m in mentions:
        sources = frozenset({m.source}) if m.seen else frozenset()
        found.record(Record(m.record_id, "", "", m.first_us, sources))
        others, traits = orjson.loads(m.said) if m.said else ((), ())
        for other, kind in others:
            found.record(Record(other, "", "", m.first_us, sources))
            if kind != NAMED:
                a, b = sorted((m.record_id, other))
                found.link(Link(a, b, kind, m.first_us, m.event_id, m.source))
        for name, value, said_us in traits:
            found.trait(Trait(m.record_id, name, value, said_us, said_us, m.event_id, m.source))
    return found
