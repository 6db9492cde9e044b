"""History rows: every event once, for ever.

Owns writing them; facts are facts.py, reading for people is views.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import msgspec

from schemas.envelope import microseconds
from services.interaction.domain.summary import LAST_ITEMS_MAX, Item, Summary
from services.runtime.forgetting import Erased, delete
from services.runtime.postgres import Connection


class HistoryRow(msgspec.Struct, frozen=True):
    """One event as it is kept; `data` is the JSON text as it stands in the log."""

    record_id: str
    event_id: str
    time: datetime
    type: str
    channel: str
    direction: str
    source: str
    sent_id: str
    title: str
    data: str
    log_partition: int
    log_offset: int
    withdrawn: bool = False


async def insert_new(connection: Connection, rows: Sequence[HistoryRow]) -> set[tuple[int, int]]:
    """Keep the events not seen yet; their (partition, offset) in the log. The first copy in the log wins."""
    if not rows:
        return set()
    inserted = await connection.fetch(
        """
        INSERT INTO history (record_id, event_id, time, type, channel, direction, source, sent_id, title,
                             data, log_partition, log_offset, withdrawn)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[], $5::text[], $6::text[],
            $7::text[], $8::text[], $9::text[], $10::text[], $11::int[], $12::bigint[], $13::bool[])
        ON CONFLICT (event_id, record_id) DO NOTHING
        RETURNING log_partition, log_offset
        """,
        [r.record_id for r in rows],
        [r.event_id for r in rows],
        [r.time for r in rows],
        [r.type for r in rows],
        [r.channel for r in rows],
        [r.direction for r in rows],
        [r.source for r in rows],
        [r.sent_id for r in rows],
        [r.title for r in rows],
        [r.data for r in rows],
        [r.log_partition for r in rows],
        [r.log_offset for r in rows],
        [r.withdrawn for r in rows],
    )
    return {(partition, offset) for partition, offset in inserted}


async def kept(connection: Connection, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], tuple[str, str]]:
    """(record id, event id) → (type, data) of the copy that was kept."""
    rows = await connection.fetch(
        """
        SELECT h.record_id, h.event_id, h.type, h.data FROM history h
        JOIN unnest($1::uuid[], $2::uuid[]) AS w (r, e) ON h.record_id = r AND h.event_id = e
        """,
        [k[0] for k in keys],
        [k[1] for k in keys],
    )
    return {(str(r["record_id"]), str(r["event_id"])): (r["type"], r["data"]) for r in rows}


async def withdraw(connection: Connection, event_ids: Iterable[str]) -> set[str]:
    """Mark these events as taken back; the records they were of."""
    rows = await connection.fetch(
        "UPDATE history SET withdrawn = true WHERE event_id = any($1::uuid[]) AND NOT withdrawn RETURNING record_id",
        sorted(event_ids),
    )
    return {str(r["record_id"]) for r in rows}


FORGET = ("history", "fact", "correction")
"""Tables in which what is erased leaves no row."""


async def forget(connection: Connection, erased: Erased) -> set[str]:
    """Delete all that was kept of what is erased; the records of it."""
    for table in FORGET if erased else ():
        await delete(connection, table, erased)
    return erased.touched


async def counted(connection: Connection, records: Iterable[str]) -> list[tuple[str, Item]]:
    """(record, item) of every event of these records that counts."""
    rows = await connection.fetch(
        """
        SELECT record_id, event_id, time, type, channel, direction, title, source FROM history
        WHERE record_id = any($1::uuid[]) AND NOT withdrawn
        """,
        sorted(records),
    )
    return [(str(r["record_id"]), (microseconds(r["time"]), str(r["event_id"]), *list(r.values())[3:])) for r in rows]


async def summed(connection: Connection, records: Collection[str]) -> dict[str, Summary]:
    """record → the summary of all its events that count; PostgreSQL counts, so that few rows are read of many."""
    asked = sorted(records)
    found: dict[str, Summary] = {}
    for r in await connection.fetch(COUNTED, asked):
        summary = found.setdefault(str(r["record_id"]), Summary())
        summary.count_some(r["type"], r["channel"], r["n"], microseconds(r["first"]), microseconds(r["last"]))
    for r in await connection.fetch(NEWEST, sorted(found)):
        found[str(r["record_id"])].last.append((microseconds(r["time"]), str(r["event_id"]), *list(r.values())[3:]))
    return found


COUNTED = """
    SELECT record_id, type, channel, count(*) AS n, min(time) AS first, max(time) AS last FROM history
    WHERE record_id = any($1::uuid[]) AND NOT withdrawn GROUP BY record_id, type, channel
"""
NEWEST = f"""
    SELECT h.* FROM unnest($1::uuid[]) AS w (record_id) CROSS JOIN LATERAL (
        SELECT record_id, event_id, time, type, channel, direction, title, source FROM history
        WHERE record_id = w.record_id AND NOT withdrawn ORDER BY time DESC, event_id DESC LIMIT {LAST_ITEMS_MAX}
    ) h ORDER BY h.record_id, h.time DESC, h.event_id DESC
"""
