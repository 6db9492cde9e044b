"""What identity does with a batch: already seen? → load → decide → save.

Owns the order of these steps: hearing.py is the first, deciding.py the others. Batches that mention nothing unknown,
and say nothing of groups or addresses, keep their mentions and take no writer lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from importlib.resources import files
from typing import Any

from schemas.codec import decode_event
from schemas.topics import CHANNEL_EVENTS, IDENTITY_BINDINGS, IDENTITY_CUSTOMERS
from services.identity import store
from services.identity.domain.evidence import Evidence
from services.identity.domain.mentions import REMOVED, removal_of
from services.identity.domain.policy import Policy, read_policy
from services.identity.domain.remembering import forget_all
from services.identity.handlers.deciding import (
    Learnt,
    Taken,
    current_bindings,
    current_customers,
    learn,
    lone,
    tell_customers,
)
from services.identity.handlers.hearing import Heard, Hearing, dead_on_arrival
from services.identity.handlers.reviewing import review_some
from services.runtime import review, withdrawing
from services.runtime.batch import Batch, LanePlan, Tells, Work
from services.runtime.documents import read_yaml
from services.runtime.policies import PolicyInForce
from services.runtime.postgres import Connection, Generation
from services.runtime.settings import Settings

POLICY = "identity.policy"
NOTHING = Evidence()


class Identity:
    """The lane's handler with the policy in force and what it has heard."""

    def __init__(self, policy: PolicyInForce[Policy], deployment_key: bytes) -> None:
        self.policy = policy
        self.hearing = Hearing(deployment_key)

    async def apply(self, batch: Batch, work: Work) -> None:
        """Apply one batch of events."""
        came = batch.of(CHANNEL_EVENTS.name)
        log_time_ms = max((i.log_time_ms for i in came), default=0)
        connection = work.connection
        policy = await self.policy.hold(connection)
        alone = any(i.message.type == REMOVED for i in came)
        held = await withdrawing.hold(connection, [i.message for i in came], alone=alone)
        self.hearing.forget_if_taken_back(held)
        events = [i.message for i in held.left(came, work)]
        work.counts["applied"] += len(events)
        removals = [r for e in events if (r := removal_of(e)) is not None]
        heard = [h for e in events if (h := self.hearing.hear(e)) is not None]
        if removals:
            await store.save_removals(connection, removals)
        dead = await dead_on_arrival(connection, heard, held)
        new = await store.insert_mentions(connection, [h.mention for h in heard], dead)
        first = _first(heard, new)
        kept = [h for h in first if h.mention.place not in dead] if dead else first
        said, unsaid = _evidence(kept), _evidence(_first(heard, dead))
        grouped = await store.hear_groups(connection, events, self.hearing.id_of, held)
        removed = [r.record_id for r in removals]
        # After the groups: what may wait for another worker's rows must not hold the writer lock already.
        reached = await store.hear_reach(
            connection, [h.event for h in first], self.hearing.id_of, dead, held, removed
        )
        if held.erased:
            work.after_commit.append(forget_all)
        if said or unsaid or removals or held.now or held.erased:
            taken = Taken(held.now, removed, list(unsaid.records.values()), held.erased)
            await learn(said, taken, policy, log_time_ms, work)
        async for some in store.customers_of(connection, sorted({*grouped, *reached})):
            await tell_customers(*some, log_time_ms, work, Learnt())
        # Only what was kept: another copy of an event may have an earlier time, which nobody stored.
        work.after_commit.append(partial(self.hearing.remember, kept))


def _first(heard: Sequence[Heard], places: set[tuple[str, str]]) -> list[Heard]:
    """What was heard at these places; of copies in one batch the first."""
    first: dict[tuple[str, str], Heard] = {}
    for one in heard if places else ():
        place = one.mention.place
        if place in places:
            first.setdefault(place, one)
    return list(first.values())


def _evidence(heard: Sequence[Heard]) -> Evidence:
    found = Evidence()
    for one in heard:
        found.take(one.evidence or NOTHING)
    return found


def shipped_document() -> dict[str, Any]:
    """The policy this build ships, as a document."""
    document: dict[str, Any] = read_yaml((files("services.identity") / "policy.yaml").read_text())
    return document


def shipped_policy() -> Policy:
    """The policy this build ships."""
    return read_policy(shipped_document())


async def plan(settings: Settings, _generation: Generation) -> LanePlan:
    """Identity's lane."""
    policy = PolicyInForce(POLICY, read_policy)
    identity = Identity(policy, settings.key_bytes)

    async def begin(connection: Connection) -> None:
        await policy.ready(connection, settings, "identity", shipped_document())
        await policy.hold(connection)
        await review.begin(connection, policy.number)

    return LanePlan(
        service="identity",
        lane="main",
        decode={CHANNEL_EVENTS.name: lambda r: decode_event(r.key, r.value, r.headers)},
        apply=identity.apply,
        # What it tells matters to those it has not told before, or regroups; everybody's events go past it.
        lingers=2,
        tells={
            IDENTITY_BINDINGS.name: Tells("record", "record_id", current_bindings, emptied=lone),
            IDENTITY_CUSTOMERS.name: Tells("customer", "customer_id", current_customers),
        },
        forget=identity.hearing.forget,
        begin=begin,
        spare=partial(review_some, policy),
    )
