"""Reads of personal data: noted as they are answered, written a few times a second.

Owns the buffer. A process that is killed outright loses what it had not written: at most what was read in
WRITE_EVERY_S. While the database does not take them, and NOTES_MAX wait, nothing personal is read.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from services.profile.inputs import ApiKey, reads
from services.profile.inputs.reads import Read
from services.runtime import telemetry
from services.runtime.http import Database, Problem
from services.runtime.postgres import AWAY

MINUTE_US = 60_000_000
WRITE_EVERY_S = 0.25
NOTES_MAX = 20_000
REMOVE_EVERY_S = 3_600.0
Counted = tuple[str, int, str, str]
"""(customer id, minute, key id, call)."""


class Auditing:
    """The reads of one process. `run` ends only by being cancelled."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._noted: dict[Counted, list[int]] = {}
        """Each with how often, and when first and last, in microseconds since 1970."""
        self._keys: dict[str, ApiKey] = {}
        self._removed_at = 0.0

    def check(self) -> None:
        """Raises Problem("unavailable") where no more can be noted."""
        if len(self._noted) >= NOTES_MAX:
            raise Problem("unavailable", "reads of personal data cannot be noted", {"Retry-After": "5"})

    def note(self, key: ApiKey, call: str, customers: Iterable[str]) -> None:
        """That the key read personal data of these customers just now."""
        now_us = time.time_ns() // 1_000
        self._keys[key.key_id] = key
        for customer in customers:
            self._count((customer, now_us // MINUTE_US, key.key_id, call), 1, now_us, now_us)

    def _count(self, counted: Counted, reads: int, first_us: int, last_us: int) -> None:
        known = self._noted.get(counted)
        if known is None:
            self._noted[counted] = [reads, first_us, last_us]
        else:
            known[0] += reads
            known[1], known[2] = min(known[1], first_us), max(known[2], last_us)

    def _read(self, counted: Counted, reads: int, first_us: int, last_us: int) -> Read:
        customer_id, _, key_id, call = counted
        key = self._keys[key_id]
        return Read(customer_id, key_id, call, key.name, tuple(sorted(key.scopes)), reads, first_us, last_us)

    async def run(self) -> None:
        """Write what was noted, and remove what is old."""
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            try:
                await self.write()
                await self._remove_old()
            except AWAY as error:
                telemetry.log.warning("reads_not_written", error=telemetry.where(error))
            except Exception as error:
                # A mistake of ours must not end all noting until the next start.
                telemetry.log.error("reads_failed", error=telemetry.where(error))

    async def write(self) -> None:
        """Write what was noted; where that fails it stays noted. Raises what TRANSIENT lists, and SchemaHalt."""
        noted, self._noted = self._noted, {}
        if not noted:
            return
        try:
            pool = await self.database.pool()
            async with pool.acquire() as connection:
                await reads.save(connection, [self._read(counted, *noted[counted]) for counted in sorted(noted)])
        except BaseException:
            for counted, told in noted.items():
                self._count(counted, *told)
            raise

    async def _remove_old(self) -> None:
        if time.monotonic() - self._removed_at < REMOVE_EVERY_S:
            return
        pool = await self.database.pool()
        async with pool.acquire() as connection:
            if await reads.remove_old(connection) < reads.REMOVED_AT_ONCE:
                self._removed_at = time.monotonic()
