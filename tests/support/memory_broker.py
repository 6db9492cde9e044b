"""A broker in memory for the laws: partitions, offsets, and consumers whose partitions a test assigns.

Owns what Kafka would do for a lane, step by step and without a clock. The real broker has its own tests
(tests/integration, tests/faults); here a test decides who owns what and which message is delayed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from schemas.topics import PARTITIONS, TOPICS
from services.runtime.feed import Feed
from services.runtime.lane import Lane
from services.runtime.outbox import Message, partition_of
from services.runtime.positions import Partition


@dataclass(slots=True)
class Record:
    """One record as aiokafka gives it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


@dataclass(slots=True)
class MemoryBroker:
    """All topics; `time_ms` counts appends, so that runs are the same."""

    logs: dict[Partition, list[Record]] = field(
        default_factory=lambda: {(t, p): [] for t in TOPICS for p in range(PARTITIONS)}
    )
    time_ms: int = 1_700_000_000_000

    def append(self, topic: str, message: Message) -> Record:
        """Append to the key's partition."""
        key, value, headers = message
        partition = partition_of(key)
        log = self.logs[topic, partition]
        self.time_ms += 1
        record = Record(topic, partition, len(log), self.time_ms, key, value, headers)
        log.append(record)
        return record

    def records(self, topic: str) -> list[Record]:
        """All records of a topic by partition and offset."""
        return [r for p in range(PARTITIONS) for r in self.logs[topic, p]]

    def last_by_key(self, topic: str) -> dict[bytes | None, Record]:
        """What compaction would leave."""
        return {r.key: r for p in range(PARTITIONS) for r in self.logs[topic, p]}


class MemoryFeed(Feed):
    """A feed whose partitions a test assigns; positions live in the lane's database as always."""

    def __init__(self, broker: MemoryBroker, lane: Lane) -> None:
        super().__init__(lane.settings, lane.plan.service, lane.plan.lane, 1, lane.plan.decode)
        self.broker = broker
        self.assigned: set[Partition] = set()
        self.batch_max = 1000

    def assign(self, partitions: set[Partition]) -> None:
        """A rebalance, as this consumer is told of it."""
        self.assigned = {p for p in partitions if p[0] in self.topics}
        self.on_partitions_revoked(None)

    @property
    def started(self) -> bool:
        return True

    async def stop(self) -> None:
        self.ready.clear()

    def unready(self) -> set[Partition]:
        return self.assigned - self.ready.keys()

    async def topic_ids(self) -> dict[str, str]:
        return dict.fromkeys(self.topics, "id")

    def topics_seen(self) -> dict[str, str]:
        return {}

    async def beginnings(self, partitions: Any) -> dict[Partition, int]:
        return dict.fromkeys(partitions, 0)

    async def position(self, positions: dict[Partition, int]) -> None:
        self.ready.update({p: o for p, o in positions.items() if p in self.assigned})

    async def fetch(self, timeout_ms: int) -> list[Any]:
        await asyncio.sleep(0)
        found: list[Record] = []
        for partition, offset in sorted(self.ready.items()):
            found += self.broker.logs[partition][offset : offset + self.batch_max - len(found)]
        return found

    async def rest(self, timeout_ms: int) -> None:
        await asyncio.sleep(0)

    async def passed(self) -> dict[Partition, int]:
        return {}

    async def lag(self) -> int:
        return sum(len(self.broker.logs[p]) - o for p, o in self.ready.items())


class MemoryBatch:
    """A batch as aiokafka's producer hands it out."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def append(self, *, timestamp: None, key: bytes, value: bytes | None, headers: list[tuple[str, bytes]]) -> object:
        """Never full."""
        self.messages.append((key, value, headers))
        return self


class MemoryProducer:
    """Appends at once, or when the test lets go of what it holds back."""

    def __init__(self, broker: MemoryBroker) -> None:
        self.broker = broker
        self.held: list[tuple[str, Message]] | None = None
        self.released: asyncio.Event | None = None

    def hold(self) -> None:
        """From now on messages stay with this producer, as if its process were stopped before the send."""
        self.held = []
        self.released = asyncio.Event()

    def release(self) -> None:
        """Send what was held."""
        held, self.held = self.held or [], None
        for topic, message in held:
            self.broker.append(topic, message)
        if self.released is not None:
            self.released.set()

    def create_batch(self) -> MemoryBatch:
        """An empty batch."""
        return MemoryBatch()

    async def send_batch(self, batch: MemoryBatch, topic: str, *, partition: int) -> asyncio.Future[Any]:
        """Append the batch, or hold it."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self.held is not None and self.released is not None:
            self.held += [(topic, message) for message in batch.messages]
            await self.released.wait()
            future.set_result(SimpleNamespace(partition=partition, offset=-1))
            return future
        records = [self.broker.append(topic, message) for message in batch.messages]
        future.set_result(SimpleNamespace(partition=partition, offset=records[0].offset))
        return future

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


def in_memory(lane: Lane, broker: MemoryBroker) -> tuple[MemoryFeed, MemoryProducer]:
    """Put a lane on the broker in memory."""
    feed, producer = MemoryFeed(broker, lane), MemoryProducer(broker)
    lane.feed = feed
    lane.outbox._kafka = producer
    return feed, producer
