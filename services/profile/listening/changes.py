"""Changes of profiles as they are told on Kafka: one consumer for all streams of a process, and reading back.

Owns that who comes back with a cursor misses nothing and hears nothing twice. What was told again after a crash has
the id it had; it is known by that within REMEMBERED changes of its partition.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from schemas.topics import PARTITIONS, PROFILE_CHANGES
from services.profile.listening.audience import SLOW, UNAVAILABLE, Audience, Change, Listener
from services.profile.listening.messages import events_of
from services.profile.listening.places import BEGIN, REMEMBERED, Cursor, Places, Remembered, after, read_cursor
from services.runtime import telemetry
from services.runtime.http import Problem
from services.runtime.outbox import partition_of
from services.runtime.settings import Settings

NEAR = 500
"""Changes from the end at which a listener who reads back takes his seat: they and what comes meanwhile find room."""
POLL_MS, POLL_RECORDS_MAX = 1_000, 500
OFFSETS_TIMEOUT_S = 3.0
BEHIND_S = 0.02
READING_BACK_MAX = 16
READING_BACK_S = 120.0
"""Longer reads are gone on with by who comes back: nobody keeps others from reading back by being slow."""
FETCH_PARTITION_BYTES_MAX = 256 * 1024


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

    @asynccontextmanager
    async def ours(self) -> AsyncIterator[Listener]:
        """A listener of our own to everybody's changes: no key's, it takes nobody's place. Raises as `open` does."""
        listener = await self.open(None, None)
        try:
            yield listener
        finally:
            await self.close(listener)

    async def open(self, key_id: str | None, keys: Iterable[str] | None) -> Listener:
        """A listener, while whom the topic is read; `close` must follow.

        Raises Problem (too-many-streams, unavailable).
        """
        listener = self.audience.admit(key_id, keys)
        try:
            async with self._lock:
                if not self._is_reading():
                    await self._stop()
                    await self._start()
        except BaseException as error:
            self.audience.leave(listener)
            if isinstance(error, (KafkaError, OSError, TimeoutError)):
                telemetry.log.warning("changes_unavailable", error=telemetry.where(error))
                raise _unavailable() from None
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
        is_ahead = record.offset >= self.places[record.partition]
        is_wanted = is_ahead and record.key is not None and self.audience.wants(record.key.decode())
        before = Cursor(self.places)
        for change in events_of(record, before, remembered, build=is_wanted):
            self.audience.tell(change)
        if is_ahead:
            self.places = after(self.places, record.partition, record.offset)

    # -- coming back -------------------------------------------------------------------------------------

    async def start_at(self, cursor: str | None, keys: Iterable[str] | None) -> Cursor:
        """Where a stream starts: at a cursor, at the oldest that is kept (BEGIN), or now.

        Raises Problem (bad-request, cursor-expired, unavailable).
        """
        if cursor is None:
            return Cursor(self.places)
        start = None if cursor == BEGIN else read_cursor(cursor)
        begins, ends = await self._kept()
        if start is None:
            return Cursor(begins)
        needed = _needed(start)
        if any(not begins[p] <= start.places[p] or needed[p] > ends[p] for p in _partitions(keys)):
            raise Problem("cursor-expired", "read what is now, and begin without a cursor")
        return start

    async def start_from(self, time_ms: int) -> Cursor:
        """The place of the first changes told at that time or later. Raises Problem("unavailable")."""
        _, ends = await self._kept()
        try:
            async with asyncio.timeout(OFFSETS_TIMEOUT_S):
                assert self._consumer is not None
                found = await self._consumer.offsets_for_times({_place(p): time_ms for p in range(PARTITIONS)})
        except (KafkaError, TimeoutError):
            raise _unavailable() from None
        offsets = [found[_place(p)] for p in range(PARTITIONS)]
        return Cursor(tuple(ends[p] if one is None else one.offset for p, one in enumerate(offsets)))

    async def _kept(self) -> tuple[Places, Places]:
        if self._consumer is None:
            raise _unavailable()
        try:
            return await _bounds(self._consumer)
        except (KafkaError, TimeoutError):
            raise _unavailable() from None

    async def catch_up(self, listener: Listener, start: Cursor) -> AsyncGenerator[Change, None]:
        """What was told from there on; when it ends the listener has its seat, and hears what follows."""
        wanted, needed = _partitions(listener.keys), _needed(start)
        while any(self.places[p] < needed[p] for p in wanted) and self._is_reading():  # noqa: ASYNC110
            # Another process told him more than was read here.
            await asyncio.sleep(BEHIND_S)
        while True:
            seated = sum(max(0, self.places[p] - start.places[p]) for p in wanted) <= NEAR
            if seated:
                self._seat(listener)
            until = self.places
            async for change in self._between(start, until, listener):
                yield change
            start = Cursor(until)
            if seated or listener.is_over():
                return

    def _seat(self, listener: Listener) -> None:
        self.audience.seat(listener)
        if not self._is_reading():
            listener.end(UNAVAILABLE)

    def _is_reading(self) -> bool:
        return self._reading is not None and not self._reading.done()

    async def _between(self, start: Cursor, until: Places, listener: Listener) -> AsyncIterator[Change]:
        places = start.places
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
                    is_ahead = record.offset >= places[record.partition]
                    hears = is_ahead and (listener.keys is None or record.key.decode() in listener.keys)
                    told = start.skips(record.partition, record.offset)
                    for change in events_of(record, Cursor(reached), remembered, build=hears, skip=told):
                        yield change
                    if is_ahead:
                        reached = after(reached, record.partition, record.offset)


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


def _needed(cursor: Cursor) -> Places:
    """How far the log surely reaches if the cursor is of it."""
    return after(cursor.places, cursor.within, cursor.places[cursor.within]) if cursor.told else cursor.places


def _unavailable() -> Problem:
    return Problem("unavailable", "changes cannot be read", {"Retry-After": "5"})
