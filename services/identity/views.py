"""Identity's questions: a customer's evidence, what does or does not join two records, groups and their members.

Owns reading for answers; what they say is domain/explain.py and domain/groups.py. Components and groups are read as
the lane reads them, so that an answer comes of the same evidence as the decision.
"""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from services.identity.domain import explain, groups
from services.identity.domain.decisions import told
from services.identity.domain.policy import Policy
from services.identity.domain.weighing import Weighed, weigh
from services.identity.store import belonging, neighbourhood
from services.runtime.aggregates import MAPPER
from services.runtime.eventstore import DECISIONS, events_of
from services.runtime.http import Problem
from services.runtime.postgres import Connection

COMPONENT_RECORDS_MAX = 10_000
"""Records that may hang together and still be explained within one request."""


async def customer(connection: Connection, customer_id: str, policy: Policy) -> dict[str, Any] | None:
    """What holds a customer together and what was refused; None when no customer has or had this id."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        today = await connection.fetchval("SELECT customer_id FROM record WHERE record_id = $1", customer_id)
        if today is None:
            return None
        weighed = await _weighed(connection, [str(today)], policy)
        if str(today) not in weighed.bindings:
            return None
        found = explain.customer(weighed, weighed.customer_of(str(today)))
        decided = await connection.fetchval("SELECT count(*) FROM decision WHERE originator_id = $1", today)
        decisions = await decisions_of(connection, found["customer_id"])
    return {**found, "decisions": decisions, "totals": {**found["totals"], "decisions": decided}}


async def path(connection: Connection, start: str, end: str, policy: Policy) -> dict[str, Any]:
    """The way between two records, or why there is none. Raises Problem("unknown-record")."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        weighed = await _weighed(connection, [start, end], policy)
    for name, record in (("from", start), ("to", end)):
        if record not in weighed.records:
            raise Problem("unknown-record", f"no event has mentioned the identifier in `{name}`")
    return explain.path(weighed, start, end)


async def decisions_of(connection: Connection, customer_id: str) -> list[dict[str, Any]]:
    """What was decided about a customer, newest first, LISTED_MAX at most."""
    customer = UUID(customer_id)
    found = await events_of(connection, DECISIONS, [customer], desc=True, limit=explain.LISTED_MAX)
    return [told(MAPPER.to_domain_event(event)) for event in found.get(customer, ())]


async def group(connection: Connection, record_id: str, after: str | None, limit: int) -> dict[str, Any] | None:
    """A group and a page of its members, by customer id; None when nothing is said of it."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        known = await belonging.groups(connection, [record_id])
        if record_id not in known:
            return None
        members = await belonging.members(connection, record_id, after, limit + 1)
        totals = await belonging.totals(connection, record_id)
    page = [groups.member(customer_id, parts) for customer_id, parts in members.items()]
    more = page[limit - 1]["customer_id"] if len(page) > limit else None
    return {**groups.shown(known[record_id][0]), "members": page[:limit], "next_cursor": more, "totals": totals}


async def groups_of(connection: Connection, customer_id: str) -> dict[str, Any] | None:
    """The groups a customer belongs to, or a record that identity does not know; None when nobody has this id."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        rows = await connection.fetch(
            """
            SELECT record_id, customer_id FROM record
            WHERE NOT dead AND customer_id = (SELECT customer_id FROM record WHERE record_id = $1 AND NOT dead)
            """,
            customer_id,
        )
        today = str(rows[0]["customer_id"]) if rows else customer_id
        found = await belonging.memberships(connection, [str(r["record_id"]) for r in rows] or [customer_id])
    if not rows and not found:
        return None
    return {"customer_id": today, "groups": groups.listed(m for those in found.values() for m in those)}


async def _weighed(connection: Connection, seeds: list[str], policy: Policy) -> Weighed:
    """The components around the seeds. Raises Problem("too-large")."""
    around = await neighbourhood(connection, seeds)
    if len(around.records) > COMPONENT_RECORDS_MAX:
        raise Problem("too-large", f"more than {COMPONENT_RECORDS_MAX} records hang together here")
    living = {r: record for r, record in around.records.items() if not around.stored[r].dead}
    generic = frozenset(r for r in living if around.stored[r].binding.generic)
    # In a thread: a large component must not keep this process from answering others.
    return await asyncio.to_thread(weigh, living, around.links, around.assertions, policy, generic, around.looks)
