"""End offsets of topics for the processes that answer: what a token of "everything told so far" is made of.

Owns one Kafka client without a group.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.topics import PARTITIONS
from services.runtime.settings import Settings
from services.runtime.waiting import Ends


class Ending:
    """Asks the broker where topics end."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._consumer: AIOKafkaConsumer | None = None
        self._lock = asyncio.Lock()

    async def ends(self, topics: Iterable[str]) -> Ends:
        """(topic, partition) → end offset. Raises aiokafka.errors.KafkaError while the broker is away."""
        async with self._lock:
            if self._consumer is None:
                consumer = AIOKafkaConsumer(bootstrap_servers=self.settings.kafka_bootstrap, client_id="c360-ends")
                await consumer.start()
                self._consumer = consumer
        wanted = [TopicPartition(t, p) for t in topics for p in range(PARTITIONS)]
        found = await self._consumer.end_offsets(wanted)
        return {(tp.topic, tp.partition): offset for tp, offset in found.items()}

    async def stop(self) -> None:
        """Disconnect."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()
