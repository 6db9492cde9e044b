"""Changes of profiles as they are told on Kafka: one consumer for all streams of a process, and reading back.

Owns the cursor, and that who comes back with one misses nothing and hears nothing twice. A cursor is the next offset
of each partition. What was told again after a crash has the id it had; it is known by that within REMEMBERED changes
of its partition.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from schemas.codec import header
from schemas.envelope import rfc3339
from schemas.topics import PARTITIONS, PROFILE_CHANGES
from services.profile.api.audience import SLOW, UNAVAILABLE, Audience, Change, Listener
from services.runtime import telemetry
from services.runtime.http import Problem
from services.runtime.outbox import partition_of
from services.runtime.settings import Settings

REMEMBERED = 2_000
"""A crash makes at most one batch of a partition be told again."""
NEAR = 500
"""Changes from the end at which a listener who reads back takes his seat: they and what comes meanwhile find room."""
POLL_MS, POLL_RECORDS_MAX = 1_000, 500
OFFSETS_TIMEOUT_S = 3.0
READING_BACK_MAX = 16
READING_BACK_S = 120.0
"""Longer reads are gone on with by who comes back: nobody keeps others from reading back by being slow."""
FETCH_PARTITION_BYTES_MAX = 256 * 1024
BEGIN = "begin"

Places = tuple[int, ...]
"""The next offset of each partition."""


def write_cursor(places: Sequence[int]) -> str:
    """A cursor; without the characters that would need care in a header or a URL."""
    return "-".join(map(str, places))


def read_cursor(text: str) -> Places:
    """The places in a cursor. Raises Problem("bad-request")."""
    parts = text.split("-")
    if len(parts) != PARTITIONS or not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):
        raise Problem("bad-request", "the cursor is the id of an event of a stream of changes")
    return tuple(map(int, parts))


class Remembered:
    """The ids of the newest changes of each partition."""

    def __init__(self) -> None:
        self._ids: dict[int, dict[str, None]] = {}

    def is_new(self, partition: int, change_id: str) -> bool:
        """Whether it was not met among the last ones; it is remembered."""
        ids = self._ids.setdefault(partition, {})
        if change_id in ids:
            return False
        ids[change_id] = None
        if len(ids) > REMEMBERED:
            del ids[next(iter(ids))]
        return True


class Changes:
    """Reads the topic while anybody listens. `audience` hears; `places` is how far it has heard."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.audience = Audience()
        self.places: Places = ()
        self._consumer: AIOKafkaConsumer | None = None
        self._reading: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()
        self._back = asyncio.Semaphore(READING_BACK_MAX)

    async def open(self, key_id: str, keys: Iterable[str] | None) -> Listener:
        """A listener, while whom the topic is read; `close` must follow.

        Raises Problem (too-many-streams, unavailable).
        """
        listener = self.audience.admit(key_id, keys)
        try:
            async with self._lock:
                if self._reading is None or self._reading.done():
                    await self._stop()
                    await self._start()
        except BaseException as error:
            self.audience.leave(listener)
            if isinstance(error, (KafkaError, OSError, TimeoutError)):
                telemetry.log.warning("changes_unavailable", error=telemetry.where(error))
                raise Problem("unavailable", "changes cannot be read", {"Retry-After": "5"}) from None
            raise
        telemetry.STREAMS.inc()
        return listener

    async def close(self, listener: Listener) -> None:
        """It listens no more; without any the topic is not read."""
        self.audience.leave(listener)
        telemetry.STREAMS.dec()
        async with self._lock:
            if self.audience.is_empty:
                await self._stop()

    async def end(self) -> None:
        """End all streams."""
        self.audience.end_all(UNAVAILABLE)
        async with self._lock:
            await self._stop()

    # -- the end of the log ------------------------------------------------------------------------------

    async def _start(self) -> None:
        """Raises KafkaError or TimeoutError while the broker is away."""
        consumer = self._consumer = _consumer(self.settings, "c360-changes")
        try:
            await consumer.start()
            begins, ends = await _bounds(consumer)
            consumer.assign([_place(p) for p in range(PARTITIONS)])
            for partition, end in enumerate(ends):
                # What was told just before must be known when it is told again.
                consumer.seek(_place(partition), max(begins[partition], end - REMEMBERED))
        except BaseException:
            await self._stop()
            raise
        self.places = ends
        self._reading = asyncio.create_task(self._read(consumer))

    async def _stop(self) -> None:
        reading, self._reading = self._reading, None
        consumer, self._consumer = self._consumer, None
        if reading is not None:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        if consumer is not None:
            await consumer.stop()

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        remembered = Remembered()
        try:
            while True:
                found = await consumer.getmany(timeout_ms=POLL_MS, max_records=POLL_RECORDS_MAX)
                for records in found.values():
                    for record in records:
                        self._hear(record, remembered)
                await asyncio.sleep(0)
        except (KafkaError, OSError) as error:
            telemetry.log.warning("changes_unavailable", error=telemetry.where(error))
        finally:
            self.audience.end_all(UNAVAILABLE)

    def _hear(self, record: Any, remembered: Remembered) -> None:
        is_new = remembered.is_new(record.partition, header(record.headers, "ce_id") or "")
        if record.offset < self.places[record.partition]:
            return
        self.places = _after(self.places, record)
        if is_new and record.key is not None and self.audience.wants(record.key.decode()):
            self.audience.tell(_change(record, self.places))

    # -- coming back -------------------------------------------------------------------------------------

    async def start_at(self, cursor: str | None, keys: Iterable[str] | None) -> Places:
        """Where a stream starts: at a cursor, at the oldest that is kept (BEGIN), or now.

        Raises Problem (bad-request, cursor-expired, unavailable).
        """
        if cursor is None:
            return self.places
        places = None if cursor == BEGIN else read_cursor(cursor)
        if self._consumer is None:
            raise Problem("unavailable", "changes cannot be read", {"Retry-After": "5"})
        try:
            begins, ends = await _bounds(self._consumer)
        except (KafkaError, TimeoutError):
            raise Problem("unavailable", "changes cannot be read", {"Retry-After": "5"}) from None
        if places is None:
            return begins
        if any(not begins[p] <= places[p] <= ends[p] for p in _partitions(keys)):
            raise Problem("cursor-expired", "read what is now, and begin without a cursor")
        return places

    async def catch_up(self, listener: Listener, places: Places) -> AsyncGenerator[Change, None]:
        """What was told from there on; when it ends the listener has its seat, and hears what follows."""
        wanted = _partitions(listener.keys)
        while True:
            seated = sum(max(0, self.places[p] - places[p]) for p in wanted) <= NEAR
            if seated:
                self._seat(listener)
            until = self.places
            async for change in self._between(places, until, listener):
                yield change
            places = until
            if seated or listener.is_over():
                return

    def _seat(self, listener: Listener) -> None:
        self.audience.seat(listener)
        if self._reading is None or self._reading.done():
            listener.end(UNAVAILABLE)

    async def _between(self, places: Places, until: Places, listener: Listener) -> AsyncIterator[Change]:
        wanted = [p for p in _partitions(listener.keys) if places[p] < until[p]]
        if not wanted:
            return
        remembered = Remembered()
        # Of the partitions it does not read nothing is missed.
        reached = tuple(places[p] if p in wanted else until[p] for p in range(PARTITIONS))
        deadline = time.monotonic() + READING_BACK_S
        async with self._back, _reading_back(self.settings, wanted, places) as consumer:
            while any(reached[p] < until[p] for p in wanted):
                if time.monotonic() > deadline:
                    listener.end(SLOW)
                    return
                found = await consumer.getmany(timeout_ms=POLL_MS, max_records=POLL_RECORDS_MAX)
                for record in (r for records in found.values() for r in records if r.offset < until[r.partition]):
                    is_new = remembered.is_new(record.partition, header(record.headers, "ce_id") or "")
                    if record.offset < places[record.partition]:
                        continue
                    reached = _after(reached, record)
                    if is_new and (listener.keys is None or record.key.decode() in listener.keys):
                        yield _change(record, reached)


