"""What value does with a batch: already seen? → load → decide → save; and what silence and a changed policy ask for.

Owns the order of these steps; rules are in domain/, SQL in store/ and runtime/grouping.py.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from schemas.codec import State, Version, decode_event, decode_state, header
from schemas.envelope import microseconds
from schemas.erasure import ERASED
from schemas.events.retraction import RETRACTED
from schemas.topics import CHANNEL_EVENTS, IDENTITY_BINDINGS, VALUE_CUSTOMERS
from services.runtime import grouping, review, withdrawing
from services.runtime.batch import Batch, Gathers, Incoming, LanePlan, Tells, Work
from services.runtime.gathered_members import Known, gather, groups_gathered
from services.runtime.policies import PolicyInForce
from services.runtime.postgres import Connection, Generation
from services.runtime.settings import Settings
from services.value import store
from services.value.domain.contacts import has_price
from services.value.domain.entries import MONEY_TYPES, Entry
from services.value.domain.heard import HEARD_TYPES, heard_of
from services.value.domain.ledger import Looking, Mark, worth
from services.value.domain.orders import Amounts, added, fold
from services.value.domain.policy import Policy, read_policy
from services.value.domain.reading import business_day, read
from services.value.store import customers, heard

POLICY = "value.policy"
HEARD = MONEY_TYPES | HEARD_TYPES | {RETRACTED, ERASED}
REVIEWED_AT_ONCE = 500
"""Customers looked at again in one transaction after a change of the policy."""
FALLEN_AT_ONCE = 200
"""Customers looked at again in one transaction because silence moved them."""


def clock_us() -> int:
    """What time it is, in µs since 1970: silence falls by the clock, not by events."""
    return time.time_ns() // 1_000


@dataclass(frozen=True, slots=True)
class Kept:
    """Of a batch: the records it concerns, what is to be added under their locks, whether contacts cost anything."""

    records: set[str]
    days: store.Cells
    contacts: heard.Counts
    priced: bool

    async def add(self, connection: Connection) -> None:
        """To days and contacts."""
        await store.add_days(connection, self.days)
        await heard.add_contacts(connection, self.contacts)


class Value:
    """The lane's handlers, with the business day's zone and the policy in force."""

    def __init__(self, zone: ZoneInfo, policy: PolicyInForce[Policy], days_ahead: int = 0) -> None:
        self.zone = zone
        self.policy = policy
        self.days_ahead = days_ahead
        self.known = Known()

    @property
    def today(self) -> int:
        """The business day it is; later by `days_ahead` where silence is rehearsed."""
        return business_day(clock_us(), self.zone) + self.days_ahead

    async def apply(self, batch: Batch, work: Work) -> None:
        """Apply one batch of events and bindings."""
        events = batch.of(CHANNEL_EVENTS.name)
        moves = [_binding(b.message) for b in batch.of(IDENTITY_BINDINGS.name)]
        kept = await self._keep(events, work)
        locked = await grouping.lock(work.connection, kept.records, moves)
        await kept.add(work.connection)
        newest = max((i.log_time_ms for i in events), default=0)
        touched = {locked.group_of[record] for record in kept.records}
        told = touched | await _regrouped(locked, kept.records, kept.priced, work.connection)
        if told:
            policy = await self.policy.hold(work.connection)
            await self._tell({group: newest if group in touched else 0 for group in told}, policy, work)

    async def gather(self, batch: Batch, work: Work) -> None:
        """Keep what one batch says of records (runtime/gathering.py)."""
        kept = await self._keep(batch.of(CHANNEL_EVENTS.name), work)
        await kept.add(work.connection)
        moves = [_binding(b.message) for b in batch.of(IDENTITY_BINDINGS.name)]
        await gather(work, kept.records, moves, self.known)

    async def combine(self, work: Work, after: str, log_time_ms: int) -> str | None:
        """Tell what some more customers are worth, of whom anything was kept; the last of them."""
        policy = await self.policy.hold(work.connection)
        groups = await groups_gathered(work.connection, after, REVIEWED_AT_ONCE)
        if not groups:
            return None
        locked = await grouping.lock(work.connection, await grouping.members_of(work.connection, groups), ())
        rich = await customers.with_anything(work.connection, locked.group_of, priced=bool(policy.prices))
        await self._tell(dict.fromkeys(sorted({locked.group_of[r] for r in rich}), log_time_ms), policy, work)
        return groups[-1]

    async def _keep(self, events: Sequence[Incoming], work: Work) -> Kept:
        """Keep what the events say of money and contacts, fold orders of it; whom that concerns."""
        held = await withdrawing.hold(work.connection, [i.message for i in events])
        events = held.left(events, work)
        contacts, concerned, priced = await self._hear(events, held, work)
        entries = self._entries(events, work)
        new = await store.insert_entries(work.connection, entries, held.here)
        work.counts["applied"] += len(new)
        work.counts["duplicate"] += len(entries) - len(new)
        # Told again or taken back before it came: the order is folded of its rows either way.
        orders = {store.order_id(e.key) for e in entries if (e.record_id, e.event_id) in new}
        orders |= await store.withdraw(work.connection, held.now) if held.now else set()
        orders |= await store.forget(work.connection, held.erased)
        changes, records = await self._fold(orders, work.connection)
        return Kept(records | concerned, changes, contacts, priced)

    async def _hear(
        self, events: Sequence[Incoming], held: withdrawing.Withdrawals, work: Work
    ) -> tuple[heard.Counts, set[str], bool]:
        """What changes of contacts, whom that and what was stated concerns, and whether contacts cost anything."""
        policy = await self.policy.hold(work.connection)
        said = [
            one for i in events if (one := heard_of(i.message, microseconds(i.message.time), self.zone)) is not None
        ]
        new = await heard.insert(work.connection, said, held.here)
        gone = await heard.withdraw(work.connection, held.now) if held.now else []
        gone += await heard.forget(work.connection, held.erased)
        work.counts["heard"] += len(new)
        concerned = {
            one.record_id
            for one in (*new, *gone)
            if one.said is not None or (one.contact is not None and has_price([one.contact], policy.prices))
        }
        return heard.counted(new, gone), concerned, bool(policy.prices)

    def _entries(self, events: Sequence[Incoming], work: Work) -> list[Entry]:
        """What the events say of money; what lacks too much to say it is counted."""
        entries = []
        for event in (i.message for i in events if i.message.type in MONEY_TYPES):
            entry = read(event, microseconds(event.time), self.zone)
            if entry is None:
                work.counts["incomplete"] += 1
            else:
                entries.append(entry)
        return entries

    async def _fold(self, orders: set[str], connection: Connection) -> tuple[store.Cells, set[str]]:
        """Fold orders of all their entries; what that changes of days, and of which records anything changes."""
        if not orders:
            return {}, set()
        folded = {}
        changes: store.Cells = {}
        records: set[str | None] = set()
        for order_id, stored in (await store.hold_orders(connection, orders)).items():
            order = fold(stored.entries, self.zone)
            folded[order_id] = (stored.entries[0].key if stored.entries else "", order)
            for key, change in store.difference(order.cells, stored.cells).items():
                changes[key] = added(changes.get(key, Amounts()), change)
                records.add(key.record_id)
            if (stored.owner, stored.ordered_us) != (order.owner, store.first_seen_at(order)):
                records |= {stored.owner, order.owner}
        await store.save_orders(connection, folded)
        return changes, {record for record in records if record is not None}

    async def _tell(self, newest: Mapping[str, int], policy: Policy, work: Work) -> None:
        """n + 1 and a state to tell for each of these groups; `newest`: group → log time of what changed it.

        Where silence moves them next is kept in the same transaction, as of the day that is told.
        """
        versions = await grouping.save(work.connection, {}, newest)
        looking, marks = Looking(self.today, self.zone), {}
        for group, ledger in (await _ledgers(work.connection, sorted(versions), policy)).items():
            n, log_time_ms, _ = versions[group]
            state, mark = _state(group, Version(work.epoch, n), log_time_ms, ledger, policy, looking)
            work.tell(VALUE_CUSTOMERS.name, state)
            if mark != ledger.mark:
                marks[group] = mark
        await customers.save_marks(work.connection, marks)

    async def spare(self, work: Work) -> bool:
        """A piece of what no event asks for; whether there is more of it."""
        return await self.review(work) or await self.fall(work)

    async def review(self, work: Work) -> bool:
        """After a change of the policy: look at some more customers again; whether there are others left."""
        policy = await self.policy.hold(work.connection)
        place = await review.place(work.connection, self.policy.number)
        if place is None:
            return False
        found, last = await customers.customers_after(work.connection, place.after, REVIEWED_AT_ONCE)
        if found:
            members = {member for those in found.values() for member in those}
            locked = await grouping.lock(work.connection, members, ())
            await self._tell(dict.fromkeys(found.keys() & locked.members.keys(), 0), policy, work)
        await review.reached(work.connection, self.policy.number, None if last is None else review.Place(0, last))
        return last is not None

    async def fall(self, work: Work) -> bool:
        """Look again at customers whom silence has moved by today; whether there may be others."""
        policy, today = await self.policy.hold(work.connection), self.today
        found = await customers.due(work.connection, today, FALLEN_AT_ONCE)
        if not found:
            return False
        members = await grouping.members_of(work.connection, found)
        locked = await grouping.lock(work.connection, members, ())
        # Another worker, or an event, may have been quicker: who was looked at is due no more.
        still = await customers.still_due(work.connection, sorted(set(found) & locked.members.keys()), today)
        work.counts["fallen_silent"] += len(still)
        if still:
            await self._tell(dict.fromkeys(still, 0), policy, work)
        return len(found) == FALLEN_AT_ONCE


async def _regrouped(locked: grouping.Locked, changed: set[str], priced: bool, connection: Connection) -> set[str]:
    """Groups with other members than before, if any of their old or new members says anything, or did until now."""
    if not locked.regrouped:
        return set()
    group_of = {member: group for group in locked.regrouped for member in locked.members[group]}
    rich = changed | await customers.with_anything(connection, group_of.keys() | locked.moved.keys(), priced=priced)
    found = {group_of[member] for member in rich & group_of.keys()}
    return found | {locked.moved[member] for member in rich & locked.moved.keys()}


async def _ledgers(connection: Connection, groups: Sequence[str], policy: Policy) -> dict[str, customers.Ledger]:
    return await customers.ledgers(connection, groups, priced=bool(policy.prices))


def _state(
    group: str, version: Version, log_time_ms: int, ledger: customers.Ledger, policy: Policy, looking: Looking
) -> tuple[State, Mark | None]:
    """The section as of the last day on which anything of it changed: a function of log, policy and today."""
    body, mark = worth(ledger.known, policy, looking)
    if body is not None:
        body["by_record"] = ledger.members
    return State(group, version, body, grouping.members_hash(ledger.members), log_time_ms), mark


def _as_kept(ledger: customers.Ledger, value: Value) -> Looking:
    """Of whom a day is kept is told as of that day, whatever day it is now."""
    return Looking(value.today if ledger.mark is None else ledger.mark.day, value.zone)


def _binding(state: State) -> grouping.Binding:
    body = state.body or {}
    return grouping.Binding(state.key, body["customer_id"], state.version)


def decoded(record: Any) -> Any:
    """Only events that are heard are decoded, and those exactly; the others are passed by their header."""
    is_heard = header(record.headers, "ce_type") in HEARD
    return decode_event(record.key, record.value, record.headers, exact=True) if is_heard else None


def shipped_document() -> dict[str, Any]:
    """The policy this build ships, as a document."""
    document: dict[str, Any] = yaml.safe_load((files("services.value") / "policy.yaml").read_text())
    return document


async def plan(settings: Settings, _generation: Generation) -> LanePlan:
    """Value's lane."""
    policy = PolicyInForce(POLICY, read_policy)
    value = Value(ZoneInfo(settings.business_timezone), policy, settings.value_days_ahead)

    async def begin(connection: Connection) -> None:
        await policy.ready(connection, settings, "value", shipped_document())
        await policy.hold(connection)
        await review.begin(connection, policy.number)

    async def current(connection: Connection, keys: Sequence[str], epoch: int) -> list[State]:
        """States of these customers as committed now."""
        now = await policy.hold(connection)
        return [
            _state(group, Version(epoch, ledger.n), ledger.log_time_ms, ledger, now, _as_kept(ledger, value))[0]
            for group, ledger in (await _ledgers(connection, keys, now)).items()
        ]

    return LanePlan(
        service="value",
        lane="main",
        decode={CHANNEL_EVENTS.name: decoded, IDENTITY_BINDINGS.name: lambda r: decode_state(r.value)},
        apply=value.apply,
        tells={VALUE_CUSTOMERS.name: Tells("grp", "group_id", current)},
        # Nobody waits for a sum as for an answer; most of what comes is bindings of people who bought nothing.
        lingers=4,
        begin=begin,
        spare=value.spare,
        gathers=Gathers(value.gather, value.combine),
    )
