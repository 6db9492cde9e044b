"""The door: accepted events to the log, acknowledged by the broker before anybody is told so.

Owns publishing to channel.events, for the HTTP collector and the raw lane alike.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.codec import encode_event
from schemas.topics import CHANNEL_EVENTS
from services.intake import inputs, store
from services.intake.domain import model
from services.intake.domain.accept import accept
from services.intake.domain.model import Accepted, Parked, Raw, Received, Source, Suppressed
from services.intake.door import erasures, mappings, plans
from services.intake.door.accounting import Accounting
from services.intake.pacing import Pacing
from services.intake.recent import Recent
from services.runtime import telemetry
from services.runtime.http import Database
from services.runtime.outbox import Message, producer, send_all
from services.runtime.settings import Settings
from services.runtime.waiting import Ends

ACK_TIMEOUT_S = 5.0
SEND_EVERY_S = 0.015
"""Requests that come sooner after the last send began go out together; after a quiet time none waits."""
KEYS_REMEMBERED_S = 2.0
KEYS_REMEMBERED_MAX = 10_000


class BrokerAway(Exception):
    """The broker did not acknowledge in time; the sender must send again (ids make that harmless)."""


class Publisher:
    """Publishes events to the log and waits for every ack.

    Requests that come while a send is under way, or within SEND_EVERY_S of its beginning, go out together in the
    next one: the broker, and every reader after it, sees a few large batches instead of many small ones.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._kafka: AIOKafkaProducer | None = None
        self._lock = asyncio.Lock()
        self._waiting: list[tuple[list[Message], asyncio.Future[list[tuple[int, int]]]]] = []
        self._sending: asyncio.Task[None] | None = None
        self._sent_at = 0.0

    async def publish(self, accepted: Sequence[Accepted]) -> Ends:
        """(topic, partition) → next offset after the events. Raises BrokerAway."""
        return after(await self.place(accepted))

    async def place(self, accepted: Sequence[Accepted]) -> list[tuple[int, int]]:
        """(partition, offset) of each event, once the broker has them all. Raises BrokerAway."""
        if not accepted:
            return []
        placed: asyncio.Future[list[tuple[int, int]]] = asyncio.get_running_loop().create_future()
        self._waiting.append(([encode_event(a.event) for a in accepted], placed))
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send_waiting())
        return await placed

    async def _send_waiting(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._sent_at + SEND_EVERY_S - time.monotonic())
            self._sent_at = time.monotonic()
            together, self._waiting = self._waiting, []
            messages = [m for those, _ in together for m in those]
            try:
                async with asyncio.timeout(ACK_TIMEOUT_S):
                    acked = await send_all(await self._connected(), CHANNEL_EVENTS.name, messages)
            except (KafkaError, OSError, TimeoutError) as error:
                telemetry.log.warning("broker_away", error=telemetry.where(error))
                # Who came meanwhile waited for the same broker: one time-out answers all of them.
                behind, self._waiting = self._waiting, []
                for _, placed in together + behind:
                    if not placed.done():
                        placed.set_exception(BrokerAway())
                return
            start = 0
            for those, placed in together:
                if not placed.done():
                    placed.set_result(acked[start : start + len(those)])
                start += len(those)

    async def connect(self) -> None:
        """Be ready to publish. Raises BrokerAway."""
        try:
            async with asyncio.timeout(ACK_TIMEOUT_S):
                await self._connected()
        except (KafkaError, OSError, TimeoutError) as error:
            telemetry.log.info("broker_away", error=telemetry.where(error))
            raise BrokerAway from None

    async def _connected(self) -> AIOKafkaProducer:
        async with self._lock:
            if self._kafka is None:
                kafka = producer(self.settings, "intake")
                try:
                    await kafka.start()
                except BaseException:
                    await kafka.stop()
                    raise
                self._kafka = kafka
            return self._kafka

    async def close(self) -> None:
        """Finish what is under way and disconnect."""
        if self._sending is not None:
            await self._sending
        kafka, self._kafka = self._kafka, None
        if kafka is not None:
            await kafka.stop()


def after(places: Iterable[tuple[int, int]]) -> Ends:
    """(topic, partition) → next offset after these places of the log."""
    ends: Ends = {}
    for partition, offset in places:
        place = (CHANNEL_EVENTS.name, partition)
        ends[place] = max(offset + 1, ends.get(place, 0))
    return ends


