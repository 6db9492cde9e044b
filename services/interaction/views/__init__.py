"""Interaction's questions: what was said, everybody's feedback, and where one event went.

Owns reading SQL only; what facts come to is the domain's, the timeline is items.py's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from schemas.envelope import event_id, rfc3339
from services.interaction.domain.crowds import Crowd
from services.interaction.domain.facts import Fact
from services.interaction.domain.families import Family
from services.interaction.domain.feedback import summary as summary_of_feedback
from services.interaction.domain.policy import Policy
from services.interaction.store.facts import fact_row, facts_of
from services.interaction.views.items import TIMELINE, TIMELINE_ITEMS_MAX, Wanted, read_cursor, timeline
from services.runtime.postgres import Connection

__all__ = [
    "TIMELINE",
    "TIMELINE_ITEMS_MAX",
    "Wanted",
    "facts",
    "feedback_of",
    "feedback_totals",
    "kept",
    "places",
    "read_cursor",
    "timeline",
    "trace",
]


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
    crowd = await feedback_of(connection, policy, None)
    told = crowd.shown(1, since, until)
    return {"from": since, "to": until, "by_month": told["by_month"], "total": told["total"]}


async def feedback_of(connection: Connection, policy: Policy, customers: Sequence[str] | None) -> Crowd:
    """The feedback of these customers, or of everybody, by month."""
    crowd = Crowd()
    of_customer: list[Fact] = []
    customer = None
    some = () if customers is None else (customers,)
    sql = _FEEDBACK.format(of="AND m.group_id = any($2::uuid[])" if some else "")
    async for r in connection.cursor(sql, int(Family.FEEDBACK), *some, prefetch=2_000):
        if r["group_id"] != customer and of_customer:
            crowd.add(summary_of_feedback(of_customer, policy))
            of_customer = []
        customer = r["group_id"]
        of_customer.append(fact_row(r))
    if of_customer:
        crowd.add(summary_of_feedback(of_customer, policy))
    return crowd


_FEEDBACK = """
    SELECT m.group_id, f.* FROM member m JOIN fact f ON f.record_id = m.member_id WHERE f.family = $1 {of}
    ORDER BY m.group_id
"""
