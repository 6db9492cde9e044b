"""Already seen? The events of a batch that are new, kept as history and facts; what they take back is undone.

Owns what an event is kept as, and counting copies; live batches and rebuilds keep in the same way. SQL is store/.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from schemas.codec import State
from schemas.digest import digest
from schemas.envelope import Event, microseconds
from schemas.events import title
from services.interaction import store
from services.interaction.domain import summary
from services.interaction.domain.corrections import correction
from services.interaction.domain.facts import Fact
from services.interaction.domain.families import heard
from services.runtime import withdrawing
from services.runtime.batch import Incoming, Work
from services.runtime.grouping import Binding


@dataclass(frozen=True, slots=True)
class Kept:
    """What a batch adds and undoes: `fresh` events with their rows, the `facts` of those that count, records of which
    something was taken back or erased (`undone`), and the events taken back (`withdrawn`)."""

    fresh: list[tuple[Incoming, store.HistoryRow]]
    facts: list[Fact]
    undone: set[str]
    withdrawn: frozenset[str]

    @property
    def records(self) -> set[str]:
        """Records that are others now."""
        return {row.record_id for _, row in self.fresh} | self.undone


async def keep(events: Sequence[Incoming], work: Work) -> Kept:
    """Keep what the events say, take back what they take back, forget what they erase. Facts of what is undone stay
    until their records are locked: `store.delete_facts`."""
    connection = work.connection
    held = await withdrawing.hold(connection, [i.message for i in events])
    events = held.left(events, work)
    fresh = await _unseen(events, held.here, work)
    undone = await store.withdraw(connection, held.now) if held.now else set()
    undone |= await store.forget(connection, held.erased)
    await store.insert_corrections(connection, [c for i in events if (c := correction(i.message)) is not None])
    facts = [fact for i, row in fresh if not row.withdrawn for fact in heard(i.message)]
    await store.insert_facts(connection, facts)
    return Kept(fresh, facts, undone, held.now)


async def _unseen(
    events: Sequence[Incoming], withdrawn: frozenset[str], work: Work
) -> list[tuple[Incoming, store.HistoryRow]]:
    """The events not seen yet, in log order; copies of what is known are counted and left out."""
    rows = [history_row(i, withdrawn) for i in events]
    new = await store.insert_new(work.connection, rows)
    found: list[tuple[Incoming, store.HistoryRow]] = []
    copies: list[store.HistoryRow] = []
    for incoming, row in zip(events, rows, strict=True):
        if (row.log_partition, row.log_offset) in new:
            found.append((incoming, row))
        else:
            copies.append(row)
    work.counts["applied"] += len(found)
    if copies:
        kept = await store.kept(work.connection, [(r.record_id, r.event_id) for r in copies])
        conflicts = sum(_content(r.type, r.data) != _content(*kept[r.record_id, r.event_id]) for r in copies)
        work.counts["duplicate"] += len(copies) - conflicts
        work.counts["conflict"] += conflicts
    return found


def _content(event_type: str, data: str) -> bytes:
    """Tells a re-send from another event with the same id."""
    return digest(event_type, orjson.loads(data))


def binding_of(state: State) -> Binding:
    """A record's binding, as it was told."""
    body = state.body or {}
    return Binding(state.key, body["customer_id"], state.version)


def history_row(incoming: Incoming, withdrawn: frozenset[str] = frozenset()) -> store.HistoryRow:
    """An event as it is kept; `withdrawn` are ids of events that were taken back."""
    event: Event = incoming.message
    event_id = event.event_id
    return store.HistoryRow(
        record_id=event.record_id,
        event_id=event_id,
        time=event.time,
        type=event.type,
        channel=event.data.get("channel", "other"),
        direction=event.data.get("direction", "inbound"),
        source=event.source,
        sent_id=event.id,
        title=title(event.type, event.data),
        data=incoming.raw.value.decode(),
        log_partition=incoming.partition,
        log_offset=incoming.offset,
        withdrawn=event_id in withdrawn,
    )


def item(row: store.HistoryRow) -> summary.Item:
    """What a record's summary keeps of it."""
    return (
        microseconds(row.time), row.event_id, row.type, row.channel, row.direction, row.title, row.source,
    )  # fmt: skip
