"""Stretches of the log, read record by record from where a time begins to where another ends.

Owns the consumer that reads them: without a group, and it commits nothing. And what a record says undecoded.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.codec import header
from schemas.envelope import event_id, parse_rfc3339
from schemas.topics import CHANNEL_EVENTS, PARTITIONS
from services.runtime.settings import Settings

READ_POLL_MS = 500


class TooMuch(ValueError):
    """The stretch holds more than is held in memory at once."""


class Arrival(NamedTuple):
    """Whose event a record is and when it came, as its headers have it: nothing is decoded."""

    source: str
    sent_id: str
    received: datetime

    @property
    def event_id(self) -> str:
        """As everything is told of it."""
        return event_id(self.source, self.sent_id)


def arrival_of(record: Any) -> Arrival | None:
    """None for what is no event of ours."""
    source, sent_id = header(record.headers, "ce_source"), header(record.headers, "ce_id")
    received = header(record.headers, "c360_received")
    if source is None or sent_id is None or received is None:
        return None
    return Arrival(source, sent_id, parse_rfc3339(received))


def place_of(partition: int, offset: int) -> str:
    """A record of the log, as people are told of it."""
    return f"{CHANNEL_EVENTS.name}/{partition}/{offset}"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Offsets of each partition of the log, from `begin` to before `end`."""

    begin: Mapping[int, int]
    end: Mapping[int, int]

    @property
    def records(self) -> int:
        """How many there are at most."""
        return sum(max(0, self.end[p] - self.begin[p]) for p in self.begin)


class Log:
    """The log, open to be read. Raises aiokafka's errors while the broker is away."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._places = [TopicPartition(CHANNEL_EVENTS.name, number) for number in range(PARTITIONS)]

    async def between(self, since: datetime | None, until: datetime | None) -> Stretch:
        """What the log took from `since` (None: its beginning) to before `until` (None: its end now)."""
        ends = await self._consumer.end_offsets(self._places)
        first = await self._consumer.beginning_offsets(self._places)
        begin = first if since is None else await self._offsets(since, ends)
        end = ends if until is None else await self._offsets(until, ends)
        return Stretch({p.partition: begin[p] for p in self._places}, {p.partition: end[p] for p in self._places})

    async def _offsets(self, moment: datetime, ends: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        found = await self._consumer.offsets_for_times({p: _ms(moment) for p in self._places})
        return {p: found[p].offset if found[p] else ends[p] for p in self._places}

    async def records(self, stretch: Stretch) -> AsyncIterator[Any]:
        """Its records, in order within a partition."""
        at = dict(stretch.begin)
        left = {number for number in at if at[number] < stretch.end[number]}
        self._consumer.assign([p for p in self._places if p.partition in left])
        for place in self._consumer.assignment():
            self._consumer.seek(place, at[place.partition])
        while left:
            for place, records in (await self._consumer.getmany(timeout_ms=READ_POLL_MS)).items():
                number = place.partition
                for record in records:
                    at[number] = record.offset + 1
                    if record.offset < stretch.end[number]:
                        yield record
                if at[number] >= stretch.end[number] and number in left:
                    left.discard(number)
                    self._consumer.pause(place)


@asynccontextmanager
async def opened(settings: Settings, client_id: str) -> AsyncIterator[Log]:
    """The log, while it is read."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap, client_id=client_id)
    try:
        await consumer.start()
        yield Log(consumer)
    finally:
        await consumer.stop()


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000)
