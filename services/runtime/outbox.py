"""The outbox: publishes states after COMMIT, waits for the broker's acks, remembers which markers to delete.

Owns the AIOKafkaProducer of a worker. Order of a key is not its business: markers repair it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2

from schemas.codec import State, StateText, encode_state
from schemas.topics import PARTITIONS
from services.runtime import resets, telemetry
from services.runtime.batch import Told
from services.runtime.markers import Telling
from services.runtime.settings import Settings

resets.notice()

Message = tuple[bytes, bytes | None, list[tuple[str, bytes]]]
Encode = Callable[[Told], Message]

LINGER_MS = 2
BATCH_BYTES_MAX = 256 * 1024
REQUEST_BYTES_MAX = 4 * 1024 * 1024
REQUEST_TIMEOUT_MS = 5_000
"""After it the producer gives a batch up and says so."""
ACK_TIMEOUT_S = 10.0
"""After it the producer itself is given up: one whose sender has died says nothing for ever."""
RETIRE_TIMEOUT_S = 3.0
"""How long a producer may take to end by itself; after a broker's death it may wait for it for ever."""
CUT_TIMEOUT_S, CUTS_MAX = 1.0, 3
RETRY_PAUSE_S = 0.5
KEYS_REMEMBERED_MAX = 200_000


class Silent(RuntimeError):
    """A process that publishes nothing was asked to."""


def producer(settings: Settings, client_id: str) -> AIOKafkaProducer:
    """An idempotent producer that is acked by all in-sync replicas. Raises Silent in a process that has none."""
    if settings.silent:
        raise Silent(f"{client_id} publishes nothing")
    return AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap,
        client_id=client_id,
        acks="all",
        enable_idempotence=True,
        compression_type="snappy",  # a seventh of the time of lz4 at the level the client takes; files a fifth larger
        linger_ms=LINGER_MS,
        max_batch_size=BATCH_BYTES_MAX,
        max_request_size=REQUEST_BYTES_MAX,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
    )


@lru_cache(maxsize=KEYS_REMEMBERED_MAX)
def partition_of(key: bytes) -> int:
    """The partition of a key, as every Kafka client computes it (murmur2, positive, modulo)."""
    return int(murmur2(key) & 0x7FFFFFFF) % PARTITIONS


async def send_all(kafka: AIOKafkaProducer, topic: str, messages: Sequence[Message]) -> list[tuple[int, int]]:
    """Publish to a topic of ours and wait for every ack; (partition, offset) of each in order.

    Whole batches are built by partition: one future each instead of one a message, which costs five times
    as much. Raises KafkaError.
    """
    by_partition: dict[int, list[int]] = {}
    for index, (key, _, _) in enumerate(messages):
        by_partition.setdefault(partition_of(key), []).append(index)
    placed: list[tuple[int, int]] = [(0, 0)] * len(messages)
    await asyncio.gather(
        *(_send_to(kafka, topic, partition, messages, indexes, placed) for partition, indexes in by_partition.items())
    )
    return placed


async def _send_to(
    kafka: AIOKafkaProducer,
    topic: str,
    partition: int,
    messages: Sequence[Message],
    indexes: Sequence[int],
    placed: list[tuple[int, int]],
) -> None:
    start = 0
    while start < len(indexes):
        batch = kafka.create_batch()
        end = start
        while end < len(indexes):
            key, value, headers = messages[indexes[end]]
            if batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
                break
            end += 1
        acked = await (await kafka.send_batch(batch, topic, partition=partition))
        for position, index in enumerate(indexes[start:end]):
            placed[index] = (partition, acked.offset + position)
        start = end


def _with_cause(told: Told) -> State | StateText:
    cause = (told.detail or {}).get("cause")
    return msgspec.structs.replace(told.state, cause=cause) if cause else told.state


class PublisherStuck(RuntimeError):
    """A producer does not end; only the end of the process keeps what it holds from being sent some day."""