class Sources:
    """Whose a write key is, and which names are registered; each remembered for a moment."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._by_key: dict[str, tuple[float, Source | None]] = {}
        self._all: tuple[float, dict[str, Source]] = (0.0, {})

    async def of_key(self, write_key: str) -> Source | None:
        """The key's source, or None. A revoked key ends within KEYS_REMEMBERED_S."""
        known = self._by_key.get(write_key)
        if known is not None and time.monotonic() - known[0] < KEYS_REMEMBERED_S:
            return known[1]
        pool = await self.database.pool()
        async with pool.acquire() as connection:
            source = await inputs.source_of(connection, write_key)
        if len(self._by_key) >= KEYS_REMEMBERED_MAX:
            self._by_key.clear()
        self._by_key[write_key] = (time.monotonic(), source)
        return source

    async def of_app(self, app_id: str) -> Source | None:
        """The source that lists this app as its own, or None."""
        return next((s for s in (await self.registered()).values() if app_id in s.app_ids), None)

    async def registered(self) -> dict[str, Source]:
        """All sources by name."""
        read_at, found = self._all
        if not read_at or time.monotonic() - read_at >= KEYS_REMEMBERED_S:
            pool = await self.database.pool()
            async with pool.acquire() as connection:
                found = await inputs.sources(connection)
            self._all = (time.monotonic(), found)
        return found


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one request: (topic, partition) → next offset after its events, and each event's fate."""

    ends: Ends
    results: Sequence[model.Taken]


class Door:
    """Takes what came over HTTP: accept each event, keep what cannot be taken, publish the rest, await acks."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings = settings
        self.database = database
        self.publisher = Publisher(settings)
        self.sources = Sources(database)
        self.plans = plans.Plans(database)
        self.mappings = mappings.Mappings(database)
        self.erased = erasures.Erased(database, settings.key_bytes)
        self.accounting = Accounting(database)
        self.recent = Recent(settings, database)
        self.pacing = Pacing()

    async def take(self, source: Source, events: Sequence[Raw | Parked], body: bytes) -> Taken:
        """Take one request's events. Raises BrokerAway, or what TRANSIENT lists."""
        plan = await self.plans.of(source.name)
        received = Received(datetime.now(UTC), source, plan)
        results = await self.erased.spare([accept(raw, received, self.settings.key_bytes) for raw in events])
        parked = [(index, r) for index, r in enumerate(results) if isinstance(r, Parked)]
        if parked:
            await self._park(source, body, parked)
            self.accounting.note(source.name, received.arrival, parked=len(parked))
        if plan is not None and (broken := plans.broken_by(results)):
            await self._note(source.name, plan.version, broken)
        if suppressed := [r for r in results if isinstance(r, Suppressed)]:
            await self._suppress(source.name, suppressed)
            self.accounting.note(source.name, received.arrival, suppressed=len(suppressed))
        accepted = [r for r in results if isinstance(r, Accepted)]
        try:
            ends = await self.publisher.publish(accepted)
        except BrokerAway:
            self.accounting.note(source.name, received.arrival, refused=len(accepted))
            raise
        self.accounting.note(source.name, received.arrival, taken=len(accepted))
        telemetry.ACCEPTED.labels("http").inc(len(accepted))
        return Taken(ends, results)

    async def close(self) -> None:
        """Finish what is under way and write down what was answered for."""
        await self.publisher.close()
        await self.accounting.close()

    async def _note(self, source: str, version: int, broken: Mapping[tuple[str, str], int]) -> None:
        pool = await self.database.pool()
        async with pool.acquire() as connection:
            await plans.note(connection, source, version, broken)

    async def _suppress(self, source: str, suppressed: Sequence[Suppressed]) -> None:
        pool = await self.database.pool()
        async with pool.acquire() as connection:
            await erasures.note(connection, source, suppressed)
        telemetry.RECORDS.labels("intake", "", "suppressed").inc(len(suppressed))

    async def _park(self, source: Source, body: bytes, parked: list[tuple[int, Parked]]) -> None:
        pool = await self.database.pool()
        async with pool.acquire() as connection:
            await store.park_at_door(connection, source.name, body, parked)
        for _, why in parked:
            telemetry.PARKED.labels("intake", why.reason).inc()
