"""Events taken back: what they said no longer counts, whether they came before the word or after it.

Owns the `withdrawal` tables of a service that hears events, and the lock that keeps "taken back" and "applied"
from missing each other. What taking an event back undoes is the service's.

A batch that withdraws waits for all others and works alone: it sees every event they applied, and every later
batch sees what it withdrew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.envelope import Event
from schemas.events.retraction import RETRACTED, named_by
from services.runtime.postgres import Connection


@dataclass(frozen=True, slots=True)
class Withdrawals:
    """`count` changes whenever something was withdrawn; `here`: event ids of this batch that do not count;
    `now`: event ids this batch is the first to withdraw."""

    count: int
    here: frozenset[str]
    now: frozenset[str]


def retracted_by(event: Event) -> str | None:
    """The id of the event this one takes back, None when it is no retraction or names nothing."""
    return named_by(event.data)[0] if event.type == RETRACTED else None


async def hold(connection: Connection, events: Iterable[Event], *, alone: bool = False) -> Withdrawals:
    """Take the lock, after the positions and before any other row; store what the batch withdraws.

    `alone`: the batch takes something back in another way too, and must be the only one at work.
    """
    listed = list(events)
    if not listed:
        return Withdrawals(0, frozenset(), frozenset())
    wanted = sorted({target for e in listed if (target := retracted_by(e)) is not None})
    now: frozenset[str] = frozenset()
    if wanted or alone:
        count = await connection.fetchval("UPDATE withdrawal_count SET n = n + 1 RETURNING n")
        if wanted:
            rows = await connection.fetch(
                "INSERT INTO withdrawal SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING RETURNING event_id", wanted
            )
            now = frozenset(str(r["event_id"]) for r in rows)
    else:
        count = await connection.fetchval("SELECT n FROM withdrawal_count FOR SHARE")
    here: frozenset[str] = frozenset()
    if count:
        rows = await connection.fetch(
            "SELECT event_id FROM withdrawal WHERE event_id = any($1::uuid[])", [e.event_id for e in listed]
        )
        here = frozenset(str(r["event_id"]) for r in rows)
    return Withdrawals(count, here, now)
