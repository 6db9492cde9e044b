"""Decisions in and out: the aggregates of the customers around what is decided, appended in one statement.

Owns which customers have a stream; runs under the writer lock, so that nobody else goes on with one of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from uuid import UUID

from services.identity.domain.clustering import Clusters
from services.identity.domain.decisions import Decisions, Want, apart, wanted
from services.identity.domain.evidence import Assertion, Link
from services.runtime.aggregates import load, save
from services.runtime.eventstore import DECISIONS
from services.runtime.postgres import Connection


async def save_decisions(
    connection: Connection,
    clusters: Clusters,
    links: Iterable[Link],
    assertions: Iterable[Assertion],
    was: Mapping[str, str | None],
    log_time_ms: int,
) -> None:
    """Append what was decided about these whole components. `was`: record → its customer before; None: none."""
    want = {
        customer: one
        for customer, one in wanted(clusters, links, assertions).items()
        # Of a record nobody knew, and that stands alone, there is nothing to tell and no stream to look for.
        if one.is_told or any(was.get(record) is not None for record in one.members)
    }
    now = {record: binding.customer_id for record, binding in clusters.bindings.items()}
    told = {c for c, w in want.items() if w.is_told}
    left = {c for record, c in was.items() if c is not None and c != now.get(record)}
    ids = [UUID(c) for c in sorted(want.keys() | left)]
    streams = await load(connection, DECISIONS, Decisions, ids) if ids else {}
    at = datetime.fromtimestamp(log_time_ms / 1000, UTC)
    keeps_apart = apart(clusters)
    changed = []
    for customer in sorted(told | {str(i) for i in streams}):
        one = streams.get(UUID(customer))
        if one is None:
            one = Decisions.first(customer, [customer], at)
        one.become(want.get(customer, Want()), was, now, keeps_apart, at)
        if one.pending_events:
            changed.append(one)
    if changed:
        await save(connection, DECISIONS, changed)
