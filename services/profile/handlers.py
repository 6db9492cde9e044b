"""What profile does with a batch of states: already seen (older version)? → save → tell what changed → segments.

What time brings, promises that become due and segments that age, it looks for between batches.
Owns the order of these steps, and the form of a change; what it says is domain/changing.py.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import orjson

from schemas.codec import State, StateText, Version, decode_state, decode_state_text
from schemas.topics import (
    IDENTITY_BINDINGS,
    IDENTITY_CUSTOMERS,
    INTERACTION_CUSTOMERS,
    PROFILE_CHANGES,
    VALUE_CUSTOMERS,
)
from services.profile import store
from services.profile.domain import IDENTITY, Now
from services.profile.domain.changing import MOVES, MOVES_HEADER, UPDATED, Detail, folded, noted, spoken
from services.profile.domain.segments import SEGMENTS, Segments, read_segments
from services.profile.store import fates, memberships, occasions, search, whole
from services.runtime import review
from services.runtime.batch import Batch, LanePlan, Tells, Told, Work
from services.runtime.policies import PolicyInForce
from services.runtime.postgres import Connection, Generation
from services.runtime.settings import Settings

SERVICE_OF = {
    IDENTITY_CUSTOMERS.name: "identity",
    INTERACTION_CUSTOMERS.name: "interaction",
    VALUE_CUSTOMERS.name: "value",
}
SHIPPED: dict[str, Any] = {"segments": {}}
LOOKED_AT_ONCE = 300
"""Customers looked at again in one transaction."""
DUE_AT_ONCE = 200
"""Occasions told in one transaction because their time has come."""
REBUILT_LATE_US = 3_600_000_000
"""A rebuild lets times pass so much later: what is told around a swap may be told twice, under one id, never not."""
SWEEP_EVERY_S = 3_600
"""How often everybody is looked at again where waiting may change who is in a segment."""


def clock_us() -> int:
    """What time it is, in µs since 1970: promises become due by the clock, not by messages."""
    return time.time_ns() // 1_000


class Profile:
    """The lane's handlers, with the segments in force and the business day's zone.

    `late_us`: by how much later than it is due an occasion comes to pass here.
    """

    def __init__(self, zone: ZoneInfo, segments: PolicyInForce[Segments], late_us: int = 0) -> None:
        self.zone = zone
        self.segments = segments
        self.late_us = late_us

    async def apply(self, batch: Batch, work: Work) -> None:
        """Apply one batch; whose sections it changed enters and leaves segments as of its newest message."""
        changed, moves = await apply(batch, work)
        if not changed:
            return
        segments = await self.segments.hold(work.connection)
        if segments.by_id:
            now = self._at(max(i.log_time_ms for i in batch.records))
            moved = await memberships.follow(work.connection, segments, sorted(changed), now)
            moves = _joined(moves, moved)
        await tell_moves(work, moves)

    async def spare(self, work: Work) -> bool:
        """A piece of what no message asks for; whether there is more of it. What is due comes first."""
        return await self.come_to_pass(work) or await self.review(work)

    async def come_to_pass(self, work: Work) -> bool:
        """Tell what became due by now, of some customers; whether anybody was looked at."""
        until_us = clock_us() - self.late_us
        customers = await occasions.due(work.connection, until_us, DUE_AT_ONCE)
        if not customers:
            return False
        await store.lock_customers(work.connection, customers)
        # Another worker, or a message, may have been quicker: what was told waits no more.
        await tell_moves(work, await occasions.come_to_pass(work.connection, customers, until_us))
        return True

    async def review(self, work: Work) -> bool:
        """After a change of segments, and as time goes by: look at some more customers; whether others are left."""
        segments = await self.segments.hold(work.connection)
        place = await review.place(work.connection, self.segments.number)
        if place is not None:
            last = await self._look(segments, place.after, work)
            await review.reached(
                work.connection, self.segments.number, review.Place(0, last) if last is not None else None
            )
            return last is not None
        if not segments.any_ages:
            return False
        after = await memberships.sweep_place(work.connection, int(time.time()), SWEEP_EVERY_S)
        if after is None:
            return False
        last = await self._look(segments, after, work)
        await memberships.swept(work.connection, last)
        return last is not None

    async def _look(self, segments: Segments, after: str, work: Work) -> str | None:
        """Look at the next customers, now; the last of them, None when there are none."""
        connection = work.connection
        customers = await memberships.customers_after(connection, after, LOOKED_AT_ONCE)
        if not customers:
            return None
        await store.lock_customers(connection, customers)
        now = self._at(int(time.time() * 1_000))
        await tell_moves(work, await memberships.follow(connection, segments, customers, now))
        return customers[-1]

    def _at(self, time_ms: int) -> Now:
        return Now(datetime.fromtimestamp(time_ms / 1_000, self.zone).date(), time_ms * 1_000)


def _joined(one: Mapping[str, list[Detail]], other: Mapping[str, list[Detail]]) -> dict[str, list[Detail]]:
    return {c: [*one.get(c, ()), *other.get(c, ())] for c in sorted({*one, *other})}


async def tell_moves(work: Work, moves: Mapping[str, list[Detail]]) -> None:
    """Tell how (locked) customers moved, and what came to pass of them, with what else is told of each here."""
    beside = {customer: work.told.get((PROFILE_CHANGES.name, customer)) for customer in moves}
    alone = [customer for customer, told in beside.items() if told is None]
    versions = await store.count_on(work.connection, alone)
    for customer, told in sorted(beside.items()):
        state = told.state if told else State(customer, Version(work.epoch, versions[customer]), {}, "", 0)
        version = _text(state.version)
        detail = (told.detail or {})[version] if told else {"type": UPDATED}
        work.tell(PROFILE_CHANGES.name, state, noted(version, {**detail, MOVES: moves[customer]}))


async def apply(batch: Batch, work: Work) -> tuple[set[str], dict[str, list[Detail]]]:
    """Apply one batch of bindings and sections; the customers whose sections it changed, and how they moved."""
    bindings = _newest([(i.message.key, i.message) for i in batch.of(IDENTITY_BINDINGS.name)])
    sections = _newest(
        [((i.message.key, SERVICE_OF[i.topic]), i.message) for i in batch.records if i.topic in SERVICE_OF]
    )
    work.counts["applied"] += len(batch.records)
    connection = work.connection
    moves = await store.save_bindings(connection, bindings.values())
    # Where nobody was named after a moved record, or identity emptied him already, this finds none.
    lost = await store.superseded(connection, sorted(m.record for m in moves if m.record != m.customer))
    told_of = {customer for customer, service in sections if service == IDENTITY}
    concerned = await fates.concerned(connection, moves, told_of)
    customers = sorted({customer for customer, _ in sections} | lost | concerned)
    if not customers:
        return set(), {}
    await store.lock_customers(connection, customers)
    existed = await store.bodies_told(connection, customers, IDENTITY)
    changed, versions = await store.save_sections(connection, sections)
    told_of = {customer for customer, service in changed if service == IDENTITY}
    lost = await store.superseded(connection, sorted(told_of | lost))
    versions |= await store.empty(connection, lost)
    tiers, shown = await search.follow(connection, sections, changed, lost)
    details = (await fates.changes(connection, moves, sections, changed, existed, lost)).details()
    for customer in details.keys() & _replayed(sections, changed):
        details[customer]["cause"] = whole.REPLAYED
    versions |= await store.count_on(connection, details.keys() - versions.keys())
    newest = dict.fromkeys(details, 0)
    for customer, service in changed:
        if customer in newest:
            newest[customer] = max(newest[customer], sections[customer, service].log_time_ms)
    for customer, detail in details.items():
        state = State(customer, Version(work.epoch, versions[customer]), {}, "", newest[customer])
        work.tell(PROFILE_CHANGES.name, state, noted(_text(state.version), detail))
    # After the last customer was locked: here others may be waited for who tell the same.
    passed = await occasions.follow(connection, sections, changed, shown)
    return {customer for customer, _ in changed} | lost, _joined(tiers, passed)


def _replayed(sections: Mapping[tuple[str, str], StateText], changed: Collection[tuple[str, str]]) -> set[str]:
    """Customers of whom all that changed was told because of a swap."""
    live = {customer for customer, service in changed if sections[customer, service].cause != whole.REPLAYED}
    return {customer for customer, _ in changed} - live


S = TypeVar("S", State, StateText)


def _newest(states: Sequence[tuple[Any, S]]) -> dict[Any, S]:
    newest: dict[Any, S] = {}
    for key, state in states:
        known = newest.get(key)
        if known is None or state.version.newer_than(known.version):
            newest[key] = state
    return newest


async def current(connection: Connection, keys: Sequence[str], epoch: int) -> list[State]:
    """Versions of these customers as committed now; what changed is in the marker's detail."""
    rows = await connection.fetch(
        "SELECT customer_id, n, log_time_ms FROM customer WHERE customer_id = any($1::uuid[])", keys
    )
    return [State(str(r["customer_id"]), Version(epoch, r["n"]), {}, "", r["log_time_ms"]) for r in rows]


