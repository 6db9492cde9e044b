"""Heard: what an event says beside money, a contact that costs something, a statement, or both.

Owns which types are heard and the form of one. Never raises for what was sent. Pure.
"""

from __future__ import annotations

from typing import NamedTuple
from zoneinfo import ZoneInfo

from schemas.envelope import Event
from services.value.domain.contacts import CONTACT_TYPES, Contact, read_contact
from services.value.domain.reading import business_day
from services.value.domain.statements import STATING, statement_of, write_statement

HEARD_TYPES: frozenset[str] = CONTACT_TYPES | STATING.keys()


class Heard(NamedTuple):
    """What one event says beside money: a contact, a statement in its stored form, or both.

    `time_us`: when it happened, in µs since 1970; `day`: the business day of it.
    """

    event_id: str
    record_id: str
    time_us: int
    day: int
    contact: Contact | None
    said: str | None


def heard_of(event: Event, time_us: int, zone: ZoneInfo) -> Heard | None:
    """What the event says; None where that is nothing. `time_us`: when it happened, in µs since 1970."""
    if event.type not in HEARD_TYPES:
        return None
    day, contact = business_day(time_us, zone), None
    if event.type in CONTACT_TYPES:
        properties = event.data.get("properties")
        duration = properties.get("duration_s") if isinstance(properties, dict) else None
        contact = read_contact(day, event.data.get("channel"), event.data.get("direction"), duration)
    statement = statement_of(event, time_us, zone)
    if contact is None and statement is None:
        return None
    said = None if statement is None else write_statement(statement)
    return Heard(event.event_id, event.record_id, time_us, day, contact, said)
