"""What is erased for good: whole records of people, and single events that others said of them.

Owns the tables `erased` and `erased_event` of a service that hears events. Both are written under the lock of
withdrawing.py, by batches that work alone. What there is to forget is the service's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from schemas import erasure
from schemas.envelope import Event
from services.runtime.postgres import Connection


@dataclass(frozen=True, slots=True)
class Erased:
    """Records whose people were erased, and single events: (record id, event id)."""

    records: frozenset[str] = frozenset()
    events: frozenset[tuple[str, str]] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.records or self.events)

    @property
    def touched(self) -> set[str]:
        """Records of which something is erased."""
        return {*self.records, *(record for record, _ in self.events)}

    def covers(self, event: Event) -> bool:
        """Whether the event is erased."""
        return event.record_id in self.records or (event.record_id, event.event_id) in self.events


NOTHING = Erased()


async def keep(connection: Connection, words: Iterable[Event]) -> Erased:
    """Keep what these words erase; of it what was not erased before. Nothing of the records stays parked either."""
    named = [(word.record_id, erasure.events_of(word)) for word in words]
    records = sorted({record for record, events in named if events is None})
    pairs = sorted({(record, event) for record, events in named for event in events or ()})
    new = await connection.fetch(
        "INSERT INTO erased SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING RETURNING record_id", records
    )
    struck = await connection.fetch(
        "INSERT INTO erased_event (record_id, event_id) SELECT * FROM unnest($1::uuid[], $2::uuid[])"
        " ON CONFLICT DO NOTHING RETURNING record_id, event_id",
        [record for record, _ in pairs],
        [event for _, event in pairs],
    )
    await connection.execute("DELETE FROM parked WHERE key = any($1::bytea[])", [r.encode() for r in records])
    return Erased(
        frozenset(str(r["record_id"]) for r in new),
        frozenset((str(r["record_id"]), str(r["event_id"])) for r in struck),
    )


async def delete(
    connection: Connection, table: str, erased: Erased, returning: str = "record_id", of: str = "record_id"
) -> list[Any]:
    """Delete what is erased from a table with event_id and, in column `of`, its record; the rows' `returning`."""
    rows: list[Any] = []
    columns = ", ".join(f"t.{column.strip()}" for column in returning.split(","))
    if erased.records:
        rows += await connection.fetch(
            f"DELETE FROM {table} t WHERE t.{of} = any($1::uuid[]) RETURNING {columns}", sorted(erased.records)
        )
    if erased.events:
        pairs = sorted(erased.events)
        rows += await connection.fetch(
            f"DELETE FROM {table} t USING unnest($1::uuid[], $2::uuid[]) AS e (r, i)"
            f" WHERE t.{of} = e.r AND t.event_id = e.i RETURNING {columns}",
            [record for record, _ in pairs],
            [event for _, event in pairs],
        )
    return rows
