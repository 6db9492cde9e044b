"""A rebuild's consumer: all partitions, no group, and the next records read and decoded while a batch is applied.

Owns reading ahead. What was read ahead and not given out is read again whenever anything is positioned anew; nothing
that lies ahead counts as passed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.codec import Sealed, Unreadable
from schemas.topics import PARTITIONS
from services.runtime.feed import FETCH_WAIT_MS, REQUEST_TIMEOUT_MS, Feed
from services.runtime.positions import Partition
from services.runtime.settings import Settings

DECODED_AT_ONCE = 50
"""Records decoded before the batch that is being applied has its turn again: about a millisecond."""

Decode = Callable[[Any], Any]
Place = tuple[str, int, int]


class WholeFeed(Feed):
    """All partitions of the plan's topics, without a group: nobody else's consumers notice."""

    def __init__(
        self, settings: Settings, service: str, lane: str, generation: int, decode: Mapping[str, Decode]
    ) -> None:
        super().__init__(settings, service, lane, generation, decode)
        self.at_once = 1
        self._decode = decode
        self._decoded: dict[Place, Any] = {}
        self._ahead: asyncio.Task[list[Any]] | None = None

    async def start(self) -> None:
        """Connect. Raises aiokafka.errors.KafkaError while the broker is away."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.settings.kafka_bootstrap,
            group_id=None,
            client_id=self.instance,
            isolation_level="read_committed",
            auto_offset_reset="none",
            enable_auto_commit=False,
            max_poll_records=self.settings.batch_events_max,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            max_partition_fetch_bytes=self.settings.fetch_partition_bytes_max,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
        )
        await consumer.start()
        consumer.assign([TopicPartition(topic, p) for topic in self.topics for p in range(PARTITIONS)])
        self._consumer = consumer

    async def stop(self) -> None:
        """Disconnect."""
        await self._drop_ahead()
        await super().stop()

    async def position(self, positions: dict[Partition, int]) -> None:
        """As for every feed; what was read ahead of any partition is read again."""
        await self._drop_ahead()
        assigned = self.consumer.assignment()
        for partition, offset in self.ready.items():
            if TopicPartition(*partition) in assigned:
                self.consumer.seek(TopicPartition(*partition), offset)
        await super().position(positions)

    async def passed(self) -> dict[Partition, int]:
        """As for every feed; while records are read ahead nothing is known to be passed."""
        return {} if self._ahead is not None else await super().passed()

    async def fetch(self, timeout_ms: int) -> list[Any]:
        """Records at or after their expected offsets, `at_once` at most; none linger, since nobody waits."""
        ahead, self._ahead = self._ahead, None
        records = await (ahead or self._read(timeout_ms))
        if records:
            self._ahead = asyncio.create_task(self._read(timeout_ms))
        kept = [r for r in records if r.offset >= self.ready.get((r.topic, r.partition), r.offset + 1)]
        if len(kept) < len(records):
            self._decoded.clear()
        return kept

    def message(self, record: Any) -> Any:
        """What the record's decoder makes of it, or made of it ahead. Raises Unreadable, Sealed."""
        place = (record.topic, record.partition, record.offset)
        if place in self._decoded:
            return self._decoded.pop(place)
        return self._decode[record.topic](record)

    async def _read(self, timeout_ms: int) -> list[Any]:
        records = await self._getmany(timeout_ms, self.at_once)
        for number, record in enumerate(records):
            if not number % DECODED_AT_ONCE:
                await asyncio.sleep(0)
            try:
                self._decoded[record.topic, record.partition, record.offset] = self._decode[record.topic](record)
            except (Unreadable, Sealed):
                # Said when it is applied: then it is decoded again.
                continue
        return records

    async def _drop_ahead(self) -> None:
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)
        self._decoded.clear()
