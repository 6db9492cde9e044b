"""The demo's events in time order, and the truth about whose each record is.

Real (The Complete Journey): baskets with their lines, amounts and times, campaigns, redemptions,
demographics. Synthetic (this project's seeded generator): the people, their names, addresses, identifiers
and devices, who of a household bought on which channel, page views, sign-ups, calls, services, feedback,
and what became of messages.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import NamedTuple

import msgspec

from services.ops.demo.accuracy import RecordKey, identifiers_of
from services.ops.demo.contacts import introduce
from services.ops.demo.diary import Diary, Event, Sent
from services.ops.demo.journey import FIRST_DAY, read
from services.ops.demo.mailings import mail
from services.ops.demo.people import Noise, settle
from services.ops.demo.visits import shop

HOUSEHOLDS = 300
WEEKS = 52
SOURCES = ("web", "app", "store", "call", "crm")

_encoder = msgspec.json.Encoder(decimal_format="number")


class Truth(NamedTuple):
    """`records`: the person of each record. `ambiguous`: records left out, as several persons are in them."""

    records: dict[RecordKey, int]
    ambiguous: frozenset[RecordKey]


def demo_events(
    households: int = HOUSEHOLDS, seed: int = 1, weeks: int = WEEKS, noise: Noise | None = None
) -> Iterator[Sent]:
    """About 40,000 events of 300 real households in a year, in time order; the same for the same arguments.

    Raises ExtraMissing without the extra `demo`. A household's events do not depend on how many others
    there are.
    """
    until = FIRST_DAY + timedelta(weeks=weeks)
    sent: list[Sent] = []
    for household in read(households, seed, weeks):
        draw = random.Random(f"{seed}:{household.number}")
        home = settle(household, until, noise or Noise(), draw)
        diary = Diary(household.number)
        introduce(diary, home, household, until, noise or Noise(), draw)
        shop(diary, home, household, noise or Noise(), draw)
        mail(diary, home, household, draw)
        sent += diary.sent
    sent.sort(key=lambda one: (one.event["time"], one.household, one.event["id"]))
    yield from sent


def encode(event: Event) -> bytes:
    """The event as JSON, amounts as exact decimal numbers."""
    return _encoder.encode(event)


def encoded(sent: Iterable[Sent], batch_events: int) -> Iterator[bytes]:
    """JSON arrays of `batch_events` events: bodies of `application/cloudevents-batch+json`."""
    batch: list[Event] = []
    for one in sent:
        batch.append(one.event)
        if len(batch) == batch_events:
            yield _encoder.encode(batch)
            batch = []
    if batch:
        yield _encoder.encode(batch)


def truth_of(sent: Iterable[Sent]) -> Truth:
    """Whose each record is. A record is an identifier that leads at least one event.

    An identifier that events of two persons carry (a household's number, a shared browser, a placeholder)
    belongs to nobody alone: whatever customer it is put to is half right, so its record is left out and
    counted as ambiguous. It still does its harm: who is joined through it counts.
    """
    persons: dict[RecordKey, set[int]] = defaultdict(set)
    leads: set[RecordKey] = set()
    for one in sent:
        found = identifiers_of(one.event)
        leads.update(found[:1])
        for key in found:
            persons[key].add(one.person)
    shared = frozenset(key for key in leads if len(persons[key]) > 1)
    return Truth({key: next(iter(persons[key])) for key in sorted(leads - shared)}, shared)
