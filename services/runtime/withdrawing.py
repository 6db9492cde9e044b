"""Events taken back, and what is erased: what they said no longer counts, whether they came before the word or after.

Owns the `withdrawal` tables of a service that hears events, and the lock that keeps "taken back" and "applied"
from missing each other. What taking an event back undoes is the service's; erasing is forgetting.py's.

A batch that withdraws waits for all others and works alone: it sees every event they applied, and every later
batch sees what it withdrew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from schemas.envelope import Event
from schemas.erasure import ERASED
from schemas.events.retraction import RETRACTED, named_by
from services.runtime import forgetting
from services.runtime.batch import Incoming, Work
from services.runtime.forgetting import NOTHING, Erased
from services.runtime.postgres import Connection


@dataclass(frozen=True, slots=True)
class Withdrawals:
    """`count` changes whenever something was withdrawn; `here`: event ids of this batch that do not count;
    `now`: event ids this batch is the first to withdraw; `erased`: what it is the first to erase; `gone`: of its
    events what is erased, now or before; `words`: whether it erases anything at all."""

    count: int
    here: frozenset[str]
    now: frozenset[str]
    erased: Erased = NOTHING
    gone: Erased = NOTHING
    words: bool = False

    def left(self, incoming: Sequence[Incoming], work: Work) -> list[Incoming]:
        """The events that count at all; what is erased is counted, and kept nowhere."""
        if not self.gone and not self.words:
            return list(incoming)
        left = [i for i in incoming if i.message.type != ERASED and not self.gone.covers(i.message)]
        work.counts["suppressed"] += len(incoming) - len(left)
        return left


def retracted_by(event: Event) -> str | None:
    """The id of the event this one takes back, None when it is no retraction or names nothing."""
    return named_by(event.data)[0] if event.type == RETRACTED else None


_WITHDRAW = "INSERT INTO withdrawal SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING RETURNING event_id"
_HERE = """
    SELECT event_id, NULL::uuid AS record_id FROM withdrawal WHERE event_id = any($1::uuid[])
    UNION ALL SELECT NULL, record_id FROM erased WHERE record_id = any($2::uuid[])
    UNION ALL SELECT event_id, record_id FROM erased_event WHERE event_id = any($1::uuid[])
"""


async def hold(connection: Connection, events: Iterable[Event], *, alone: bool = False) -> Withdrawals:
    """Take the lock, after the positions and before any other row; store what the batch withdraws.

    `alone`: the batch takes something back in another way too, and must be the only one at work.
    """
    listed = list(events)
    if not listed:
        return Withdrawals(0, frozenset(), frozenset())
    wanted = sorted({target for e in listed if (target := retracted_by(e)) is not None})
    words = [e for e in listed if e.type == ERASED]
    now: frozenset[str] = frozenset()
    erased = NOTHING
    if wanted or words or alone:
        count = await connection.fetchval("UPDATE withdrawal_count SET n = n + 1 RETURNING n")
        if wanted:
            now = frozenset(str(r["event_id"]) for r in await connection.fetch(_WITHDRAW, wanted))
        if words:
            erased = await forgetting.keep(connection, words)
    else:
        count = await connection.fetchval("SELECT n FROM withdrawal_count FOR SHARE")
    here, gone = await _void(connection, listed) if count else (frozenset(), NOTHING)
    return Withdrawals(count, here, now, erased, gone, bool(words))


async def _void(connection: Connection, events: Sequence[Event]) -> tuple[frozenset[str], Erased]:
    """(ids of those that were taken back, what of them is erased)."""
    back: set[str] = set()
    records: set[str] = set()
    pairs: set[tuple[str, str]] = set()
    for r in await connection.fetch(_HERE, [e.event_id for e in events], sorted({e.record_id for e in events})):
        event, record = r["event_id"], r["record_id"]
        if record is None:
            back.add(str(event))
        elif event is None:
            records.add(str(record))
        else:
            pairs.add((str(record), str(event)))
    return frozenset(back), Erased(frozenset(records), frozenset(pairs))
