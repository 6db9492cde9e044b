"""What interaction does with a batch: already seen? → load → decide → save.

Owns the order of these steps; rules are in domain.py, SQL in store.py and runtime/grouping.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from schemas.codec import State, Version, decode_event, decode_state
from schemas.digest import digest
from schemas.envelope import Event, microseconds
from schemas.events import title
from schemas.topics import CHANNEL_EVENTS, IDENTITY_BINDINGS, INTERACTION_CUSTOMERS
from services.interaction import store
from services.interaction.domain import summary as domain
from services.runtime import grouping, withdrawing
from services.runtime.batch import Batch, Incoming, LanePlan, Tells, Work
from services.runtime.postgres import Connection, Generation
from services.runtime.settings import Settings


async def apply(batch: Batch, work: Work) -> None:
    """Apply one batch of events and bindings."""
    events = batch.of(CHANNEL_EVENTS.name)
    moves = [_binding(b.message) for b in batch.of(IDENTITY_BINDINGS.name)]
    withdrawals = await withdrawing.hold(work.connection, [i.message for i in events])
    fresh = await _fresh(events, withdrawals.here, work)
    undone = await store.withdraw(work.connection, withdrawals.now) if withdrawals.now else set()
    locked = await grouping.lock(work.connection, {row.record_id for _, row in fresh} | undone, moves)
    summaries = {m: domain.read(state) for m, state in locked.states.items()}
    for _, row in fresh:
        if not row.withdrawn:
            summaries[row.record_id].add(item(row))
    if undone:
        # What was added cannot be taken out of a "newest ten": these records are folded again as a whole.
        summaries |= {record: domain.Summary() for record in undone}
        for record, counted in await store.counted(work.connection, undone):
            summaries[record].add(counted)
    await _save(work, locked, summaries, fresh, undone)


async def _fresh(
    events: Sequence[Incoming], withdrawn: frozenset[str], work: Work
) -> list[tuple[Incoming, store.HistoryRow]]:
    """The events not seen yet, in log order; copies of what is known are counted and left out."""
    rows = [history_row(i, withdrawn) for i in events]
    new = await store.insert_new(work.connection, rows)
    fresh: list[tuple[Incoming, store.HistoryRow]] = []
    copies: list[store.HistoryRow] = []
    for incoming, row in zip(events, rows, strict=True):
        key = (row.record_id, row.event_id)
        if key in new:
            new.discard(key)
            fresh.append((incoming, row))
        else:
            copies.append(row)
    work.counts["applied"] += len(fresh)
    if copies:
        kept = await store.kept(work.connection, [(r.record_id, r.event_id) for r in copies])
        conflicts = sum(_content(r.type, r.data) != _content(*kept[r.record_id, r.event_id]) for r in copies)
        work.counts["duplicate"] += len(copies) - conflicts
        work.counts["conflict"] += conflicts
    return fresh


def _content(event_type: str, data: str) -> bytes:
    """Tells a re-send from another event with the same id."""
    return digest(event_type, orjson.loads(data))


async def _save(
    work: Work,
    locked: grouping.Locked,
    summaries: dict[str, domain.Summary],
    fresh: Sequence[tuple[Incoming, store.HistoryRow]],
    undone: set[str],
) -> None:
    """Changed summaries; n + 1 and a state to tell for each group whose members changed or moved."""
    changed = {record: domain.write(summaries[record]) for record in {row.record_id for _, row in fresh} | undone}
    newest = dict.fromkeys(locked.regrouped | {locked.group_of[record] for record in undone}, 0)
    for incoming, row in fresh:
        group = locked.group_of[row.record_id]
        newest[group] = max(newest.get(group, 0), incoming.log_time_ms)
    for group, (n, log_time_ms) in (await grouping.save(work.connection, changed, newest)).items():
        of_group = {m: summaries[m] for m in locked.members[group]}
        state = _state(group, Version(work.epoch, n), log_time_ms, of_group)
        work.tell(INTERACTION_CUSTOMERS.name, state)


async def current(connection: Connection, keys: Sequence[str], epoch: int) -> list[State]:
    """States of these customers as committed now."""
    return [
        _state(group, Version(epoch, n), log_time_ms, {m: domain.read(s) for m, s in members.items()})
        for group, (n, log_time_ms, members) in (await grouping.read_groups(connection, keys)).items()
    ]


def _state(group: str, version: Version, log_time_ms: int, summaries: dict[str, domain.Summary]) -> State:
    members = grouping.members_hash(summaries)
    return State(group, version, domain.combine(summaries), members, log_time_ms)


def _binding(state: State) -> grouping.Binding:
    body = state.body or {}
    return grouping.Binding(state.key, body["customer_id"], state.version)


def history_row(incoming: Incoming, withdrawn: frozenset[str] = frozenset()) -> store.HistoryRow:
    """An event as it is kept; `withdrawn` are ids of events that were taken back."""
    event: Event = incoming.message
    return store.HistoryRow(
        record_id=event.record_id,
        event_id=event.event_id,
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
        withdrawn=event.event_id in withdrawn,
    )


def item(row: store.HistoryRow) -> domain.Item:
    """What a record's summary keeps of it."""
    return (
        microseconds(row.time), row.event_id, row.type, row.channel, row.direction, row.title, row.source,
    )  # fmt: skip


async def plan(_settings: Settings, _generation: Generation) -> LanePlan:
    """Interaction's lane."""
    return LanePlan(
        service="interaction",
        lane="main",
        decode={
            CHANNEL_EVENTS.name: lambda r: decode_event(r.key, r.value, r.headers),
            IDENTITY_BINDINGS.name: lambda r: decode_state(r.value),
        },
        apply=apply,
        tells={INTERACTION_CUSTOMERS.name: Tells("grp", "group_id", current)},
    )
