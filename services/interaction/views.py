"""Interaction's questions: a customer's timeline, what was said, everybody's feedback, and where one event went.

Owns reading SQL only; what facts come to is the domain's.
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
from services.interaction.domain.facts import Fact
from services.interaction.domain.families import Family
from services.interaction.domain.feedback import summary as summary_of_feedback
from services.interaction.domain.policy import Policy
from services.interaction.domain.scores import figures, total
from services.interaction.store.facts import fact_row, facts_of
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


async def places(connection: Connection, events: list[str]) -> dict[str, list[int]]:
    """Event id → [partition, offset] of its kept copy."""
    sql = "SELECT event_id, log_partition, log_offset FROM history WHERE event_id = any($1::uuid[])"
    return {str(r["event_id"]): [r["log_partition"], r["log_offset"]] for r in await connection.fetch(sql, events)}


async def kept(connection: Connection, events: list[str]) -> list[tuple[str, str, int, int]]:
    """(record id, event id, partition, offset) of every kept copy: under two records an id is two events."""
    sql = "SELECT record_id, event_id, log_partition, log_offset FROM history WHERE event_id = any($1::uuid[])"
    rows = await connection.fetch(sql, events)
    return [(str(record), str(event), partition, offset) for record, event, partition, offset in rows]


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


# -- what was said ---------------------------------------------------------------------------------------------------

MORE_FACTS = 25
"""Answers fold so many times the facts that a section is told of."""


async def facts(connection: Connection, customer_id: str, *families: Family) -> list[Fact]:
    """What all records of a customer said, of these families; none for who has no records here."""
    members = await connection.fetch("SELECT member_id FROM member WHERE group_id = $1", customer_id)
    found = await facts_of(connection, {str(r["member_id"]): set(families) for r in members}, MORE_FACTS)
    return [fact for by_family in found.values() for those in by_family.values() for fact in those]


async def feedback_totals(
    connection: Connection, policy: Policy, since: str | None, until: str | None
) -> dict[str, Any]:
    """Everybody's feedback by month, from `since` to before `until` (YYYY-MM), and of all these months."""
    months: dict[str, list[dict[str, Any]]] = {}
    of_customer: list[Fact] = []
    customer = None
    async for r in connection.cursor(_FEEDBACK, int(Family.FEEDBACK), prefetch=2_000):
        if r["group_id"] != customer:
            _count_in(of_customer, policy, months)
            of_customer, customer = [], r["group_id"]
        of_customer.append(fact_row(r))
    _count_in(of_customer, policy, months)
    wanted = {
        month: total(listed)
        for month, listed in sorted(months.items())
        if (since is None or month >= since) and (until is None or month < until)
    }
    by_month = [{"month": month, **figures(counts)} for month, counts in wanted.items()]
    return {"from": since, "to": until, "by_month": by_month, "total": figures(total(wanted.values()))}


_FEEDBACK = """
    SELECT m.group_id, f.* FROM member m JOIN fact f ON f.record_id = m.member_id WHERE f.family = $1
    ORDER BY m.group_id
"""


def _count_in(of_customer: list[Fact], policy: Policy, months: dict[str, list[dict[str, Any]]]) -> None:
    for month, counts in summary_of_feedback(of_customer, policy).items() if of_customer else ():
        months.setdefault(month, []).append(counts)
