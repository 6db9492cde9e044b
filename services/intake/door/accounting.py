"""What the doors answered for, written down by source and minute about once a second.

Owns the table door_account. What a process counted in its last second may be missing when it dies; what is written
twice would look like a loss, so a write whose outcome is unknown is not repeated.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta

from services.intake.domain.accounts import Answered, Cell, minute_of
from services.runtime import telemetry
from services.runtime.http import Database
from services.runtime.postgres import TRANSIENT, Connection

WRITE_EVERY_S = 1.0
ACCOUNTS_KEPT = timedelta(days=30)
ACCOUNTS_FORGOTTEN_MAX = 1_000
"""Old rows that one write takes away at most."""


class Accounting:
    """One process's counts on their way into the table."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._counts: dict[Cell, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        self._writing: asyncio.Task[None] | None = None

    def note(
        self, source: str, arrival: datetime, taken: int = 0, parked: int = 0, refused: int = 0, suppressed: int = 0
    ) -> None:
        """Count what one request's sender was answered."""
        counts = self._counts[Cell(source, minute_of(arrival))]
        counts[0] += taken
        counts[1] += parked
        counts[2] += refused
        counts[3] += suppressed
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_later())

    async def _write_later(self) -> None:
        while self._counts:
            await asyncio.sleep(WRITE_EVERY_S)
            await self._write()

    async def _write(self) -> None:
        counts, self._counts = self._counts, defaultdict(lambda: [0, 0, 0, 0])
        if not counts:
            return
        try:
            pool = await self.database.pool()
            async with pool.acquire() as connection:
                await add(connection, {cell: Answered(*four) for cell, four in counts.items()})
        except TRANSIENT as error:
            telemetry.log.warning("account_not_written", cells=len(counts), error=telemetry.where(error))

    async def close(self) -> None:
        """Write what is left."""
        if self._writing is not None:
            self._writing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._writing
        await self._write()


async def add(connection: Connection, counts: Mapping[Cell, Answered]) -> None:
    """Add to the table, in the caller's transaction if there is one."""
    ordered = sorted(counts.items())
    await connection.execute(
        """
        INSERT INTO door_account (source, minute, taken, parked, refused, suppressed)
        SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
        ON CONFLICT (source, minute) DO UPDATE SET taken = door_account.taken + excluded.taken,
            parked = door_account.parked + excluded.parked, refused = door_account.refused + excluded.refused,
            suppressed = door_account.suppressed + excluded.suppressed
        """,
        [cell.source for cell, _ in ordered],
        [cell.minute for cell, _ in ordered],
        [said.taken for _, said in ordered],
        [said.parked for _, said in ordered],
        [said.refused for _, said in ordered],
        [said.suppressed for _, said in ordered],
    )
    newest = max(cell.minute for cell, _ in ordered)
    await connection.execute(
        "DELETE FROM door_account WHERE (source, minute) IN (SELECT source, minute FROM door_account"
        " WHERE minute < $1 ORDER BY minute LIMIT $2 FOR UPDATE SKIP LOCKED)",
        newest - ACCOUNTS_KEPT,
        ACCOUNTS_FORGOTTEN_MAX,
    )


async def answered(connection: Connection, since: datetime, until: datetime) -> dict[Cell, Answered]:
    """What the doors answered for in these minutes."""
    rows = await connection.fetch(
        "SELECT source, minute, taken, parked, refused, suppressed FROM door_account"
        " WHERE minute >= $1 AND minute < $2",
        since,
        until,
    )
    return {
        Cell(r["source"], r["minute"]): Answered(r["taken"], r["parked"], r["refused"], r["suppressed"]) for r in rows
    }
