"""What one event says about identity: records, links between them, assertions, traits.

Owns reading evidence out of an event. Pure: ids come from a function given by the caller.
Every fact is a minimum or a maximum over events, so it does not depend on their order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import orjson

from schemas.envelope import Event, microseconds
from schemas.events.fields import moment_of
from schemas.identifiers import GROUP_TYPE, Identifier, is_blocked, leading, normalise, usable
from services.identity.domain.policy import Policy

NEVER_US = 2**62
"""Time of evidence whose own time was not plausible: later than any."""

SEEN_TOGETHER, ALIAS = 0, 1
ASSERTIONS = {"identity.same_asserted": True, "identity.different_asserted": False}

RecordId = Callable[[Identifier], str]


@dataclass(slots=True)
class Record:
    """One source identity. `first_us` is its earliest plausible sighting, `sources` who mentioned it."""

    record_id: str
    type: str
    value: str
    first_us: int
    sources: frozenset[str]


@dataclass(frozen=True, slots=True)
class Link:
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


@dataclass(frozen=True, slots=True)
class Assertion:
    """An operator's word on a pair (a < b); the latest (time, event id) counts."""

    a: str
    b: str
    same: bool
    time_us: int
    event_id: str
    reason: str
    actor: str

    @property
    def rank(self) -> tuple[int, str, bool, str, str]:
        """The greater counts; where one event id was sent with two contents, "different" is the safer word."""
        return self.time_us, self.event_id, not self.same, self.reason, self.actor


@dataclass(frozen=True, slots=True)
class Trait:
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
    assertions: dict[tuple[str, str], Assertion] = field(default_factory=dict)
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
        """Latest word."""
        old = self.assertions.get((new.a, new.b))
        if old is None or new.rank > old.rank:
            self.assertions[new.a, new.b] = new

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


def observe(event: Event, time_us: int, policy: Policy, record_id: RecordId) -> Evidence:
    """The evidence in one event; `time_us` is its time in µs since 1970."""
    found = Evidence()
    lead = leading(event.data.get("identifiers", {}), event.type)
    if lead is None or lead.type.partition(".")[0] == GROUP_TYPE:
        return found
    first_us = NEVER_US if event.clamped else time_us
    event_id = event.event_id
    lead_id = event.record_id

    def named(identifier: Identifier, seen_us: int, sources: frozenset[str]) -> str:
        rid = lead_id if identifier == lead else record_id(identifier)
        found.record(Record(rid, identifier.type, identifier.value, seen_us, sources))
        return rid

    if event.type in ASSERTIONS:
        # To speak of a record is not to have seen it: it exists by that, and nothing else about it changes.
        _assert(event, time_us, event_id, found, lambda i: named(i, NEVER_US, frozenset()))
        named(lead, NEVER_US, frozenset())
        return found

    def mention(identifier: Identifier) -> str:
        return named(identifier, first_us, frozenset({event.source}))

    mention(lead)
    others = [i for i in usable(event.data.get("identifiers", {})) if i != lead and _links(i)]
    if event.type == "alias.asserted":
        for previous in _previous(event, lead):
            if policy.is_blocked(*previous):
                continue
            a, b = sorted((lead_id, mention(previous)))
            found.link(Link(a, b, ALIAS, first_us, event_id, event.source))
    for other in others:
        a, b = sorted((lead_id, mention(other)))
        if not policy.is_blocked(*other) and not policy.is_blocked(*lead):
            found.link(Link(a, b, SEEN_TOGETHER, first_us, event_id, event.source))
    said_us = _said_us(event, time_us)
    for name, value in _traits(event):
        found.trait(Trait(lead_id, name, value, said_us, said_us, event_id, event.source))
    return found


def _said_us(event: Event, time_us: int) -> int:
    """When the traits were true: the source's own change time where it gives one, not the event's."""
    changed = moment_of(event.data.get("properties", {}).get("updated_at"))
    return time_us if changed is None else min(microseconds(changed), time_us)


def _links(identifier: Identifier) -> bool:
    return identifier.type.partition(".")[0] != GROUP_TYPE


def _previous(event: Event, lead: Identifier) -> list[Identifier]:
    """Readings of an alias's previous id: its own type, or each of the types intake lists for it."""
    previous = event.data.get("properties", {}).get("previous")
    if not isinstance(previous, dict) or not isinstance(previous.get("value"), str):
        return []
    types = [previous["type"]] if previous.get("type") else previous.get("types") or ["anonymous_id", "user_id"]
    found = [Identifier(str(t), normalise(str(t), previous["value"])) for t in types]
    return [i for i in found if i.value and not is_blocked(i.value) and i != lead]


def _assert(event: Event, time_us: int, event_id: str, found: Evidence, mention: Callable[[Identifier], str]) -> None:
    properties = event.data.get("properties", {})
    pair = [
        Identifier(str(r["type"]), normalise(str(r["type"]), str(r["value"])))
        for r in properties.get("records") or []
        if isinstance(r, dict) and r.get("type") and r.get("value") is not None
    ]
    if len(pair) != 2 or pair[0] == pair[1]:
        return
    a, b = sorted(mention(i) for i in pair)
    actor = event.data.get("actor") or {}
    found.assertion(
        Assertion(
            a,
            b,
            ASSERTIONS[event.type],
            time_us,
            event_id,
            str(properties.get("reason") or ""),
            str(actor.get("id") or actor.get("name") or ""),
        )
    )


_TRAIT_NAMES = {
    "first_name": "firstName", "middle_name": "middleName", "last_name": "lastName", "created_at": "createdAt",
    "birth_date": "birthday", "postal_code": "postalCode",
}  # fmt: skip
TRAIT_CHARS_MAX = 4_000


def _traits(event: Event) -> list[tuple[str, str]]:
    """(name, canonical JSON) of the traits said; null is a value: it takes the trait away."""
    traits = event.data.get("traits")
    if not isinstance(traits, dict):
        return []
    said = {_TRAIT_NAMES.get(str(name), str(name)): value for name, value in traits.items()}
    canonical = [(name, orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()) for name, value in said.items()]
    return [(name, value) for name, value in canonical if len(value) <= TRAIT_CHARS_MAX]
