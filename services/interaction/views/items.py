"""A customer's timeline: every event of his records, newest first, and which of them were taken back by which.

Owns the SQL of a page and the form of its items. Lines of his identity between them are identity's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from schemas import places
from schemas.codec import read_json_exactly
from schemas.envelope import rfc3339
from schemas.events import summary
from schemas.events.retraction import RETRACTED, named_by
from services.interaction.domain import corrections
from services.runtime.http import Problem
from services.runtime.postgres import Connection

TIMELINE_ITEMS_MAX = 200
PROPERTIES, CORRECTIONS = "properties", "corrections"
"""What `include` may ask for: payloads, and the events that were taken back too."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters of a timeline; `after` is the (time, event id) of the last item already shown."""

    limit: int = 50
    channel: str | None = None
    type: str | None = None
    direction: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: places.Place | None = None
    include: frozenset[str] = frozenset()


def read_cursor(cursor: str | None) -> places.Place | None:
    """Where the last page ended. Raises Problem("bad-request")."""
    try:
        return places.read_cursor(cursor) if cursor else None
    except ValueError:
        raise Problem("bad-request", "cursor is not one of ours") from None


_PAGE = """
    SELECT h.* FROM member m CROSS JOIN LATERAL (
        SELECT event_id, record_id, time, channel, direction, type, title, source, data, withdrawn
        FROM history
        WHERE record_id = m.member_id {counting}
          AND ($3::text IS NULL OR channel = $3) AND ($4::text IS NULL OR type = $4)
          AND ($5::text IS NULL OR direction = $5)
          AND ($6::timestamptz IS NULL OR time >= $6) AND ($7::timestamptz IS NULL OR time < $7)
          AND ($8::timestamptz IS NULL OR (time, event_id) < ($8, $9::uuid))
        ORDER BY time DESC, event_id DESC LIMIT $2
    ) h
    WHERE m.group_id = $1
    ORDER BY h.time DESC, h.event_id DESC LIMIT $2
"""
TIMELINE = _PAGE.format(counting="AND NOT withdrawn")
WITH_CORRECTIONS = _PAGE.format(counting="")
CORRECTED = """
    SELECT DISTINCT ON (target) target, event_id, record_id, time, reason, replacement FROM correction
    WHERE target = any($1::uuid[]) ORDER BY target, time, event_id, record_id
"""
"""Of several words that took an event back, the first."""
REPLACED = "SELECT DISTINCT replacement, target FROM correction WHERE replacement = any($1::uuid[]) ORDER BY target"


async def timeline(connection: Connection, customer_id: str, wanted: Wanted) -> dict[str, Any]:
    """{"items": newest first, "next_cursor": or null}."""
    after_time, after_event = wanted.after or (None, None)
    rows = await connection.fetch(
        WITH_CORRECTIONS if CORRECTIONS in wanted.include else TIMELINE,
        customer_id,
        wanted.limit + 1,
        wanted.channel,
        wanted.type,
        wanted.direction,
        wanted.since,
        wanted.until,
        after_time,
        after_event,
    )
    shown = rows[: wanted.limit]
    by = await _corrected(connection, [str(r["event_id"]) for r in shown if r["withdrawn"]])
    replaced = await _replaced(connection, [str(r["event_id"]) for r in shown])
    items = [_item(row, by, replaced, properties=PROPERTIES in wanted.include) for row in shown]
    more = len(rows) > wanted.limit
    cursor = places.write_cursor((shown[-1]["time"], str(shown[-1]["event_id"]))) if more else None
    return {"items": items, "next_cursor": cursor}


def _item(
    row: asyncpg.Record,
    by: Mapping[str, corrections.Correction],
    replaced: Mapping[str, list[str]],
    *,
    properties: bool,
) -> dict[str, Any]:
    """An event; what was corrected about it stands there only where something was."""
    data = read_json_exactly(row["data"])
    item = {
        "event_id": str(row["event_id"]),
        "time": rfc3339(row["time"]),
        "channel": row["channel"],
        "direction": row["direction"],
        "type": row["type"],
        "title": row["title"],
        "summary": summary(row["type"], data),
        "source": row["source"],
        "actor": data.get("actor"),
        "record_id": str(row["record_id"]),
    }
    if row["withdrawn"]:
        item["withdrawn"] = corrections.withdrawn(by.get(item["event_id"]))
    if item["event_id"] in replaced:
        item["replaces"] = replaced[item["event_id"]]
    if row["type"] == RETRACTED:
        item["takes_back"], item["replaced_by"] = named_by(data)
    if properties:
        item["properties"] = data.get("properties", {})
    return item


async def _replaced(connection: Connection, events: list[str]) -> dict[str, list[str]]:
    """Event → the events it stands for."""
    found: dict[str, list[str]] = {}
    for r in await connection.fetch(REPLACED, events):
        found.setdefault(str(r["replacement"]), []).append(str(r["target"]))
    return found


async def _corrected(connection: Connection, events: list[str]) -> dict[str, corrections.Correction]:
    if not events:
        return {}
    return {
        str(r["target"]): corrections.Correction(
            str(r["target"]),
            str(r["event_id"]),
            str(r["record_id"]),
            r["time"],
            r["reason"],
            str(r["replacement"]) if r["replacement"] else None,
        )
        for r in await connection.fetch(CORRECTED, events)
    }
