"""After a change of the policy: everybody's likeness, then everybody's customer, judged again.

Owns the passes. Each piece is a transaction of its own; batches of events go on between them and decide by the new
policy too. What is told is only the difference.
"""

from __future__ import annotations

from services.identity import store
from services.identity.domain.policy import Policy
from services.identity.handlers.deciding import Learnt, decide
from services.runtime import review
from services.runtime.batch import Work
from services.runtime.policies import PolicyInForce

LIKENESS, CUSTOMERS = range(2)
"""Likeness first: customers decided by half of it would be told twice."""
RECORDS_AT_ONCE = (500, 200)
"""Of each pass, in one transaction."""


async def review_some(in_force: PolicyInForce[Policy], work: Work) -> bool:
    """Look at some more records again; whether there are others left."""
    policy = await in_force.hold(work.connection)
    place = await review.place(work.connection, in_force.number)
    if place is None:
        return False
    await store.lock_writer(work.connection)
    records = await store.records_after(work.connection, place.after, RECORDS_AT_ONCE[place.number])
    if records and place.number == LIKENESS:
        await store.refresh(work.connection, records, policy.similarity, anew=True)
    elif records:
        await decide(Learnt(doubted=set(records)), policy, in_force.since_ms, work)
    reached = _next(place, records)
    await review.reached(work.connection, in_force.number, reached)
    return reached is not None


def _next(place: review.Place, records: list[str]) -> review.Place | None:
    if records:
        return review.Place(place.number, records[-1])
    return review.Place(CUSTOMERS, review.NOBODY) if place.number == LIKENESS else None