@asynccontextmanager
async def _reading_back(settings: Settings, partitions: Sequence[int], places: Places) -> AsyncIterator[Any]:
    """A consumer of its own, a little before these places."""
    consumer = _consumer(settings, "c360-changes-back")
    try:
        await consumer.start()
        begins, _ = await _bounds(consumer)
        consumer.assign([_place(p) for p in partitions])
        for p in partitions:
            if begins[p] > places[p]:
                raise OffsetOutOfRangeError({_place(p): places[p]})
            consumer.seek(_place(p), max(begins[p], places[p] - REMEMBERED))
        yield consumer
    finally:
        await consumer.stop()


def _consumer(settings: Settings, client_id: str) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap,
        client_id=client_id,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        max_partition_fetch_bytes=FETCH_PARTITION_BYTES_MAX,
    )


async def _bounds(consumer: AIOKafkaConsumer) -> tuple[Places, Places]:
    """(first kept offset, next offset) of each partition. Raises KafkaError or TimeoutError."""
    places = [_place(p) for p in range(PARTITIONS)]
    # aiokafka looks for moved leaders in silence.
    async with asyncio.timeout(OFFSETS_TIMEOUT_S):
        begins, ends = await asyncio.gather(consumer.beginning_offsets(places), consumer.end_offsets(places))
    return tuple(begins[place] for place in places), tuple(ends[place] for place in places)


def _place(partition: int) -> TopicPartition:
    return TopicPartition(PROFILE_CHANGES.name, partition)


def _partitions(keys: Iterable[str] | None) -> Sequence[int]:
    return range(PARTITIONS) if keys is None else sorted({partition_of(key.encode()) for key in keys})


def _after(places: Places, record: Any) -> Places:
    return (*places[: record.partition], record.offset + 1, *places[record.partition + 1 :])


def _change(record: Any, places: Places) -> Change:
    named = {name: header(record.headers, f"ce_{name}") or "" for name in ("specversion", "id", "source", "type")}
    about = {
        **named,
        "subject": record.key.decode(),
        "time": rfc3339(datetime.fromtimestamp(record.timestamp / 1000, UTC)),
        "datacontenttype": "application/json",
    }
    event = orjson.dumps(about)[:-1] + b',"data":' + record.value + b"}"
    return Change(about["subject"], named["id"], named["type"], event, write_cursor(places))
