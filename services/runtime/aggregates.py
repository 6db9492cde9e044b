"""Aggregates of the `eventsourcing` library, many at once, on a caller's connection.

Owns the mapping between domain events and stored events. What an aggregate decides is its service's.

Names. Every aggregate class and every event class has a `TOPIC`, such as "identity.policy" and
"identity.policy:set": it is what is stored, so that code can move. The library registers it when the class of the
aggregate is made (a service imports its aggregates before it loads any) and, of a class that has one, refuses events
whose own is missing or taken; `save` refuses a class that has none. A class that derives from the library's
`Aggregate` has to give the `Created` event that it inherits a TOPIC too; one that derives from `BaseAggregate[UUID]`
inherits none, and no random ids either.

Versions. An event class that changed says `class_version = 2` and has a static `upcast_v1_v2(state)`, which changes
the dict of a stored event in place.

Time. The library stamps an event with the clock's time unless its `timestamp` is given. Ours is the time of the log,
so that a rebuild writes the same events. `timestamp` is an attribute of every event like its others: pass it to
`trigger_event(cls, timestamp=at)` and `cls._create(event_class, timestamp=at)`, or let a method that is decorated
with `@event` have a parameter `timestamp: datetime`. Let an aggregate's `Event` override `create_timestamp`, which
the library calls for want of one, so that it raises (see documents.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from eventsourcing.domain import BaseAggregate
from eventsourcing.persistence import (
    DatetimeAsISO,
    DecimalAsStr,
    JSONTranscoder,
    Mapper,
    StoredEvent,
    UUIDAsHex,
)

from services.runtime.eventstore import append, events_of
from services.runtime.postgres import Connection

AnyAggregate = TypeVar("AnyAggregate", bound=BaseAggregate[UUID])


def _mapper() -> Mapper[UUID]:
    transcoder = JSONTranscoder()
    for transcoding in (UUIDAsHex(), DecimalAsStr(), DatetimeAsISO()):
        transcoder.register(transcoding)
    return Mapper(transcoder)


MAPPER = _mapper()
"""The library's own, with the transcodings that its applications have: either reads what the other wrote."""


class NameMissing(TypeError):
    """An aggregate's class has no TOPIC: Python paths would be stored, and no code could ever move."""


async def load(
    connection: Connection, table: str, cls: type[AnyAggregate], ids: Iterable[UUID]
) -> dict[UUID, AnyAggregate]:
    """Aggregates by id, in one statement; one without events is missing.

    Raises the library's TopicError for an event nobody knows, TypeError for an aggregate of another class.
    """
    stored = await events_of(connection, table, ids)
    return {i: _folded(cls, events) for i, events in stored.items()}


async def save(connection: Connection, table: str, aggregates: Iterable[BaseAggregate[UUID]]) -> list[StoredEvent]:
    """Append the pending events of many aggregates in one statement; what was written, in order.

    Raises IntegrityError when somebody else went on with one of them since it was loaded, NameMissing. An aggregate
    is spent when the transaction does not commit: roll back, load it anew, decide again.
    """
    changed = list(aggregates)
    for cls in {type(aggregate) for aggregate in changed}:
        if not getattr(cls, "TOPIC", ""):
            raise NameMissing(f"{cls.__qualname__} has no TOPIC")
    events = [MAPPER.to_stored_event(event) for aggregate in changed for event in aggregate.pending_events]
    await append(connection, table, events)
    for aggregate in changed:
        aggregate.collect_events()
    return events


def _folded(cls: type[AnyAggregate], events: Sequence[StoredEvent]) -> AnyAggregate:
    aggregate: Any = None
    for event in events:
        aggregate = MAPPER.to_domain_event(event).mutate(aggregate)  # type: ignore[attr-defined]
    if not isinstance(aggregate, cls):
        raise TypeError(f"{events[0].originator_id} is a {type(aggregate).__name__}, not a {cls.__name__}")
    return aggregate
