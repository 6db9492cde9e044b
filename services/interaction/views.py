"""Interaction's questions: a customer's timeline, and where one event went.

Owns reading SQL only.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from schemas.codec import read_json_exactly
from schemas.envelope import event_id, parse_rfc3339, rfc3339
from schemas.events import summary
from services.runtime.http import Problem
from services.runtime.postgres import Connection

TIMELINE_ITEMS_MAX = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters of a timeline; `after` is the (time, event id) of the last item already shown."""

    limit: int = 50
    channel: str | None = None
    type: str | None = None
    direction: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: tuple[datetime, str] | None = None
    properties: bool = False


def read_cursor(cursor: str | None) -> tuple[datetime, str] | None:
    """Where the last page ended. Raises Problem("bad-request")."""
    if not cursor:
        return None
    try:
        time, event = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return parse_rfc3339(time), str(UUID(event))
    except (ValueError, TypeError, AttributeError):
        raise Problem("bad-request", "cursor is not one of ours") from None


def write_cursor(time: datetime, event: str) -> str:
    """The cursor that continues after this item."""
    return base64.urlsafe_b64encode(orjson.dumps([rfc3339(time), event])).rstrip(b"=").decode()


TIMELINE = """
    SELECT h.* FROM member m CROSS JOIN LATERAL (
        SELECT event_id, record_id, time, channel, direction, type, title, source, data
        FROM history
        WHERE record_id = m.member_id AND NOT withdrawn
          AND ($3::text IS NULL OR channel = $3) AND ($4::text IS NULL OR type = $4)
          AND ($5::text IS NULL OR direction = $5)
          AND ($6::timestamptz IS NULL OR time >= $6) AND ($7::timestamptz IS NULL OR time < $7)
          AND ($8::timestamptz IS NULL OR (time, event_id) < ($8, $9::uuid))
        ORDER BY time DESC, event_id DESC LIMIT $2
    ) h
    WHERE m.group_id = $1
    ORDER BY h.time DESC, h.event_id DESC LIMIT $2
"""


async def timeline(connection: Connection, customer_id: str, wanted: Wanted) -> dict[str, Any]:
    """{"items": newest first, "next_cursor": or null}."""
    after_time, after_event = wanted.after or (None, None)
    rows = await connection.fetch(
        TIMELINE,
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
    items = []
    for row in shown:
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
        if wanted.properties:
            item["properties"] = data.get("properties", {})
        items.append(item)
    more = len(rows) > wanted.limit
    cursor = write_cursor(shown[-1]["time"], str(shown[-1]["event_id"])) if more else None
    return {"items": items, "next_cursor": cursor}


async def trace(connection: Connection, source: str, sent_id: str) -> dict[str, Any] | None:
    """Where one event went here: record, customer, place in the log; None when it is not known."""
    row = await connection.fetchrow(
        """
        SELECT h.record_id, h.event_id, h.time, h.type, h.log_partition, h.log_offset, h.withdrawn, m.group_id, g.n
        FROM history h JOIN member m ON m.member_id = h.record_id JOIN grp g ON g.group_id = m.group_id
        WHERE h.event_id = $1 ORDER BY h.log_partition, h.log_offset LIMIT 1
        """,
        event_id(source, sent_id),
    )
    if row is None:
        return None
    return {
        "event_id": str(row["event_id"]),
        "type": row["type"],
        "time": rfc3339(row["time"]),
        "record_id": str(row["record_id"]),
        "partition": row["log_partition"],
        "offset": row["log_offset"],
        "withdrawn": row["withdrawn"],
        "customer_id": str(row["group_id"]),
        "section_n": row["n"],
    }
