"""Evidence: records, links between them, operators' words, traits.

Owns the nouns and how they merge; observing.py reads them out of events. Pure.
Every fact is a minimum or a maximum over events, so it does not depend on their order.
They hold nothing that could lead back to them: who collects garbage need not look at them (`gc=False`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

NEVER_US = 2**62
"""Time of evidence whose own time was not plausible: later than any."""

SEEN_TOGETHER, ALIAS = 0, 1


class Record(msgspec.Struct, frozen=True, gc=False):
    """One source identity. `first_us` is its earliest plausible sighting, `sources` who mentioned it."""

    record_id: str
    type: str
    value: str
    first_us: int
    sources: frozenset[str]


class Link(msgspec.Struct, frozen=True, gc=False):
    """Two records one event mentioned (a < b), with its earliest evidence."""

    a: str
    b: str
    kind: int
    first_us: int
    event_id: str
    source: str

    @property
    def key(self) -> tuple[str, str, int]:
        """What makes it one link."""
        return self.a, self.b, self.kind

    @property
    def rank(self) -> tuple[int, str]:
        """The smaller is kept."""
        return self.first_us, self.event_id


class Assertion(msgspec.Struct, frozen=True, gc=False):
    """One word on a pair (a < b). All are kept; of a pair's words the one of greatest rank stands."""

    a: str
    b: str
    same: bool
    time_us: int
    event_id: str
    reason: str
    actor: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it one word."""
        return self.a, self.b, self.event_id

    @property
    def rank(self) -> tuple[int, str, bool, str, str]:
        """The greater counts; where one event id was sent with two contents, "different" is the safer word."""
        return self.time_us, self.event_id, not self.same, self.reason, self.actor


class Trait(msgspec.Struct, frozen=True, gc=False):
    """One value a record was said to have: first and last time it was said, by which event and source."""

    record_id: str
    name: str
    value: str
    first_us: int
    last_us: int
    last_event: str
    source: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it one trait value; `value` is canonical JSON."""
        return self.record_id, self.name, self.value


@dataclass(slots=True)
class Evidence:
    """Facts by key; `take` merges so that the order of events does not matter."""

    records: dict[str, Record] = field(default_factory=dict)
    links: dict[tuple[str, str, int], Link] = field(default_factory=dict)
    assertions: dict[tuple[str, str, str], Assertion] = field(default_factory=dict)
    traits: dict[tuple[str, str, str], Trait] = field(default_factory=dict)

    def record(self, new: Record) -> None:
        """Earliest first time, union of sources."""
        old = self.records.get(new.record_id)
        if old is None:
            self.records[new.record_id] = new
        elif new.first_us < old.first_us or not new.sources <= old.sources:
            self.records[new.record_id] = Record(
                new.record_id, new.type, new.value, min(new.first_us, old.first_us), old.sources | new.sources
            )

    def link(self, new: Link) -> None:
        """Earliest evidence."""
        old = self.links.get(new.key)
        if old is None or new.rank < old.rank:
            self.links[new.key] = new

    def assertion(self, new: Assertion) -> None:
        """Every word; where two records' events share an id and a pair, the one of greater rank."""
        old = self.assertions.get(new.key)
        if old is None or new.rank > old.rank:
            self.assertions[new.key] = new

    def trait(self, new: Trait) -> None:
        """Earliest and latest time it was said."""
        old = self.traits.get(new.key)
        if old is None:
            self.traits[new.key] = new
            return
        last = max(old, new, key=lambda t: (t.last_us, t.last_event))
        first_us = min(old.first_us, new.first_us)
        self.traits[new.key] = Trait(
            new.record_id, new.name, new.value, first_us, last.last_us, last.last_event, last.source
        )

    def take(self, other: Evidence) -> None:
        """Merge other evidence into this."""
        for record in other.records.values():
            self.record(record)
        for link in other.links.values():
            self.link(link)
        for assertion in other.assertions.values():
            self.assertion(assertion)
        for trait in other.traits.values():
            self.trait(trait)

    def beyond(self, known: Evidence) -> Evidence:
        """What of this evidence changes `known`, merged with it."""
        merged = Evidence(dict(known.records), dict(known.links), dict(known.assertions), dict(known.traits))
        merged.take(self)
        return Evidence(
            {k: v for k, v in merged.records.items() if known.records.get(k) != v},
            {k: v for k, v in merged.links.items() if known.links.get(k) != v},
            {k: v for k, v in merged.assertions.items() if known.assertions.get(k) != v},
            {k: v for k, v in merged.traits.items() if known.traits.get(k) != v},
        )

    def whole_traits(self, known: Evidence) -> dict[str, list[Trait]]:
        """Record → all that is said of it by this and by `known`, of those this says something of."""
        found: dict[str, list[Trait]] = {trait.record_id: [] for trait in self.traits.values()}
        for trait in (known.traits | self.traits).values():
            if trait.record_id in found:
                found[trait.record_id].append(trait)
        return found

    @property
    def said_of(self) -> set[str]:
        """Records something was said of, beside how they belong together."""
        return self.records.keys() | {t.record_id for t in self.traits.values()}

    @property
    def about(self) -> set[str]:
        """All records in it."""
        linked = {r for k in self.links.values() for r in (k.a, k.b)}
        return self.said_of | linked | {r for s in self.assertions.values() for r in (s.a, s.b)}

    def __bool__(self) -> bool:
        return bool(self.records or self.links or self.assertions or self.traits)


def standing(assertions: Iterable[Assertion]) -> dict[tuple[str, str], Assertion]:
    """Pair → the word that stands: the latest (time, event id)."""
    latest: dict[tuple[str, str], Assertion] = {}
    for word in assertions:
        old = latest.get((word.a, word.b))
        if old is None or word.rank > old.rank:
            latest[word.a, word.b] = word
    return latest
