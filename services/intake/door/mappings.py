"""Sources' own mappings as they are kept: set by people as events, told on control.events, read by the doors.

Owns their documents (services/runtime/documents.py), which number is in force, and the doors' memory of them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from schemas.envelope import rfc3339
from services.intake.domain.mapping import Table
from services.intake.domain.own_mapping import BadMapping, read_own, version_of
from services.intake.domain.remapping import Tables
from services.intake.door import erasures
from services.runtime import control, documents, policies, telemetry
from services.runtime.http import Database
from services.runtime.postgres import Connection, ServiceSchema
from services.runtime.settings import Settings

MAPPINGS_REMEMBERED_S = 2.0
_PREFIX = "intake.mapping."
_LOOKED = "intake.mappings"
"""In force under this name: control.events was read for what an empty database had lost."""
_NONE: dict[str, Any] = {"events": {}}
"""The document that takes a mapping back: numbers go on, so that no header names two tables."""


def schema() -> ServiceSchema:
    """Intake's tables: inputs as an event-sourced service has them, but it decides nothing."""
    return replace(ServiceSchema.of("intake"), inputs=ServiceSchema.of("intake", event_sourced=True).inputs)


class Mappings:
    """The own tables in force; a new one is heard of within MAPPINGS_REMEMBERED_S."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._read_at = 0.0
        self._tables: dict[str, tuple[int, Table | None]] = {}

    async def of(self, source: str) -> Table | None:
        """The source's own table, or None."""
        if not self._read_at or time.monotonic() - self._read_at >= MAPPINGS_REMEMBERED_S:
            pool = await self.database.pool()
            async with pool.acquire() as connection:
                await self._read(connection)
        return self._tables.get(source, (0, None))[1]

    async def _read(self, connection: Connection) -> None:
        numbers = await _numbers(connection)
        for source in sorted(name for name, number in numbers.items() if self._number(name) != number):
            found = await documents.current(connection, f"{_PREFIX}{source}")
            if found is not None:
                self._tables[source] = found.number, _table(found.document, source, found.number)
        self._read_at = time.monotonic()

    def _number(self, source: str) -> int:
        return self._tables.get(source, (0, None))[0]


async def ready(settings: Settings, database: Database) -> None:
    """Give an empty database what control.events knows; tell what was not told. Raises as control.read_control."""
    pool = await database.pool()
    async with pool.acquire() as connection:
        if not await connection.fetchval("SELECT EXISTS (SELECT FROM in_force WHERE name = $1)", _LOOKED):
            told = await control.read_control(settings, "intake")
            restored = await policies.restore(connection, told, execute=True)
            telemetry.log.info("inputs_restored", added=restored.added, known=restored.known)
            await erasures.restore(connection)
            await connection.execute("INSERT INTO in_force VALUES ($1, 0) ON CONFLICT DO NOTHING", _LOOKED)
        await control.tell(settings, connection, "intake")


async def set_mapping(connection: Connection, source: str, document: dict[str, Any] | None, by: str, why: str) -> int:
    """Put a mapping in force, or take it back (None); its number, which stays where nothing in it changed.

    Raises BadMapping, LookupError for a source that is not registered, ValueError for what cannot be kept exactly.
    """
    given = _NONE if document is None else document
    if document is not None:
        read_own(document, source, 0)
    async with connection.transaction():
        if await connection.fetchrow("SELECT name FROM source WHERE name = $1 FOR UPDATE", source) is None:
            raise LookupError(source)
        name = f"{_PREFIX}{source}"
        before = await documents.current(connection, name)
        if before is not None and before.document == given:
            return before.number
        if before is None and document is None:
            return 0
        return await policies.change(connection, name, given, by, why)


async def in_force(connection: Connection, source: str) -> dict[str, Any] | None:
    """A source's own mapping with who set it and why; None where it has none."""
    found = await documents.current(connection, f"{_PREFIX}{source}")
    if found is None or found.document == _NONE:
        return None
    return {
        "source": source,
        "number": found.number,
        "version": version_of(source, found.number),
        "document": found.document,
        "by": found.by,
        "reason": found.reason,
        "set_at": rfc3339(found.modified_on),
    }


async def listed(connection: Connection) -> list[dict[str, Any]]:
    """Every source's own mapping in force."""
    found = [await in_force(connection, source) for source in sorted(await _numbers(connection))]
    return [one for one in found if one is not None]


async def tables(connection: Connection, source: str) -> Tables:
    """A source's tables of today and before."""
    all_of_it = await documents.versions(connection, f"{_PREFIX}{source}")
    past = {number: table for number, one in enumerate(all_of_it, 1) if (table := _table(one, source, number))}
    return Tables(source, len(all_of_it), past.get(len(all_of_it)), past)


async def _numbers(connection: Connection) -> dict[str, int]:
    rows = await connection.fetch("SELECT name, number FROM in_force WHERE starts_with(name, $1)", _PREFIX)
    return {r["name"].removeprefix(_PREFIX): r["number"] for r in rows}


def _table(document: Mapping[str, Any], source: str, number: int) -> Table | None:
    """None for one taken back, and for one this build cannot read any more: the door stays open, and it is told."""
    if document == _NONE:
        return None
    try:
        return read_own(document, source, number)
    except BadMapping as wrong:
        telemetry.log.error("mapping_unreadable", mapping=version_of(source, number), errors=len(wrong.errors))
        return None
