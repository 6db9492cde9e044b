"""A lane's consumer: assigned partitions, where to read on, and batches of records.

Owns the AIOKafkaConsumer and which partitions are ready. A rebalance callback only marks partitions as not
ready (aiokafka swallows its errors and fetching reopens before it ends); the lane positions between fetches.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError, KafkaTimeoutError, NoOffsetForPartitionError, OffsetOutOfRangeError

from schemas.topics import CHANNEL_RAW
from services.runtime import resets, telemetry
from services.runtime.positions import Partition, PositionHalt
from services.runtime.settings import Settings
from services.runtime.topics import topic_ids

resets.notice()

HEARTBEAT_SHARE = 4
"""Heartbeats in a session time-out."""
REQUEST_TIMEOUT_MS = 15_000
OFFSETS_TIMEOUT_S = 3.0
TOPICS_EVERY_S = 5.0
FETCH_WAIT_MS = 500
"""How long the broker may keep a request when it has nothing; with the first record it answers at once."""
LINGER_MAX_S = 0.2
"""However long a small batch took, the next one waits no longer than this."""
FULL_SHARE = 4
"""A batch of at least this part of the largest is worth fetching the next one beside it."""


class Feed(ConsumerRebalanceListener):  # type: ignore[misc]
    """Records of a lane's topics. `ready` maps the partitions we may apply to the next offset to apply."""

    def __init__(
        self, settings: Settings, service: str, lane: str, generation: int, topics: Iterable[str], lingers: int = 1
    ) -> None:
        self.settings = settings
        self.linger_s = lingers * settings.batch_linger_ms / 1000
        self.topics = tuple(topics)
        self.group = f"c360.{service}.g{generation}"
        self.instance = f"{service}.{lane}.{settings.worker_index}"
        self.ready: dict[Partition, int] = {}
        self.rebalanced = False
        self._consumer: AIOKafkaConsumer | None = None
        self._held: frozenset[TopicPartition] = frozenset()
        self._batch_at = 0.0
        self._look_up: asyncio.Task[dict[str, str]] | None = None
        self._looked_up_at = time.monotonic()

    @property
    def consumer(self) -> AIOKafkaConsumer:
        """The running consumer."""
        if self._consumer is None:
            raise RuntimeError("the feed is not started")
        return self._consumer

    @property
    def started(self) -> bool:
        """Whether there is a consumer."""
        return self._consumer is not None

    async def start(self) -> None:
        """Connect and subscribe. Raises aiokafka.errors.KafkaError while the broker is away."""
        session_ms = self.settings.session_timeout_ms
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.settings.kafka_bootstrap,
            group_id=self.group,
            group_instance_id=self.instance,
            client_id=self.instance,
            enable_auto_commit=False,
            isolation_level="read_committed",
            auto_offset_reset="none",
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=session_ms // HEARTBEAT_SHARE,
            max_poll_records=self.settings.batch_events_max,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            max_partition_fetch_bytes=self.settings.fetch_partition_bytes_max,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
        )
        try:
            await consumer.start()
        except BaseException:
            await consumer.stop()
            raise
        consumer.subscribe(topics=self.topics, listener=self)
        self._consumer = consumer

    async def stop(self) -> None:
        """Leave; a static member's partitions wait for it until its session ends."""
        consumer, self._consumer = self._consumer, None
        look_up, self._look_up = self._look_up, None
        if look_up is not None:
            look_up.cancel()
            await asyncio.gather(look_up, return_exceptions=True)
        self._held = frozenset()
        self.ready.clear()
        if consumer is not None:
            await consumer.stop()

    def on_partitions_revoked(self, revoked: Any) -> None:
        """Called by aiokafka: nothing may be applied until positions are read again."""
        self.ready.clear()
        self.rebalanced = True

    def on_partitions_assigned(self, assigned: Any) -> None:
        """Called by aiokafka after every rebalance."""
        self.ready.clear()
        self.rebalanced = True

    def unready(self) -> set[Partition]:
        """Assigned partitions whose position must be read before they are applied."""
        return {(tp.topic, tp.partition) for tp in self.consumer.assignment()} - self.ready.keys()

    async def topic_ids(self) -> dict[str, str]:
        """Topic → id on the broker."""
        return await topic_ids(self.settings, self.topics)

    def topics_seen(self) -> dict[str, str]:
        """Topic → id as the broker answered lately, each answer once; asked beside the lane, which never waits."""
        if self._look_up is None:
            if time.monotonic() - self._looked_up_at >= TOPICS_EVERY_S:
                self._look_up = asyncio.create_task(self.topic_ids())
            return {}
        if not self._look_up.done():
            return {}
        look_up, self._look_up = self._look_up, None
        self._looked_up_at = time.monotonic()
        try:
            return look_up.result()
        except KafkaError as error:
            telemetry.log.info("topics_unknown", error=telemetry.where(error))
            return {}

    async def beginnings(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """The first offset the broker still has of each partition."""
        wanted = [TopicPartition(*p) for p in partitions]
        try:
            # aiokafka looks for moved leaders in silence; the lane asks again.
            async with asyncio.timeout(OFFSETS_TIMEOUT_S):
                offsets = await self.consumer.beginning_offsets(wanted)
        except TimeoutError:
            raise KafkaTimeoutError("the broker does not say where partitions begin") from None
        return {(tp.topic, tp.partition): offset for tp, offset in offsets.items()}

    async def position(self, positions: dict[Partition, int]) -> None:
        """Read on from these offsets. Raises PositionHalt when the broker no longer has them."""
        beginnings = await self.beginnings(positions)
        for partition, offset in positions.items():
            self._check_kept(partition, offset, beginnings[partition])
        assigned = self.consumer.assignment()
        for partition, offset in positions.items():
            target = TopicPartition(*partition)
            if target in assigned:
                self.consumer.seek(target, offset)
                self.ready[partition] = offset

    @staticmethod
    def _check_kept(partition: Partition, offset: int, beginning: int) -> None:
        if beginning > offset:
            raise PositionHalt(
                "position_lost",
                f"{partition[0]} partition {partition[1]}: offsets {offset} to {beginning - 1}"
                f" ({beginning - offset} records) were removed unread",
            )

    async def fetch(self, timeout_ms: int) -> list[Any]:
        """Records of ready partitions, each at or after its expected offset; empty when none came.

        After a small batch nothing is asked of the broker until `batch_linger_ms` have passed since the last
        one came, and at least for as long as applying it took: on a busy machine batches become larger instead of
        more. What arrived meanwhile makes one transaction; a record that comes after a quiet time waits for nothing.
        """
        await self._linger()
        records = await self._getmany(timeout_ms, self.settings.batch_events_max)
        if records:
            self._batch_at = time.monotonic()
            if len(records) * FULL_SHARE < self.settings.batch_events_max:
                self._hold()
        return [r for r in records if r.offset >= self.ready.get((r.topic, r.partition), r.offset + 1)]

    async def rest(self, timeout_ms: int) -> None:
        """Read nothing for so long, and stay a member of the group."""
        self._hold()
        # What comes of a partition that is given to us just now is dropped: its position is read before that counts.
        await self._getmany(timeout_ms, 1)

    def _hold(self) -> None:
        """Ask the broker for nothing. Called before aiokafka's fetcher has a turn to ask for the next records."""
        self._held = self.consumer.assignment()
        self.consumer.pause(*self._held)

    async def _linger(self) -> None:
        held, self._held = self._held, frozenset()
        if not held:
            return
        busy_s = time.monotonic() - self._batch_at
        await asyncio.sleep(min(max(self.linger_s - busy_s, busy_s), LINGER_MAX_S) if self.linger_s else 0)
        # A rebalance meanwhile has made all partitions new, and none of them is held.
        self.consumer.resume(*(held & self.consumer.paused()))

    async def _getmany(self, timeout_ms: int, count_max: int) -> list[Any]:
        try:
            found = await self.consumer.getmany(timeout_ms=timeout_ms, max_records=count_max)
        except NoOffsetForPartitionError:
            # A partition was assigned and not positioned yet; the lane does so before the next fetch.
            return []
        except OffsetOutOfRangeError:
            await self._explain_out_of_range()
            return []
        return [record for records in found.values() for record in records]

    async def _explain_out_of_range(self) -> None:
        beginnings = await self.beginnings(self.ready)
        for partition, offset in list(self.ready.items()):
            self._check_kept(partition, offset, beginnings[partition])
        raise PositionHalt("position_beyond_end", "the log ends before the stored position: it was replaced")

    async def passed(self) -> dict[Partition, int]:
        """Ready partitions whose last records were compacted away: the offset they reach by themselves."""
        moved: dict[Partition, int] = {}
        assigned = self.consumer.assignment()
        for partition, expected in self.ready.items():
            target = TopicPartition(*partition)
            if target in assigned:
                reached = await self.consumer.position(target)
                if reached is not None and reached > expected:
                    moved[partition] = reached
        return moved

    async def starts(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """Where a partition never read before begins: raw topics at what is left, all others at 0."""
        wanted = set(partitions)
        raw = {p for p in wanted if p[0] == CHANNEL_RAW.name}
        found = await self.beginnings(raw) if raw else {}
        return {p: found.get(p, 0) for p in wanted}

    def known_lag(self) -> int:
        """The same as the consumer knows from its last fetches, without asking the broker."""
        if self._consumer is None:
            return 0
        # A partition that was just taken away is ready until the lane looks, and nobody knows its end any more.
        assigned = self._consumer.assignment()
        mine = {TopicPartition(*p): offset for p, offset in self.ready.items()}
        return sum(max(0, (self._consumer.highwater(tp) or 0) - mine[tp]) for tp in mine.keys() & assigned)

    async def lag(self) -> int:
        """Records the broker holds beyond the ready partitions' positions. Raises KafkaError while it is away."""
        if not self.ready:
            return 0
        try:
            async with asyncio.timeout(OFFSETS_TIMEOUT_S):
                ends = await self.consumer.end_offsets([TopicPartition(*p) for p in self.ready])
        except TimeoutError:
            raise KafkaTimeoutError("the broker does not say where partitions end") from None
        return sum(max(0, end - self.ready.get((tp.topic, tp.partition), end)) for tp, end in ends.items())
