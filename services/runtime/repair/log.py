"""The log as a repair reads it: from here to there, as often as it needs, without a group.

Owns one consumer. Reads all partitions it is told; which records matter is the reader's.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.topics import PARTITIONS
from services.runtime.beside import Ends, Refused
from services.runtime.feed import FETCH_WAIT_MS, REQUEST_TIMEOUT_MS
from services.runtime.settings import Settings

READ_AT_ONCE = 5_000
SILENT_MAX_S = 30.0
"""How long the broker may give nothing of what it should have."""


class Log(Protocol):
    """Topics as they are read by a repair."""

    async def firsts(self, topic: str) -> Ends:
        """The first offset of each partition that there is."""

    async def ends(self, topics: Iterable[str]) -> Ends:
        """The offset after the last record of each partition."""

    async def since(self, topic: str, time_ms: int) -> tuple[Ends, int | None]:
        """The first offsets appended at that time or later, and the time of the earliest of them in ms."""

    def read(self, start: Ends, to: Ends) -> AsyncIterator[list[Any]]:
        """Records from `start` up to before `to`. Raises Refused when the broker gives nothing."""

    async def stop(self) -> None:
        """Disconnect."""


class KafkaLog:
    """A Log on the broker."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._consumer: AIOKafkaConsumer | None = None

    async def firsts(self, topic: str) -> Ends:
        """The first offset of each partition that there is."""
        consumer = await self._started()
        found = await consumer.beginning_offsets([TopicPartition(topic, p) for p in range(PARTITIONS)])
        return {(tp.topic, tp.partition): offset for tp, offset in found.items()}

    async def ends(self, topics: Iterable[str]) -> Ends:
        """The offset after the last record of each partition."""
        consumer = await self._started()
        found = await consumer.end_offsets([TopicPartition(t, p) for t in topics for p in range(PARTITIONS)])
        return {(tp.topic, tp.partition): offset for tp, offset in found.items()}

    async def since(self, topic: str, time_ms: int) -> tuple[Ends, int | None]:
        """The first offsets appended at that time or later, and the time of the earliest of them in ms."""
        consumer = await self._started()
        asked = {TopicPartition(topic, p): time_ms for p in range(PARTITIONS)}
        found = {tp: at for tp, at in (await consumer.offsets_for_times(asked)).items() if at is not None}
        ends = await self.ends([topic])
        offsets = {p: found[TopicPartition(*p)].offset if TopicPartition(*p) in found else o for p, o in ends.items()}
        return offsets, min((at.timestamp for at in found.values()), default=None)

    async def read(self, start: Ends, to: Ends) -> AsyncIterator[list[Any]]:
        """Records from `start` up to before `to`. Raises Refused when the broker gives nothing."""
        left = {TopicPartition(*p): end for p, end in to.items() if end > start.get(p, 0)}
        if not left:
            return
        consumer = await self._started()
        consumer.assign(list(left))
        for partition in left:
            consumer.seek(partition, start.get((partition.topic, partition.partition), 0))
        heard_at = time.monotonic()
        while left:
            found = await consumer.getmany(timeout_ms=FETCH_WAIT_MS, max_records=READ_AT_ONCE)
            records = [r for tp, those in found.items() if tp in left for r in those if r.offset < left[tp]]
            if records:
                heard_at = time.monotonic()
                yield records
            elif time.monotonic() - heard_at > SILENT_MAX_S:
                raise Refused("the broker does not give the log; is it at work?")
            # Compaction may have left no record at the end: the consumer has passed it all the same.
            for partition in [tp for tp, end in left.items() if await consumer.position(tp) >= end]:
                del left[partition]
                consumer.pause(partition)

    async def stop(self) -> None:
        """Disconnect."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()

    async def _started(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self.settings.kafka_bootstrap,
                group_id=None,
                client_id="c360-repair",
                isolation_level="read_committed",
                auto_offset_reset="none",
                enable_auto_commit=False,
                fetch_max_wait_ms=FETCH_WAIT_MS,
                max_partition_fetch_bytes=self.settings.fetch_partition_bytes_max,
                request_timeout_ms=REQUEST_TIMEOUT_MS,
            )
            await consumer.start()
            self._consumer = consumer
        return self._consumer
