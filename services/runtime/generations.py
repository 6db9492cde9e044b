"""Steps of a replay: a generation begun, paused, given up, made live, and the way back.

Owns the pointer's moves and writing the table `beside`. Each step is one transaction with the event that tells it
(replays.py), one at a time for a service. The live generation is never dropped nor altered.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.runtime import replays, retelling, rights
from services.runtime.beside import (
    PAUSED,
    RUNNING,
    Beside,
    Pointer,
    Refused,
    beside,
    is_reviewed,
    pointer,
    records_behind,
    schema_of,
)
from services.runtime.postgres import (
    CLOSE_TIMEOUT_S,
    Connection,
    ServiceSchema,
    apply_inputs,
    connect,
    derive,
    take_turn,
)
from services.runtime.settings import Settings

SWAP_WAIT_S = 2.0
"""How long live lanes are kept waiting for the other generation to reach where they are; then nothing is swapped."""
SWAP_POLL_S = 0.01
SWAP_LAG_RECORDS_MAX = 1_000
"""Further behind than this, live lanes are not even asked to wait."""
NOTHING_BESIDE = "there is no generation beside the live one; `replay start` begins one"


@dataclass(frozen=True, slots=True)
class By:
    """Who takes a step, and why."""

    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class Swapped:
    """`live` is the generation that is live now, or would be; `waited_ms`: how long live lanes waited for it."""

    live: int
    other: int
    epoch: int
    waited_ms: int


class Generations:
    """The steps, for one service. Each opens a connection of its own."""

    def __init__(self, settings: Settings, schema: ServiceSchema) -> None:
        self.settings = settings
        self.schema = schema
        self.service = schema.service

    @asynccontextmanager
    async def inputs(self) -> AsyncIterator[Connection]:
        """A connection to the service's inputs, whatever tables the live generation has."""
        connection = await connect(self.settings, self.service)
        try:
            async with connection.transaction():
                await take_turn(connection, self.service)
                await apply_inputs(connection, self.schema)
            yield connection
        finally:
            await connection.close(timeout=CLOSE_TIMEOUT_S)

    @asynccontextmanager
    async def step(self) -> AsyncIterator[Connection]:
        """A transaction that nobody else takes a step beside."""
        async with self.inputs() as connection, connection.transaction():
            await take_turn(connection, self.service)
            yield connection

    async def start(self, events_per_s: int, by: By, *, execute: bool) -> int:
        """Make the next generation's empty tables, for a rebuild to fill; its number. Raises Refused."""
        async with self.step() as connection:
            live = await pointer(connection, self.service)
            found = await beside(connection, self.service)
            if found is not None:
                kept = "is kept so that the swap can be rolled back" if found.retired else "is being built"
                raise Refused(f"generation {found.generation} {kept}; `replay abort` drops it")
            begun = [step["generation"] for step in await replays.steps(connection, self.service)]
            number: int = 1 + max(live.live, *begun, 0)
            if execute:
                await self._begin(connection, number, events_per_s, by)
        return number

    async def _begin(self, connection: Connection, number: int, events_per_s: int, by: By) -> None:
        build = self.settings.build
        await connection.execute(
            f"INSERT INTO {self.service}.beside (generation, state, retired, events_per_s, tables, build)"
            " VALUES ($1, $2, false, $3, $4, $5)",
            number,
            RUNNING,
            events_per_s,
            self.schema.fingerprint,
            build,
        )
        replay = replays.Replay.start(self.service, number, events_per_s, build, by.who, by.reason, _now())
        await replays.record(connection, replay)
        await derive(connection, self.schema, number)

    async def pause(self, by: By) -> int:
        """Let the rebuild stop after the batch at hand; its generation. Raises Refused."""
        return await self._change("paused", PAUSED, by, {})

    async def resume(self, by: By, events_per_s: int | None = None) -> int:
        """Let it go on, maybe at another rate; its generation. Raises Refused."""
        return await self._change("resumed", RUNNING, by, {"events_per_s": events_per_s} if events_per_s else {})

    async def _change(self, what: str, state: str, by: By, more: dict[str, Any]) -> int:
        async with self.step() as connection:
            found = await self._locked(connection)
            rate = more.get("events_per_s", found.events_per_s)
            await connection.execute(f"UPDATE {self.service}.beside SET state = $1, events_per_s = $2", state, rate)
            await self._record(connection, found.generation, what, state, by, more)
        return found.generation

    async def abort(self, by: By, *, execute: bool) -> int:
        """Drop the generation beside the live one; its number. Raises Refused."""
        async with self.step() as connection:
            found = await self._locked(connection)
            if found.generation == (await pointer(connection, self.service)).live:
                raise Refused(f"generation {found.generation} is live")
            if found.retired and not await retelling.is_done(connection, self.service):
                raise Refused("what the swap changed is still being told, by comparing with it")
            if execute:
                what = "dropped" if found.retired else "aborted"
                await self._record(connection, found.generation, what, "ended", by, {})
                await connection.execute(f"DELETE FROM {self.service}.beside")
                await connection.execute(f"DROP SCHEMA {schema_of(self.service, found.generation)} CASCADE")
        return found.generation

    async def swap(self, by: By, *, back: bool = False, execute: bool) -> Swapped:
        """Make the other generation live; `back`: the one that was live before. Raises Refused.

        Live lanes wait at their next batch until the other has reached where they are, at most SWAP_WAIT_S, so no
        answer goes back in time.
        """
        async with self.inputs() as watching, self.inputs() as connection:
            found, live = await self._fit(watching, back)
            if not execute:
                return Swapped(found.generation, live.live, live.epoch, 0)
            began = time.monotonic()
            async with connection.transaction():
                await take_turn(connection, self.service)
                live = await pointer(connection, self.service, "FOR UPDATE")
                await self._until_level(watching, live, found)
                found = await self._locked(connection)
                epoch = await self._flip(connection, live, found)
                what, state = ("rolled_back", "retired") if back else ("swapped", "live")
                more = {"live": found.generation, "epoch": epoch}
                await self._record(connection, max(live.live, found.generation), what, state, by, more)
        return Swapped(found.generation, live.live, epoch, int((time.monotonic() - began) * 1000))

    async def _fit(self, connection: Connection, back: bool) -> tuple[Beside, Pointer]:
        """The generation that can be made live now, and the one that is. Raises Refused saying what is in the way."""
        live, found = await pointer(connection, self.service), await beside(connection, self.service)
        if found is None:
            raise Refused(NOTHING_BESIDE)
        there = schema_of(self.service, found.generation)
        if back and not found.retired:
            raise Refused(f"generation {found.generation} was never live; `replay swap` makes it so")
        if found.state != RUNNING:
            raise Refused(f"generation {found.generation} is {found.state}; resume it first")
        if found.held_at is not None:
            raise Refused("it is being compared with the live one; wait until that ends")
        behind = await records_behind(connection, schema_of(self.service, live.live), there)
        if behind > SWAP_LAG_RECORDS_MAX:
            raise Refused(f"generation {found.generation} is {behind:,} records behind the live one")
        halted = await connection.fetchval(f"SELECT reason FROM {there}.lane WHERE state = 'halted'")
        if halted is not None:
            raise Refused(f"the rebuild of generation {found.generation} halted: {halted}")
        if not await is_reviewed(connection, self.service, there):
            raise Refused(f"generation {found.generation} is not yet looked at as a whole by the policy in force")
        return found, live

    async def _until_level(self, watching: Connection, live: Pointer, found: Beside) -> None:
        here, there = schema_of(self.service, live.live), schema_of(self.service, found.generation)
        deadline = time.monotonic() + SWAP_WAIT_S
        while behind := await records_behind(watching, here, there):
            if time.monotonic() > deadline:
                number = found.generation
                raise Refused(f"generation {number} stays {behind:,} records behind: is its rebuild at work?")
            await asyncio.sleep(SWAP_POLL_S)

    async def _flip(self, connection: Connection, live: Pointer, found: Beside) -> int:
        """The other is live from this transaction's end, under a higher epoch, which is returned."""
        service = self.service
        here, there = schema_of(service, live.live), schema_of(service, found.generation)
        epoch = max(live.epoch + 1, int(time.time() * 1000))
        comparable = live.tables == found.tables and await is_reviewed(connection, service, here)
        await connection.execute(
            f"UPDATE {service}.generation SET live = $1, epoch = $2, tables = $3",
            found.generation,
            epoch,
            found.tables,
        )
        await connection.execute(
            f"UPDATE {service}.beside SET generation = $1, retired = true, tables = $2", live.live, live.tables
        )
        # What workers said of themselves in either place is over: who works on the other one says so anew.
        await connection.execute(f"DELETE FROM {here}.lane; DELETE FROM {there}.lane")
        await rights.take(connection, service, there)
        await retelling.begin(connection, service, live.live, here, there, comparable=comparable)
        return epoch

    async def _locked(self, connection: Connection) -> Beside:
        """The generation beside the live one; its rebuild is between two batches until this transaction ends."""
        found = await beside(connection, self.service, "FOR UPDATE")
        if found is None:
            raise Refused(NOTHING_BESIDE)
        return found

    async def _record(
        self, connection: Connection, generation: int, what: str, state: str, by: By, more: dict[str, Any]
    ) -> None:
        """The step, told of the younger of the two generations: it is its replay, whichever is live."""
        number = max(generation, (await pointer(connection, self.service)).live)
        replay = await replays.stored(connection, self.service, number)
        if replay is None:
            raise Refused(f"nobody started generation {number}")
        replay.take(what, state, by.who, by.reason, _now(), **more)
        await replays.record(connection, replay)


def _now() -> datetime:
    return datetime.now(UTC)
