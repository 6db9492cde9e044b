"""A rebuild: the same plan on the generation beside the live one, from the log's beginning, then along its tail.

Owns what differs from a live lane: no consumer group, no producer, nothing told, a set rate, positions it is held at
to be compared, and that records come first and what is combined of them last (gathering.py). State and position
commit together, so it goes on from wherever it was killed.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Sequence
from typing import Any

import asyncpg

from services.runtime import applying, beside, gathering, positions, rights, telemetry
from services.runtime.batch import Batch, LanePlan, Work
from services.runtime.beside import Beside, Ends
from services.runtime.gathering import Stage
from services.runtime.lane import HEARTBEAT_S, Lane
from services.runtime.markers import Telling
from services.runtime.outbox import Outbox, Silent
from services.runtime.positions import Partition
from services.runtime.postgres import Connection, Generation, SchemaHalt
from services.runtime.rebuild_feed import WholeFeed
from services.runtime.report import LaneState, report
from services.runtime.settings import Settings

LANE = "rebuild"
WAIT_S = 0.05
DEBT_MAX_S = 1.0
"""A rebuild that was slower than its rate does not make up for more than this."""
PACED_BATCHES_PER_S = 4
"""A pause, or a swap, is not kept waiting for longer than one of them."""
UNPERMITTED_MAX = 3
"""Refused more often than this in a row, the handlers want to write what is not theirs: the process ends."""
MEASURED_OVER_S = 10.0
GATHERED_AT_ONCE = 2_000
"""Records gathered in one transaction, where the rate allows: what a transaction costs is less of each."""


class Silence(Outbox):
    """An outbox without a producer."""

    async def start(self) -> None:
        """Nothing to connect."""

    def publish(self, told: Sequence[Any], telling: Telling) -> None:
        """Raises Silent if there is anything."""
        if telling.numbers:
            raise Silent("a rebuild tells nothing")


@dataclasses.dataclass(slots=True)
class Pace:
    """At most so many records a second, over any second; `measured` is what it comes to."""

    per_s: int = 0
    due_at: float = 0.0
    counted: int = 0
    since: float = dataclasses.field(default_factory=time.monotonic)
    measured: int = 0

    def pause_s(self, records: int, now: float) -> float:
        """How long to wait after these records."""
        self.counted += records
        if now - self.since >= MEASURED_OVER_S:
            self.measured = round(self.counted / (now - self.since))
            self.counted, self.since = 0, now
        if not self.per_s:
            return 0.0
        self.due_at = max(self.due_at, now - DEBT_MAX_S) + records / self.per_s
        return max(0.0, self.due_at - now)


def silenced(plan: LanePlan) -> LanePlan:
    """The same plan, of which nothing is told and nothing is marked to be; it gathers before it combines."""
    gathers = plan.gathers

    async def begin(connection: Connection) -> None:
        if gathers is not None:
            await gathering.begin(connection)
        if plan.begin is not None:
            await plan.begin(connection)

    async def apply(batch: Batch, work: Work) -> None:
        # Asked in the batch's own transaction: what is combined already must not be gathered.
        is_first = gathers is not None and await gathering.stage(work.connection) is Stage.GATHERING
        await (gathers.apply if gathers is not None and is_first else plan.apply)(batch, work)
        work.told.clear()

    async def spare(work: Work) -> bool:
        if gathers is not None and await gathering.combine_some(work, gathers.combine):
            more = True
        else:
            more = plan.spare is not None and await plan.spare(work)
        work.told.clear()
        return more

    return dataclasses.replace(plan, lane=LANE, begin=begin, apply=apply, spare=spare, prepare=None)


class Rebuild(Lane):
    """A lane on the generation beside the live one; ends by itself when that is no longer beside it."""

    pointer = positions.BESIDE
    is_live = False

    def __init__(self, settings: Settings, plan: LanePlan, generation: Generation) -> None:
        if not settings.silent:
            raise Silent("a rebuild's settings must be silent")
        feed = WholeFeed(settings, plan.service, LANE, generation.number, plan.decode)
        decode = dict.fromkeys(plan.decode, feed.message)
        super().__init__(settings, dataclasses.replace(silenced(plan), decode=decode), generation)
        self.feed = feed
        self.outbox = Silence(settings, plan.service, {})
        self.pace = Pace()
        self._unpermitted = 0
        self.role = rights.role_of(plan.service)
        self.held_at: Ends = {}
        self.stage = Stage.FOLLOWING

    async def _turn(self) -> None:
        try:
            await super()._turn()
            self._unpermitted = 0
        except SchemaHalt as halt:
            if halt.reason not in (applying.SUPERSEDED, "no_generation"):
                raise
            # Paused, swapped or given up since we looked; what was begun is rolled back.
            self.plan.forget()
            self.feed.ready.clear()
        except asyncpg.InsufficientPrivilegeError:
            # A swap has taken the rights on what is live now; the next step sees that, or is given them again.
            self._unpermitted += 1
            if self._unpermitted > UNPERMITTED_MAX:
                raise
            telemetry.log.info("rights_taken", generation=self.generation.number)
            self.plan.forget()
            self.feed.ready.clear()
            await self._disconnect()
            await asyncio.sleep(WAIT_S)
        except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
            telemetry.log.info("generation_dropped", generation=self.generation.number)
            self.stop()

    async def _open(self) -> None:
        if self._connection is None or self._connection.is_closed():
            await rights.give(self.settings, self.plan.service, self.generation.number)
            await super()._open()
            # What a crash of the database loses of it, it loses with the positions: that is read again.
            await self.connection.execute("SET synchronous_commit TO off")
            await self._look_at_stage()
        else:
            await super()._open()

    async def _look_at_stage(self) -> None:
        if self.plan.gathers is not None:
            self.stage = await gathering.stage(self.connection)

    async def _halt(self, halt: BaseException) -> None:
        if getattr(halt, "reason", "") not in (applying.SUPERSEDED, "no_generation"):
            await super()._halt(halt)

    async def _step(self) -> None:
        found = await beside.beside(self.connection, self.plan.service)
        if found is None or found.generation != self.generation.number:
            self.stop()
            return
        if found.state != beside.RUNNING:
            await self._rest()
            return
        self._follow(found)
        if self.stage is Stage.COMBINING:
            await self._get_ready()
            await self._look_around()
            self._enter(LaneState.APPLYING)
            await self._spare()
            self.progress_at = time.monotonic()
            await self._look_at_stage()
            return
        await super()._step()

    async def _spare(self) -> None:
        if self.stage is not Stage.GATHERING:
            await super()._spare()

    async def _end_gathering(self) -> None:
        """Combine what was gathered, if no more than a batch is left to read: the rest is followed."""
        most = self.settings.batch_events_max
        # The broker answers behind a fetch that waits for records, half a second later: it is asked at the end alone.
        if self.stage is Stage.GATHERING and self.feed.known_lag() < most and await self.feed.lag() < most:
            await gathering.gathered(self.connection)
            telemetry.log.info("rebuild_gathered", generation=self.generation.number)
            await self._look_at_stage()

    def _follow(self, found: Beside) -> None:
        self.pace.per_s = found.events_per_s
        if isinstance(self.feed, WholeFeed):
            share = found.events_per_s // PACED_BATCHES_PER_S
            most = GATHERED_AT_ONCE if self.stage is Stage.GATHERING else self.settings.batch_events_max
            self.feed.at_once = max(1, min(share, most))
        held_at = found.held_at or {}
        if held_at != self.held_at:
            self.held_at = held_at
            # What was read beyond the positions and not applied has to be read again.
            self.feed.ready.clear()

    async def _rest(self) -> None:
        self._enter(LaneState.PAUSED)
        if time.monotonic() - self._reported_at >= HEARTBEAT_S:
            self._reported_at = time.monotonic()
            await report(self.connection, self, "")
        await asyncio.sleep(WAIT_S)

    async def _adopt(self, partitions: set[Partition]) -> None:
        """What a generation has left to tell is taken over by the one that replaces it."""

    async def _apply(self, records: list[Any]) -> None:
        kept = [r for r in records if r.offset < self.held_at.get((r.topic, r.partition), r.offset + 1)]
        if kept:
            await super()._apply(kept)
            await asyncio.sleep(self.pace.pause_s(len(kept), time.monotonic()))
            if len(records) < self.settings.batch_events_max:
                await self._end_gathering()
            return
        # All that was read lies beyond: what lies before has been applied, or was compacted away.
        there = {(r.topic, r.partition) for r in records}
        await self._pass({p: self.held_at[p] for p in there})
        await asyncio.sleep(WAIT_S)

    async def _idle(self) -> None:
        await self._pass({p: min(o, self.held_at.get(p, o)) for p, o in (await self.feed.passed()).items()})
        self.pace.pause_s(0, time.monotonic())
        await self._end_gathering()
        self.progress_at = time.monotonic()

    async def _pass(self, to: Ends) -> None:
        passed = {p: o for p, o in to.items() if o > self.feed.ready.get(p, o)}
        if passed:
            result = await applying.flush(self, passed)
            self.feed.ready.update({p: o for p, o in result.reached.items() if p in self.feed.ready})

    def counts(self) -> dict[str, int]:
        """What its row in the lane table tells beside its state."""
        return {**super().counts(), "events_per_s": self.pace.measured}
