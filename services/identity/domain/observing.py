"""Reading evidence out of an event: which records it mentions, what links them, what it says of them.

Owns what each event type says about identity. Pure: ids come from a function given by the caller.
"""

from __future__ import annotations

from collections.abc import Callable

import orjson

from schemas.envelope import Event, microseconds
from schemas.events.fields import moment_of
from schemas.identifiers import GROUP_TYPE, Identifier, is_blocked, leader, normalise, usable
from services.identity.domain.evidence import (
    ALIAS,
    NEVER_US,
    SEEN_TOGETHER,
    Assertion,
    Evidence,
    Link,
    Record,
    Trait,
)

ABOUT_EVIDENCE = frozenset({"event.retracted", "contact.removed"})
"""They take evidence back, and are none."""
ASSERTIONS = {"identity.same_asserted": True, "identity.different_asserted": False}

RecordId = Callable[[Identifier], str]


def observe(event: Event, time_us: int, record_id: RecordId) -> Evidence:
    """The evidence in one event; `time_us` is its time in µs since 1970."""
    found = Evidence()
    if event.type in ABOUT_EVIDENCE:
        return found
    identifiers = usable(event.data.get("identifiers", {}))
    lead = leader(identifiers, event.type)
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
    for other, kind in _beside(event, lead, identifiers):
        a, b = sorted((lead_id, mention(other)))
        found.link(Link(a, b, kind, first_us, event_id, event.source))
    said_us = _said_us(event, time_us)
    for name, value in traits_said(event):
        found.trait(Trait(lead_id, name, value, said_us, said_us, event_id, event.source))
    return found


def _said_us(event: Event, time_us: int) -> int:
    """When the traits were true: the source's own change time where it gives one, not the event's."""
    changed = moment_of(event.data.get("properties", {}).get("updated_at"))
    return time_us if changed is None else min(microseconds(changed), time_us)


def _beside(event: Event, lead: Identifier, identifiers: list[Identifier]) -> list[tuple[Identifier, int]]:
    """(identifier, kind of link) of what the event names beside its lead; what policy blocks too: f leaves it out."""
    found = [(i, ALIAS) for i in _previous(event, lead)] if event.type == "alias.asserted" else []
    found += [(i, SEEN_TOGETHER) for i in identifiers if i != lead]
    return [(i, k) for i, k in found if i.type.partition(".")[0] != GROUP_TYPE]


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


def traits_said(event: Event) -> list[tuple[str, str]]:
    """(name, canonical JSON) of the traits said; null is a value: it takes the trait away."""
    traits = event.data.get("traits")
    if not isinstance(traits, dict):
        return []
    said = {_TRAIT_NAMES.get(str(name), str(name)): value for name, value in traits.items()}
    canonical = [(name, orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()) for name, value in said.items()]
    return [(name, value) for name, value in canonical if len(value) <= TRAIT_CHARS_MAX]
