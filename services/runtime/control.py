"""control.events: what a service was told is told on Kafka too, so that an empty database can be given it back.

Owns the table `input_told`, the form of these messages and their way back. At least once: a reader knows an event by
(aggregate id, version).
"""

from __future__ import annotations

import asyncio
import base64
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from eventsourcing.persistence import Notification, StoredEvent

from schemas.topics import CONTROL_EVENTS, PARTITIONS
from services.runtime import telemetry
from services.runtime.eventstore import INPUTS, append, copy, events_of, max_notification_id, notifications, take_turn
from services.runtime.outbox import ACK_TIMEOUT_S, Message, producer, send_all
from services.runtime.postgres import Connection
from services.runtime.settings import Settings

TELL_EVENTS_MAX = 500
END_TIMEOUT_S = 15.0
"""How long the producer may take to end, all being acknowledged."""
READ_TIMEOUT_S = 120.0
READ_POLL_MS = 500

Place = tuple[UUID, int]
"""(aggregate id, version)."""
Content = tuple[str, bytes]
"""(topic, state)."""


class ControlIncomplete(RuntimeError):
    """The topic lacks events of an aggregate: what is left of it cannot be read, and a person has to decide."""


@dataclass(frozen=True, slots=True)
class Restored:
    """How many events were written and how many were there; with any conflict nothing was written."""

    added: int
    known: int
    conflicting: tuple[Place, ...] = ()


async def tell(settings: Settings, connection: Connection, service: str) -> int:
    """Publish, in order, what was not told yet; how many events were sent.

    Outside of a transaction, as often as one likes: it costs two questions when there is nothing to tell. Since
    events become visible in order, none will turn up later behind `told_up_to`. Raises KafkaError or TimeoutError:
    what was not acknowledged is told the next time. Two at once tell twice. A silent process leaves it to the others.
    """
    told_up_to, untold = await _untold(connection)
    if not untold or settings.silent:
        return 0
    sent = 0
    async with _producing(settings, service) as kafka:
        while untold:
            async with asyncio.timeout(ACK_TIMEOUT_S):
                await send_all(kafka, CONTROL_EVENTS.name, [_message(service, event) for event in untold])
            sent += len(untold)
            # Acknowledged. A crash here tells them again; somebody else who moved it on has told them as well.
            await connection.execute(
                "UPDATE input_told SET told_up_to = $2 WHERE told_up_to = $1", told_up_to, untold[-1].id
            )
            told_up_to, untold = await _untold(connection)
    return sent


async def tell_or_later(settings: Settings, connection: Connection, service: str) -> None:
    """Tell what was put in force just now; it counts in any case."""
    try:
        await tell(settings, connection, service)
    except (KafkaError, OSError, TimeoutError) as error:
        # It is told with the next change or the next start of a worker.
        telemetry.log.warning("control_untold", error=telemetry.where(error))


async def _untold(connection: Connection) -> tuple[int, list[Notification]]:
    told_up_to: int = await connection.fetchval("SELECT told_up_to FROM input_told")
    return told_up_to, await notifications(connection, INPUTS, told_up_to, TELL_EVENTS_MAX, inclusive_of_start=False)


@asynccontextmanager
async def _producing(settings: Settings, service: str) -> AsyncIterator[AIOKafkaProducer]:
    kafka = producer(settings, f"{service}.control")
    try:
        await kafka.start()
        yield kafka
    finally:
        await asyncio.wait_for(kafka.stop(), END_TIMEOUT_S)


def _message(service: str, event: Notification) -> Message:
    value = {
        "service": service,
        "originator_id": str(event.originator_id),
        "originator_version": event.originator_version,
        "topic": event.topic,
        "state": base64.b64encode(event.state).decode(),
        "notification_id": event.id,
    }
    headers = [("content-type", b"application/json"), ("c360_service", service.encode())]
    return str(event.originator_id).encode(), orjson.dumps(value), headers


