"""A rebuild: history and facts of every event first; what is told of a customer once, when all of them are there.

Owns both halves (runtime/gathering.py); together they are what the handlers do batch by batch. Folding is folding.py.
"""

from __future__ import annotations

from schemas.topics import CHANNEL_EVENTS, IDENTITY_BINDINGS
from services.interaction import store
from services.interaction.domain import section, summary
from services.interaction.domain.families import Family
from services.interaction.domain.policy import Policy
from services.interaction.handlers.folding import asked, folded
from services.interaction.handlers.hearing import binding_of, keep
from services.runtime import grouping
from services.runtime.batch import Batch, Work
from services.runtime.gathered_members import Known, gather, groups_gathered
from services.runtime.policies import PolicyInForce

COMBINED_AT_ONCE = 250
"""Customers combined in one transaction."""


class Gathering:
    """`known`: records that have a row."""

    def __init__(self, policy: PolicyInForce[Policy]) -> None:
        self.policy = policy
        self.known = Known()

    async def apply(self, batch: Batch, work: Work) -> None:
        """Keep what a batch of events and bindings says of records."""
        moves = [binding_of(b.message) for b in batch.of(IDENTITY_BINDINGS.name)]
        kept = await keep(batch.of(CHANNEL_EVENTS.name), work)
        if kept.undone:
            await store.delete_facts(work.connection, kept.undone, kept.withdrawn)
        await gather(work, kept.records, moves, self.known)

    async def combine(self, work: Work, after: str, log_time_ms: int) -> str | None:
        """Make summaries and parts of some more customers; the last of them."""
        connection = work.connection
        policy = await self.policy.hold(connection)
        groups = await groups_gathered(connection, after, COMBINED_AT_ONCE)
        if not groups:
            return None
        locked = await grouping.lock(connection, await grouping.members_of(connection, groups), ())
        summaries = await store.summed(connection, locked.states)
        wanted = {group: set(Family) for group in groups}
        parts = folded(locked, wanted, await store.facts_of(connection, asked(locked, wanted)), policy)
        await grouping.save(
            connection,
            {member: summary.write(found) for member, found in summaries.items()},
            {group: log_time_ms for group in groups if not summaries.keys().isdisjoint(locked.members[group])},
            {group: section.write_parts(of_group) for group, of_group in parts.items()},
        )
        return groups[-1]
