"""A whole deployment in one process for the laws: lanes of all services on the broker in memory.

Owns who runs when: a test turns lanes one step at a time, crashes them inside a step, gives partitions to
others, and at the end lets everything settle. PostgreSQL is real; only Kafka is the test's.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any

from schemas.codec import encode_event
from schemas.envelope import Event
from schemas.identifiers import leading, record_id
from schemas.topics import PARTITIONS, TOPICS
from services.identity.handlers import plan as identity_plan
from services.interaction.handlers import plan as interaction_plan
from services.profile.handlers import plan as profile_plan
from services.runtime import policies
from services.runtime.lane import Lane
from services.runtime.postgres import connect
from services.runtime.settings import Settings
from services.treatment.handlers import plan as treatment_plan
from services.value.handlers import plan as value_plan
from tests.support.databases import KEY, TOLD_ALL, generation_of, settings_for
from tests.support.memory_broker import MemoryBroker, MemoryFeed, MemoryProducer, in_memory
from tests.support.oracle import Findings, check

PLANS = {
    "identity": identity_plan,
    "interaction": interaction_plan,
    "value": value_plan,
    "profile": profile_plan,
    "treatment": treatment_plan,
}
STATE_TOPICS = ("identity.bindings", "identity.customers", "interaction.customers", "value.customers")
SETTLE_TURNS_MAX = 200
NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)


def an_event(
    sent_id: str,
    identifiers: dict[str, list[str]],
    *,
    type: str = "page.viewed",
    time: datetime = NOON,
    source: str = "web",
    **data: Any,
) -> Event:
    """An event as intake would have accepted it."""
    lead = leading(identifiers, type)
    assert lead is not None
    body = {"identifiers": identifiers, "channel": "web", "direction": "inbound", "properties": {}, **data}
    rid = record_id(bytes.fromhex(KEY), lead)
    return Event(sent_id, source, type, time, rid, NOON, body)


class Worker:
    """One lane with the broker's double; `turn` runs one step of its loop."""

    def __init__(self, lane: Lane, feed: MemoryFeed, producer: MemoryProducer) -> None:
        self.lane, self.feed, self.producer = lane, feed, producer

    async def turn(self) -> None:
        """One fetch and what follows from it."""
        self.lane._looked_at = -1e9
        await self.lane._turn()

    async def turn_and_crash(self, after_awaits: int) -> bool:
        """Run a step and end the process at its n-th await; whether it got that far.

        Nothing after that await runs, the connection is cut, caches and outbox are gone.
        """
        step = self.lane._turn()
        crashed = await _drive(step, after_awaits, self._cut)
        if crashed:
            self._cut()
        return crashed

    def _cut(self) -> None:
        if self.lane._connection is not None:
            self.lane._connection.terminate()
        task = self.lane.outbox._under_way
        if task is not None:
            task.cancel()

    async def close(self) -> None:
        """A clean end."""
        with contextlib.suppress(Exception):
            await self.lane._close()


async def _drive(step: Coroutine[Any, Any, None], awaits: int, cut: Any) -> bool:
    """Await a coroutine's first n suspensions, then abandon it."""

    class Driver:
        crashed = False

        def __await__(self) -> Any:
            count = 0
            value: Any = None
            try:
                waited = step.send(None)
                while True:
                    count += 1
                    if count > awaits:
                        self.crashed = True
                        return
                    try:
                        value = yield waited
                    except BaseException as error:
                        waited = step.throw(error)
                    else:
                        waited = step.send(value)
            except StopIteration:
                return

    driver = Driver()
    await driver
    if driver.crashed:
        cut()
        with contextlib.suppress(RuntimeError, GeneratorExit):
            step.close()
    return driver.crashed


class House:
    """Workers by name (`interaction.1`), one broker, one database."""

    def __init__(self, database_url: str) -> None:
        self.database_url = database_url
        self.broker = MemoryBroker()
        self.settings: Settings = settings_for(database_url)
        self.workers: dict[str, Worker] = {}

    async def hire(self, name: str, partitions: set[int] | None = None) -> Worker:
        """Start a worker (`service` or `service.index`) owning these partition numbers, all by default."""
        service, _, index = name.partition(".")
        settings = settings_for(self.database_url, worker_index=int(index or 0))
        generation = await generation_of(settings, service)
        lane = Lane(settings, await PLANS[service](settings, generation), generation)
        worker = Worker(lane, *in_memory(lane, self.broker))
        self.workers[name] = worker
        self.give(name, partitions)
        return worker

    def give(self, name: str, partitions: set[int] | None = None) -> None:
        """Assign partition numbers of all topics to a worker."""
        numbers = set(range(PARTITIONS)) if partitions is None else partitions
        self.workers[name].feed.assign({(t, p) for t in TOPICS for p in numbers})

    async def fire(self, name: str) -> None:
        """End a worker cleanly."""
        await self.workers.pop(name).close()

    async def crash(self, name: str, after_awaits: int) -> bool:
        """Crash a worker inside a step and start it anew with the same partitions; whether it crashed."""
        worker = self.workers[name]
        crashed = await worker.turn_and_crash(after_awaits)
        if crashed:
            numbers = {p for _, p in worker.feed.assigned}
            await self.hire(name, numbers)
        return crashed

    def publish(self, *events: Event) -> None:
        """Append events to the log."""
        for event in events:
            self.broker.append("channel.events", encode_event(event))

    async def enforce(self, service: str, name: str, document: dict[str, Any]) -> None:
        """Put a policy in force, as if it had been told on control.events: there is no Kafka here."""
        connection = await connect(self.settings, service)
        try:
            async with connection.transaction():
                await policies.change(connection, name, document, "test", "a test")
                await connection.execute(TOLD_ALL)
        finally:
            await connection.close()

    async def settle(self) -> None:
        """Turn all workers until nothing is left to read, tell or mark."""
        for _ in range(SETTLE_TURNS_MAX):
            before = (self.broker.time_ms, [w.lane.applied for w in self.workers.values()])
            for worker in self.workers.values():
                await worker.turn()
                await worker.lane.outbox.settle()
            lags = [await w.feed.lag() for w in self.workers.values()]
            after = (self.broker.time_ms, [w.lane.applied for w in self.workers.values()])
            idle = not any(w.lane.outbox.acked.numbers for w in self.workers.values())
            if before == after and not any(lags) and idle:
                return
        raise AssertionError("the house does not settle")

    async def findings(self) -> Findings:
        """The oracle's word on it all."""
        return await check(
            self.database_url,
            self.broker.records("channel.events"),
            last_told={t: self.broker.last_by_key(t) for t in STATE_TOPICS},
        )

    async def close(self) -> None:
        """End all workers."""
        for worker in self.workers.values():
            await worker.close()
        await asyncio.sleep(0)