async def read_control(settings: Settings, service: str) -> list[Notification]:
    """All events that a service told, in the order of their notification ids, each once.

    Of two different events of one (aggregate, version) both are given: `restore` reports them. Raises
    ControlIncomplete, KafkaError, TimeoutError.
    """
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap, client_id="c360-control")
    try:
        await consumer.start()
        async with asyncio.timeout(READ_TIMEOUT_S):
            records = await _all_records(consumer)
    finally:
        await consumer.stop()
    events = [_event(r.value) for r in records if dict(r.headers).get("c360_service") == service.encode()]
    different = {(e.originator_id, e.originator_version, e.topic, e.state): e for e in reversed(events)}
    _check_complete(different.values())
    return sorted(different.values(), key=lambda e: (e.id, e.originator_version))


async def _all_records(consumer: AIOKafkaConsumer) -> list[Any]:
    places = [TopicPartition(CONTROL_EVENTS.name, p) for p in range(PARTITIONS)]
    consumer.assign(places)
    await consumer.seek_to_beginning(*places)
    ends = await consumer.end_offsets(places)
    records: list[Any] = []
    for place, end in ends.items():
        while await consumer.position(place) < end:
            for found in (await consumer.getmany(timeout_ms=READ_POLL_MS)).values():
                records += found
    return records


def _event(raw: bytes) -> Notification:
    value = orjson.loads(raw)
    return Notification(
        UUID(value["originator_id"]),
        value["originator_version"],
        value["topic"],
        base64.b64decode(value["state"]),
        value["notification_id"],
    )


def _check_complete(events: Iterable[StoredEvent]) -> None:
    versions: dict[UUID | str, set[int]] = defaultdict(set)
    for event in events:
        versions[event.originator_id].add(event.originator_version)
    for originator_id, found in versions.items():
        if missing := set(range(1, max(found))) - found:
            raise ControlIncomplete(f"{originator_id} has version {max(found)}, but not {min(missing)}")


async def restore(connection: Connection, events: Sequence[Notification]) -> Restored:
    """Write those of these told events that are absent, in their order: all, or none if any is in conflict.

    A conflict is another content of the same (aggregate, version), in the store or among the events. Ids are kept
    where they come after all that are there, as in an empty store; else events get new ones in the same order.
    """
    async with connection.transaction():
        await take_turn(connection, INPUTS)
        stored = await events_of(connection, INPUTS, {_place(e)[0] for e in events})
        there = {_place(e): _content(e) for of_one in stored.values() for e in of_one}
        absent: dict[Place, Notification] = {}
        conflicting: set[Place] = set()
        for event in sorted(events, key=lambda e: e.id):
            place, content = _place(event), _content(event)
            if place not in there:
                absent[place], there[place] = event, content
            elif there[place] != content:
                conflicting.add(place)
        known = len({_place(e) for e in events} - absent.keys() - conflicting)
        if conflicting:
            return Restored(0, known, tuple(sorted(conflicting)))
        await _write(connection, list(absent.values()))
        await _mark_told(connection, {_place(e) for e in events})
    return Restored(len(absent), known)


async def _write(connection: Connection, absent: Sequence[Notification]) -> None:
    ids = {e.id for e in absent}
    last = await max_notification_id(connection, INPUTS) or 0
    if ids and len(ids) == len(absent) and min(ids) > last:
        await copy(connection, INPUTS, absent)
    else:
        await append(connection, INPUTS, absent)


async def _mark_told(connection: Connection, told: set[Place]) -> None:
    """Move told_up_to to before the first event that the topic lacks."""
    places = sorted(told)
    await connection.execute(
        """
        UPDATE input_told SET told_up_to = greatest(told_up_to, coalesce(
            (SELECT min(notification_id) - 1 FROM input_event
                LEFT JOIN unnest($1::uuid[], $2::bigint[]) AS t (i, v) ON i = originator_id AND v = originator_version
                WHERE notification_id > told_up_to AND i IS NULL),
            (SELECT max(notification_id) FROM input_event)))
        """,
        [p[0] for p in places],
        [p[1] for p in places],
    )


def _place(event: StoredEvent) -> Place:
    return UUID(str(event.originator_id)), event.originator_version


def _content(event: StoredEvent) -> Content:
    return event.topic, event.state
