"""Identity's questions: a customer's evidence, and what does or does not join two records.

Owns reading for answers; what they say is domain/explain.py. Components are read as the lane reads them, so that an
answer comes of the same evidence as the decision.
"""

from __future__ import annotations

import asyncio
from typing import Any

from services.identity.domain import explain
from services.identity.domain.policy import Policy
from services.identity.domain.weighing import Weighed, weigh
from services.identity.store import neighbourhood
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
        decisions = await decisions_of(connection, found["customer_id"])
    totals = {**found["totals"], "decisions": len(decisions)}
    return {**found, "decisions": decisions[: explain.LISTED_MAX], "totals": totals}


async def path(connection: Connection, start: str, end: str, policy: Policy) -> dict[str, Any]:
    """The way between two records, or why there is none. Raises Problem("unknown-record")."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        weighed = await _weighed(connection, [start, end], policy)
    for name, record in (("from", start), ("to", end)):
        if record not in weighed.records:
            raise Problem("unknown-record", f"no event has mentioned the identifier in `{name}`")
    return explain.path(weighed, start, end)


async def decisions_of(_connection: Connection, _customer_id: str) -> list[dict[str, Any]]:
    """What was decided about a customer, newest first. Nothing keeps decisions yet."""
    return []


async def _weighed(connection: Connection, seeds: list[str], policy: Policy) -> Weighed:
    """The components around the seeds. Raises Problem("too-large")."""
    around = await neighbourhood(connection, seeds)
    if len(around.records) > COMPONENT_RECORDS_MAX:
        raise Problem("too-large", f"more than {COMPONENT_RECORDS_MAX} records hang together here")
    living = {r: record for r, record in around.records.items() if not around.stored[r].dead}
    generic = frozenset(r for r in living if around.stored[r].binding.generic)
    # In a thread: a large component must not keep this process from answering others.
    return await asyncio.to_thread(weigh, living, around.links, around.assertions, policy, generic)
