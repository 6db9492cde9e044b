"""`c360 repair`: whom it is of, folded anew beside, compared at equal positions, replaced where they differ.

Owns the order of these steps, and that two never repair one service at once. Interrupted anywhere, what was replaced
is right and the rest as before; asked again, it comes to the same.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from schemas.codec import Unreadable, decode_state
from schemas.topics import CHANNEL_EVENTS
from services.runtime import replays
from services.runtime.beside import Ends, Refused, is_reviewed, pointer, positions_in, schema_of
from services.runtime.checksums import tables_of
from services.runtime.exclusive import alone
from services.runtime.generations import By
from services.runtime.host import BuildPlan
from services.runtime.postgres import Connection, ServiceSchema
from services.runtime.repair import replacing
from services.runtime.repair.folding import SCRATCH, Scratch
from services.runtime.repair.log import Log
from services.runtime.repair.owned import columns_of, known, owned
from services.runtime.repair.replacing import Layout, Unit
from services.runtime.repair.selecting import Asked, Ids, belonging, selected, tied
from services.runtime.settings import Settings
from services.runtime.uncompared import uncompared

ROUNDS_MAX = 8
"""How often it begins anew because somebody else turned out to be tied to those it is of."""
TAIL_MAX_S = 2.0
"""How long live lanes may wait for the tail to be folded; then they go on, and it is tried again."""
IDLE_MAX_MS = 5_000
TAILS_MAX = 5
RECORDS_AT_ONCE = 500
NAMED_MAX = 1_000

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Task:
    """What is wanted, by whom; without `execute` only compared."""

    asked: Asked
    by: By
    execute: bool
    progress: Progress


class Grew(Exception):
    """Others are tied to those it is of, whose log was not folded."""


@dataclass(slots=True)
class Repaired:
    """What it came to: records folded, customers of whom any row differs, owners by table, replaced, told."""

    records: int = 0
    folded: int = 0
    customers: list[str] = field(default_factory=list)
    by_table: Counter[str] = field(default_factory=Counter)
    replaced: int = 0
    told: int = 0

    def listed(self) -> dict[str, Any]:
        """As it is answered."""
        return {
            "records": self.records, "folded": self.folded, "differing": len(self.customers),
            "customers": self.customers[:NAMED_MAX], "tables": dict(sorted(self.by_table.items())),
            "replaced": self.replaced, "told": self.told,
        }  # fmt: skip


class Repair:
    """One repair of one service. `log` is what it reads; the caller's, and stopped by him.

    About `at_once` records are replaced in one transaction.
    """

    def __init__(
        self, settings: Settings, schema: ServiceSchema, build: BuildPlan, log: Log, at_once: int = RECORDS_AT_ONCE
    ) -> None:
        self.settings = settings.model_copy(update={"silent": True})
        self.schema = schema
        self.service = schema.service
        self.build = build
        self.log = log
        self.at_once = at_once

    async def run(self, asked: Asked, by: By, progress: Progress, *, execute: bool) -> Repaired:
        """Compare, and with `execute` replace what differs. Raises Refused, whose message says what is in the way."""
        owned(self.service)
        task = Task(asked, by, execute, progress)
        async with self._alone() as live, self._scratch() as scratch:
            ids = await selected(asked, self.log)
            known_of = await belonging(ids, self.log)
            done = Repaired()
            for _ in range(ROUNDS_MAX):
                try:
                    await self._round(live, scratch, ids, known_of, done, task)
                    return done
                except Grew:
                    progress("others are tied to them: beginning anew with these")
                    await belonging(ids, self.log)
            raise Refused("others come to be tied to them all the time; try again later")

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[Connection]:
        """The connection that reads and changes live; nobody else repairs this service while it lives."""
        async with alone(self.settings, self.service, f"c360.repair.{self.service}") as connection:
            if connection is None:
                raise Refused(f"somebody else repairs {self.service} at the moment")
            yield connection

    @asynccontextmanager
    async def _scratch(self) -> AsyncIterator[Scratch]:
        scratch = await Scratch.open(self.settings, self.schema, self.build)
        try:
            yield scratch
            await scratch.drop()
        finally:
            await scratch.close()

    async def _round(
        self, live: Connection, scratch: Scratch, ids: Ids, known_of: bool, done: Repaired, task: Task
    ) -> None:
        layout = await self._fitting(live, scratch)
        both = layout.live, layout.scratch
        await tied(live, both[:1], layout.owned, ids)
        task.progress(f"{len(ids.keys):,} records: folding them from the log's beginning")
        await scratch.begin(ids.keys)
        await scratch.fold(self.log, await self._reached(live, layout.live))
        await scratch.look_again()
        if await tied(live, both, layout.owned, ids):
            raise Grew
        if task.asked.customer is not None and not known_of and not ids.ties:
            raise Refused(f"nobody is known as {task.asked.customer}")
        done.records, done.folded = len(ids.keys), scratch.folded
        wrong = await self._compared(live, scratch, layout, ids, done)
        task.progress(f"{scratch.folded:,} messages folded; {len(done.customers):,} customers differ")
        if task.execute and wrong:
            layout.floors = await self._floors(layout, done.customers)
            for some in portions(wrong, self.at_once):
                done.told += await self._replaced(live, scratch, layout, some, ids, task)
                done.replaced += len(replacing.joined(some).get("group", []))
                task.progress(f"{done.replaced:,} of {len(done.customers):,} customers replaced")

    async def _fitting(self, live: Connection, scratch: Scratch) -> Layout:
        at = await pointer(live, self.service)
        here = schema_of(self.service, at.live)
        if at.tables != self.schema.fingerprint:
            raise Refused(f"generation {at.live} has other tables than this build; build it anew with `replay start`")
        if not await is_reviewed(live, self.service, here):
            raise Refused("not everybody is yet looked at by the policy in force; try again in a moment")
        columns = await columns_of(live, here)
        topic, tells = next(iter(scratch.plan.tells.items()))
        there = schema_of(self.service, SCRATCH)
        compared = await tables_of(live, here, uncompared(self.service))
        return Layout(at, here, there, self.service, known(self.service, columns), columns, compared, topic, tells)

    async def _reached(self, live: Connection, schema: str) -> Ends:
        """Where live is, in every partition it reads. Raises Refused when the log's beginning is gone."""
        gone = {p: first for p, first in (await self.log.firsts(CHANNEL_EVENTS.name)).items() if first}
        if gone:
            raise Refused("the broker has removed the log's beginning; nothing can be folded from it")
        return await positions_in(live, schema)

    async def _compared(
        self, live: Connection, scratch: Scratch, layout: Layout, ids: Ids, done: Repaired
    ) -> list[Unit]:
        """The units that differ at the positions of one snapshot of live, which goes on meanwhile."""
        async with live.transaction(isolation="repeatable_read"):
            await scratch.fold(self.log, await positions_in(live, layout.live))
            if await tied(live, [layout.live], layout.owned, ids):
                raise Grew
            wrong, done.by_table = await replacing.differing(live, scratch.connection, layout, ids.units())
        done.customers = replacing.joined(wrong).get("group", [])
        return wrong

    async def _floors(self, layout: Layout, keys: list[str]) -> dict[str, int]:
        """key → the highest n told of it under this epoch: a row that was lost must not count from the beginning."""
        wanted, found = set(keys), dict.fromkeys(keys, 0)
        async for records in self.log.read(await self.log.firsts(layout.topic), await self.log.ends([layout.topic])):
            for raw in records:
                if raw.key is None or raw.key.decode() not in wanted:
                    continue
                try:
                    state = decode_state(raw.value)
                except Unreadable:
                    continue  # nobody reads it as a version either
                if state.version.epoch == layout.at.epoch:
                    found[state.key] = max(found[state.key], state.version.n)
        return found

    async def _replaced(
        self, live: Connection, scratch: Scratch, layout: Layout, units: list[Unit], ids: Ids, task: Task
    ) -> int:
        """One portion, at once with the step that tells of it; how many states are told."""
        for _ in range(TAILS_MAX):
            await scratch.fold(self.log, await positions_in(live, layout.live))
            await scratch.look_again()
            try:
                async with live.transaction():
                    return await self._replace(live, scratch, layout, units, ids, task)
            except (TimeoutError, asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError):
                await asyncio.sleep(TAIL_MAX_S / 2)
        raise Refused("live lanes are too busy to be made to wait; try again later")

    async def _replace(
        self, live: Connection, scratch: Scratch, layout: Layout, units: list[Unit], ids: Ids, task: Task
    ) -> int:
        """From here to the end of the transaction live lanes wait at their next batch."""
        # A repair that is stopped here must not stop the lanes.
        await live.execute(f"SET LOCAL idle_in_transaction_session_timeout = {IDLE_MAX_MS}")
        now = await pointer(live, self.service, "FOR UPDATE")
        if now != layout.at:
            raise Refused(f"generation {now.live} was made live meanwhile; look whether it is still wrong")
        async with asyncio.timeout(TAIL_MAX_S):
            reached = await positions_in(live, layout.live)
            await scratch.fold(self.log, reached)
        whole = await _still_tied(live, layout, units, ids)
        if not await is_reviewed(live, self.service, layout.scratch):
            raise TimeoutError("the policy changed a moment ago")
        await live.execute(f"SET LOCAL search_path TO {layout.live}, {self.service}")
        told = await replacing.replace(live, layout, whole, reached)
        customers = len(replacing.joined(whole).get("group", []))
        who, why = task.by.who, task.by.reason
        await replays.repaired(live, self.service, now.live, task.asked.text, customers, who, why)
        return told


async def _still_tied(live: Connection, layout: Layout, units: list[Unit], ids: Ids) -> list[Unit]:
    """Who is tied to them now, some of whom may have come together since. Raises Grew for one who was not folded."""
    now = Ids()
    for kind, those in replacing.joined(units).items():
        now.add(kind, those)
    await tied(live, [layout.live, layout.scratch], layout.owned, now)
    grew = not now.keys <= ids.keys
    for kind, them in now.of.items():
        ids.add(kind, them)
    ids.ties |= now.ties
    if grew:
        raise Grew
    return list(now.units())


def portions(units: list[Unit], at_once: int) -> list[list[Unit]]:
    """Of about so many records each; a unit is never parted."""
    found: list[list[Unit]] = []
    size = at_once
    for unit in units:
        if size >= at_once:
            found.append([])
            size = 0
        found[-1].append(unit)
        size += len(list(unit.get("record", ())))
    return found
