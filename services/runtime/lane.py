"""The lane: one consumer of one service; whole batches in, one transaction each, states out after COMMIT.

Owns the loop, its states and its retries (docs/architecture.md, "One batch, one transaction"). Knows nothing
of what records mean: a service's `LanePlan` does.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import asyncpg
from aiokafka.errors import KafkaError

from services.runtime import applying, markers, parking, positions, resting, retelling, telemetry
from services.runtime.batch import Batch, LanePlan, Told
from services.runtime.exclusive import hold_worker_index
from services.runtime.faultpoints import FaultPoints
from services.runtime.feed import Feed
from services.runtime.outbox import Outbox
from services.runtime.parking import HandlerBroken, Suspicion
from services.runtime.positions import PositionHalt
from services.runtime.postgres import CLOSE_TIMEOUT_S, TRANSIENT, Generation, OwnConnection, SchemaHalt, connect
from services.runtime.report import LaneState, report
from services.runtime.settings import Settings
from services.runtime.topics import TopicHalt

RETRY_PAUSES_S = (0.05, 0.1, 0.2, 0.5, 1.0)
FETCH_TIMEOUT_MS = 200
FLUSH_AFTER_MS = 20
"""How long a lane waits for records that has markers to delete, which they would carry, or work of its own left."""
HEARTBEAT_S = 1.0
ORPHANS_EVERY_S = 3.0
SPARE_EVERY_S = 1.0
FRESH_CONSUMER_AFTER = 5
"""Failures in a row after which the consumer is made anew, in case it is the consumer that is broken."""
HALTS = (SchemaHalt, TopicHalt, PositionHalt, HandlerBroken)


class Lane:
    """Runs a `LanePlan` until it is stopped or halts. One instance per worker process and generation."""

    pointer = positions.LIVE
    is_live = True
    role = ""  # the one it logs in as

    def __init__(self, settings: Settings, plan: LanePlan, generation: Generation) -> None:
        self.settings = settings
        self.plan = plan
        self.generation = generation
        self.feed = Feed(settings, plan.service, plan.lane, generation.number, plan.decode, plan.lingers)
        self.outbox = Outbox(settings, plan.service, plan.encode)
        self.faults = FaultPoints(settings.fault_point)
        self.suspicion = Suspicion()
        self.state = LaneState.STARTING
        self.halt: BaseException | None = None
        self.paused = False  # by people: it rests after the batch at hand
        self.progress_at = time.monotonic()
        self.applied = 0
        self._connection: OwnConnection | None = None
        self.ended = asyncio.Event()
        self._stopping = False
        self._failures = 0
        self._reported_at = 0.0
        self._counted = 0, time.monotonic()
        self._looked_at = time.monotonic()
        self._spared_at = -SPARE_EVERY_S
        self._begun = False

    async def run(self) -> None:
        """Until `stop` or a halt. Raises what halted it: a PositionHalt, SchemaHalt, TopicHalt, HandlerBroken."""
        try:
            while not self._stopping:
                await self._turn()
        finally:
            await self._close()
            self.ended.set()

    def stop(self) -> None:
        """End after the batch at hand."""
        self._stopping = True

    async def _turn(self) -> None:
        try:
            await self._open()
            await self._step()
            self._failures = 0
        except HALTS as halt:
            await self._halt(halt)
            raise
        except KafkaError as error:
            await self._start_over(LaneState.WAITING_FOR_BROKER, error)
        except TRANSIENT as error:
            await self._start_over(LaneState.WAITING_FOR_DATABASE, error)

    async def _step(self) -> None:
        if self.feed.rebalanced:
            self.feed.rebalanced = False
            self._count("rebalanced")
            self.plan.forget()
        await self._get_ready()
        await self._look_around()
        if not self.paused:
            await self._spare()
        if self.paused:
            await resting.rest(self)
            return
        self._enter(LaneState.FETCHING)
        is_busy = self.outbox.pending or self._spared_at < 0
        records = await self.feed.fetch(FLUSH_AFTER_MS if is_busy else FETCH_TIMEOUT_MS)
        if records:
            self.faults.reach("after_getmany")
            await self._apply(records)
        elif self.outbox.idle:
            await self._idle()

    async def _get_ready(self) -> None:
        """Read positions of newly assigned partitions, take over their markers, and seek."""
        unready = self.feed.unready()
        if not unready:
            return
        ids = await self.feed.topic_ids()
        # What was deleted a moment ago is assigned until the group hears of it.
        unready = {p for p in unready if p[0] in ids}
        starts = await self.feed.starts(unready)
        found = await positions.load(self.connection, starts, ids)
        await self.feed.position(found)
        await self._adopt(unready)

    async def _adopt(self, partitions: set[positions.Partition]) -> None:
        """Tell the current states of markers that somebody left behind in these partitions."""
        await self.outbox.settle()
        left = await markers.of_partitions(self.connection, partitions, self.outbox.acked.numbers)
        if not left.numbers:
            return
        self._count("adopted", len(left.markers))
        now = await markers.states_now(self.connection, self.plan.tells, left.markers, self.generation.epoch)
        told = [Told(topic, state, left.markers[topic, key].detail) for (topic, key), state in now.items()]
        left.markers = markers.markers_of(told)
        self.outbox.publish(told, left)
        await self.outbox.settle()

    async def _apply(self, records: list[Any]) -> None:
        self._enter(LaneState.APPLYING)
        read, unread, sealed = self.plan.read(records)
        for topic in sealed:
            telemetry.RECORDS.labels(self.plan.service, topic, "sealed").inc()
        batch = Batch(read)
        if self.plan.prepare is not None:
            await self.plan.prepare(batch)
        await self.outbox.settle()
        self.faults.reach("after_publish")
        result = await applying.apply(self, batch, unread, records)
        if result.fenced:
            self._count("fenced", len(result.fenced))
            self.plan.forget()
            for partition in result.fenced:
                self.feed.ready.pop(partition, None)
        self.feed.ready.update({p: o for p, o in result.reached.items() if p in self.feed.ready})
        self.faults.reach("after_commit")
        self.applied += len(records)
        self.progress_at = time.monotonic()
        self.told(result)

    def told(self, result: applying.Applied) -> None:
        """Publish what a transaction has to tell, if it was committed."""
        if result.committed:
            self.outbox.acked = markers.Telling()
            self.outbox.publish(result.told, result.telling)

    async def _idle(self) -> None:
        """Nothing to read: delete markers of what was told, and step over what compaction removed."""
        await self.outbox.settle()
        passed = await self.feed.passed()
        if self.outbox.acked.numbers or passed:
            result = await applying.flush(self, passed)
            self.feed.ready.update({p: o for p, o in result.reached.items() if p in self.feed.ready})
            self.told(result)
        self.progress_at = time.monotonic()

    @property
    def connection(self) -> OwnConnection:
        """The lane's own connection."""
        if self._connection is not None:
            return self._connection
        raise ConnectionError("no database connection")

    async def _open(self) -> None:
        if self._connection is None or self._connection.is_closed():
            path = f"{self.generation.schema},{self.plan.service}"
            self._connection = await connect(self.settings, path, self.role)
            await hold_worker_index(self._connection, self.feed.instance)
            await resting.look(self)
        if self.plan.begin is not None and not self._begun:
            await self.plan.begin(self._connection)
            self._begun = True
        if not self.feed.started:
            await self.outbox.start()
            await self.feed.start()

    async def _start_over(self, state: LaneState, error: BaseException) -> None:
        """Forget everything in memory; positions and markers in the database say where to go on.

        This is also the answer to a COMMIT whose outcome is unknown: the position tells whether it happened.
        """
        self._enter(state)
        self._count("started_over")
        telemetry.log.warning("lane_started_over", state=state, error=telemetry.where(error))
        self.feed.ready.clear()
        self.plan.forget()
        await self.outbox.drop()
        if isinstance(error, (asyncio.TimeoutError, asyncpg.InternalClientError)) or (
            self._connection is not None and self._connection.is_in_transaction()
        ):
            await self._disconnect()
        pause = RETRY_PAUSES_S[min(self._failures, len(RETRY_PAUSES_S) - 1)]
        self._failures += 1
        if state == LaneState.WAITING_FOR_BROKER and self._failures % FRESH_CONSUMER_AFTER == 0:
            await self.feed.stop()
        await asyncio.sleep(pause)

    async def _halt(self, halt: BaseException) -> None:
        self.halt, reason = halt, str(getattr(halt, "reason", "halted"))
        try:
            if reason == applying.SUPERSEDED:
                await self._hand_over()
                return
            self._enter(LaneState.HALTED)
            telemetry.log.error("lane_halted", reason=reason, detail=str(halt))
            if isinstance(halt, HandlerBroken):
                async with self.connection.transaction():
                    await parking.unpark(self.connection, halt.places)
            await report(self.connection, self, reason)
        except TRANSIENT as error:
            telemetry.log.error("halt_not_recorded", error=telemetry.where(error))

    async def _hand_over(self) -> None:
        """After a swap: nothing more is told from here, and what was told last is told again from there."""
        await self.outbox.settle()
        await retelling.hand_over(self.connection, self.plan.service, self.outbox.acked)

    async def _look_around(self) -> None:
        """Now and then: say how we are, and look for markers nobody else will tell, and for topics made anew."""
        now = time.monotonic()
        if topic_ids := self.feed.topics_seen():
            await positions.check_topics(self.connection, topic_ids)
        if now - self._reported_at >= HEARTBEAT_S:
            self._reported_at = now
            await report(self.connection, self, "")
        if now - self._looked_at >= ORPHANS_EVERY_S and self.outbox.idle and self.feed.ready:
            self._looked_at = now
            await self._adopt(set(self.feed.ready))

    async def _spare(self) -> None:
        """Now and then, and at once while there is more: work that no record asks for; whether we are live still."""
        due = time.monotonic() - self._spared_at >= SPARE_EVERY_S
        if due and self.outbox.idle and self.feed.ready:
            result, more = await applying.spare(self)
            self._spared_at = -SPARE_EVERY_S if more else time.monotonic()
            self.told(result)

    def rest(self) -> None:
        """It is paused, and says so at its next turn."""
        if self.state != LaneState.PAUSED:
            self._enter(LaneState.PAUSED)
            self._reported_at = 0.0

    def counts(self) -> dict[str, int]:
        """What its row in the lane table tells beside its state; `per_s`: records applied since it last told."""
        (before, then), self._counted = self._counted, (self.applied, time.monotonic())
        per_s = round((self.applied - before) / max(self._counted[1] - then, HEARTBEAT_S))
        return {"applied": self.applied, "partitions": len(self.feed.ready), "per_s": per_s}

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                await connection.close(timeout=CLOSE_TIMEOUT_S)
            except TRANSIENT:
                connection.terminate()

    async def _close(self) -> None:
        await self.feed.stop()
        await self.outbox.stop()
        await self._disconnect()

    def _enter(self, state: LaneState) -> None:
        if state != self.state:
            telemetry.LANE_STATE.labels(self.plan.service, self.state).set(0)
            telemetry.LANE_STATE.labels(self.plan.service, state).set(1)
            self.state = state

    def _count(self, what: str, by: int = 1) -> None:
        telemetry.LANE_EVENTS.labels(self.plan.service, what).inc(by)