class Outbox:
    """States on their way out. `acked` is what the broker has and whose markers are still to be deleted."""

    def __init__(self, settings: Settings, service: str, encode: Mapping[str, Encode]) -> None:
        self.settings = settings
        self.service = service
        self.encode = encode
        self.acked = Telling()
        self._kafka: AIOKafkaProducer | None = None
        self._under_way: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect. Raises KafkaError while the broker is away."""
        if self._kafka is None:
            kafka = producer(self.settings, f"{self.service}.{self.settings.worker_index}")
            try:
                await kafka.start()
            except BaseException:
                await kafka.stop()
                raise
            self._kafka = kafka

    async def stop(self) -> None:
        """Finish what is under way and disconnect."""
        await self.drop()
        if self._kafka is not None:
            kafka, self._kafka = self._kafka, None
            await kafka.stop()

    async def drop(self) -> None:
        """Forget what is under way; its markers are in the database, and whoever reads them tells again."""
        self.acked = Telling()
        task, self._under_way = self._under_way, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def publish(self, told: Sequence[Told], telling: Telling) -> None:
        """Begin to send the states of a telling; `settle` must be awaited before the next call."""
        if not telling.numbers:
            return
        if not self.idle:
            raise RuntimeError("settle before publishing more")
        if self._under_way is not None:
            # Whoever found us idle need not settle; what went wrong is still to be raised.
            self._under_way.result()
        self._under_way = asyncio.create_task(self._send(list(told), telling))

    @property
    def idle(self) -> bool:
        """Nothing under way (acked markers may still wait to be deleted)."""
        return self._under_way is None or self._under_way.done()

    @property
    def pending(self) -> bool:
        """Something is under way, or its markers are still to be deleted."""
        return self._under_way is not None or bool(self.acked.numbers)

    async def settle(self) -> None:
        """Wait until everything begun is acked."""
        task, self._under_way = self._under_way, None
        if task is not None:
            try:
                await task
            finally:
                if not task.done():
                    task.cancel()

    async def _send(self, told: list[Told], telling: Telling) -> None:
        by_topic: dict[str, list[Message]] = {}
        for one in told:
            encode = self.encode.get(one.topic)
            message = encode(one) if encode else encode_state(_with_cause(one))
            by_topic.setdefault(one.topic, []).append(message)
        await self._until_acked(by_topic)
        for topic, messages in by_topic.items():
            telemetry.TOLD.labels(self.service, topic).inc(len(messages))
        self.acked.add(telling)

    async def _until_acked(self, by_topic: Mapping[str, Sequence[Message]]) -> None:
        """Tell it again until it is acked: a repeat is harmless, a loss is not. Raises PublisherStuck."""
        while True:
            try:
                await self.start()
                async with asyncio.timeout(ACK_TIMEOUT_S):
                    await asyncio.gather(*(send_all(self._kafka, t, m) for t, m in by_topic.items()))
                return
            except (KafkaError, TimeoutError) as error:
                telemetry.log.warning("publish_repeated", error=telemetry.where(error))
                await self._retire()
                await asyncio.sleep(RETRY_PAUSE_S)

    async def _retire(self) -> None:
        """End the producer before another one sends: what it still holds is older, and must not come later."""
        kafka, self._kafka = self._kafka, None
        if kafka is None:
            return
        try:
            await asyncio.wait_for(kafka.stop(), RETIRE_TIMEOUT_S)
        except KafkaError as error:
            telemetry.log.info("producer_retired", error=telemetry.where(error))
        except TimeoutError:
            await _cut(kafka)


async def _cut(kafka: AIOKafkaProducer) -> None:
    """End a producer that does not end by itself. Raises PublisherStuck where that fails too."""
    sender = kafka._sender.sender_task
    for _ in range(CUTS_MAX):
        # The first time it only begins to wait for its requests, without end; the next time it leaves them.
        sender.cancel()
        await asyncio.wait([sender], timeout=CUT_TIMEOUT_S)
        if sender.done():
            break
    else:
        raise PublisherStuck("a producer does not end")
    try:
        # What it left can send nothing over closed connections.
        async with asyncio.timeout(RETIRE_TIMEOUT_S):
            await kafka.client.close()
    except TimeoutError:
        raise PublisherStuck("a producer's connections do not close") from None
    telemetry.log.info("producer_cut")