def encode_change(told: Told) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    """A change as a CloudEvent: id = customer and the version it made, so that a repeat is known as one."""
    customer, notes = told.state.key, told.detail or {"type": UPDATED}
    # What a swap tells is noted at no version but the state's own.
    version, detail = folded(noted(_text(told.state.version), notes) if "type" in notes else notes)
    data, moves = spoken(customer, version, detail)
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", f"{customer}:{version}".encode()),
        ("ce_source", b"customer360/profile"),
        ("ce_type", detail["type"].encode()),
        ("ce_subject", customer.encode()),
        ("content-type", b"application/json"),
    ]
    if moves:
        headers.append((MOVES_HEADER, orjson.dumps(moves)))
    return customer.encode(), orjson.dumps(data), headers


def _text(version: Version) -> str:
    return f"{version.epoch}.{version.n}"


async def plan(settings: Settings, _generation: Generation) -> LanePlan:
    """Profile's lane."""
    segments = PolicyInForce(SEGMENTS, read_segments)
    late_us = REBUILT_LATE_US if settings.silent else 0
    profile = Profile(ZoneInfo(settings.business_timezone), segments, late_us)

    async def begin(connection: Connection) -> None:
        await segments.ready(connection, settings, "profile", SHIPPED)
        await segments.hold(connection)
        await review.begin(connection, segments.number)

    return LanePlan(
        service="profile",
        lane="main",
        decode={
            IDENTITY_BINDINGS.name: lambda r: decode_state(r.value),
            **{topic: lambda r: decode_state_text(r.value) for topic in SERVICE_OF},
        },
        apply=profile.apply,
        begin=begin,
        spare=profile.spare,
        tells={
            PROFILE_CHANGES.name: Tells(
                "customer", "customer_id", current, content=whole.content, retold=whole.retold
            )
        },
        encode={PROFILE_CHANGES.name: encode_change},
    )
