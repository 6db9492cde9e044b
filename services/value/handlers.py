"""What value does with a batch: already seen? → load → decide → save.

Owns the order of these steps; rules are in domain/, SQL in store.py and runtime/grouping.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from schemas.codec import State, Version, decode_event, decode_state, header
from schemas.envelope import microseconds
from schemas.topics import CHANNEL_EVENTS, IDENTITY_BINDINGS, VALUE_CUSTOMERS
from services.runtime import grouping, review, withdrawing
from services.runtime.batch import Batch, Incoming, LanePlan, Tells, Work
from services.runtime.policies import PolicyInForce
from services.runtime.postgres import Connection, Generation
from services.runtime.settings import Settings
from services.value import store
from services.value.domain.entries import MONEY_TYPES, Entry
from services.value.domain.ledger import section
from services.value.domain.orders import Amounts, added, fold
from services.value.domain.policy import Policy, read_policy
from services.value.domain.reading import business_day, read

POLICY = "value.policy"
HEARD = MONEY_TYPES | {withdrawing.RETRACTED}
REVIEWED_AT_ONCE = 500
"""Customers looked at again in one transaction after a change of the policy."""


class Value:
    """The lane's handlers, with the business day's zone and the policy in force."""

    def __init__(self, zone: ZoneInfo, policy: PolicyInForce[Policy]) -> None:
        self.zone = zone
        self.policy = policy

    async def apply(self, batch: Batch, work: Work) -> None:
        """Apply one batch of events and bindings."""
        events = batch.of(CHANNEL_EVENTS.name)
        moves = [_binding(b.message) for b in batch.of(IDENTITY_BINDINGS.name)]
        held = await withdrawing.hold(work.connection, [i.message for i in events])
        entries = self._entries(events, work)
        new = await store.insert_entries(work.connection, entries, held.here)
        work.counts["applied"] += len(new)
        work.counts["duplicate"] += len(entries) - len(new)
        # Told again or taken back before it came: the order is folded of its rows either way.
        orders = {store.order_id(e.key) for e in entries if (e.record_id, e.event_id) in new}
        orders |= await store.withdraw(work.connection, held.now) if held.now else set()
        changes, records = await self._fold(orders, work.connection)
        locked = await grouping.lock(work.connection, records, moves)
        await store.add_days(work.connection, changes)
        newest = max((i.log_time_ms for i in events), default=0)
        touched = {locked.group_of[record] for record in records}
        told = touched | await _regrouped(locked, records, work.connection)
        if told:
            policy = await self.policy.hold(work.connection)
            await self._tell({group: newest if group in touched else 0 for group in told}, policy, work)

    def _entries(self, events: Sequence[Incoming], work: Work) -> list[Entry]:
        """What the events say of money; what lacks too much to say it is counted."""
        entries = []
        for incoming in events:
            event = incoming.message
            if event.type not in MONEY_TYPES:
                continue
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
        """n + 1 and a state to tell for each of these groups; `newest`: group → log time of what changed it."""
        versions = await grouping.save(work.connection, {}, newest)
        for group, ledger in (await store.ledgers(work.connection, sorted(versions))).items():
            n, log_time_ms, _ = versions[group]
            state = _state(group, Version(work.epoch, n), log_time_ms, ledger, policy, self.zone)
            work.tell(VALUE_CUSTOMERS.name, state)

    async def review(self, work: Work) -> bool:
        """After a change of the policy: look at some more customers again; whether there are others left."""
        policy = await self.policy.hold(work.connection)
        place = await review.place(work.connection, self.policy.number)
        if place is None:
            return False
        customers = await grouping.groups_after(work.connection, place.after, REVIEWED_AT_ONCE)
        if customers:
            members = await grouping.members_of(work.connection, customers)
            locked = await grouping.lock(work.connection, members, ())
            await self._tell(dict.fromkeys(set(customers) & locked.members.keys(), 0), policy, work)
        reached = review.Place(0, customers[-1]) if customers else None
        await review.reached(work.connection, self.policy.number, reached)
        return bool(customers)


async def _regrouped(locked: grouping.Locked, changed: set[str], connection: Connection) -> set[str]:
    """Groups with other members than before, if any of their old or new members has days, or had until now."""
    if not locked.regrouped:
        return set()
    group_of = {member: group for group in locked.regrouped for member in locked.members[group]}
    rich = changed | await store.with_days(connection, group_of.keys() | locked.moved.keys())
    found = {group_of[member] for member in rich & group_of.keys()}
    return found | {locked.moved[member] for member in rich & locked.moved.keys()}


def _state(
    group: str, version: Version, log_time_ms: int, ledger: store.Ledger, policy: Policy, zone: ZoneInfo
) -> State:
    """The section as of the business day on which it changed last: a rebuild gives the same."""
    day = business_day(log_time_ms * 1_000, zone)
    body = section(ledger.cells, policy, ledger.first_us, ledger.last_us, day)
    if body is not None:
        body["by_record"] = ledger.members
    return State(group, version, body, grouping.members_hash(ledger.members), log_time_ms)


def _binding(state: State) -> grouping.Binding:
    body = state.body or {}
    return grouping.Binding(state.key, body["customer_id"], state.version)


def _decode(record: Any) -> Any:
    """Only events of money are decoded, and those exactly; the others are passed by their header."""
    if header(record.headers, "ce_type") not in HEARD:
        return None
    return decode_event(record.key, record.value, record.headers, exact=True)


def shipped_document() -> dict[str, Any]:
    """The policy this build ships, as a document."""
    document: dict[str, Any] = yaml.safe_load((files("services.value") / "policy.yaml").read_text())
    return document


async def plan(settings: Settings, _generation: Generation) -> LanePlan:
    """Value's lane."""
    policy = PolicyInForce(POLICY, read_policy)
    value = Value(ZoneInfo(settings.business_timezone), policy)

    async def begin(connection: Connection) -> None:
        await policy.ready(connection, settings, "value", shipped_document())
        await policy.hold(connection)
        await review.begin(connection, policy.number)

    async def current(connection: Connection, keys: Sequence[str], epoch: int) -> list[State]:
        """States of these customers as committed now."""
        now = await policy.hold(connection)
        return [
            _state(group, Version(epoch, ledger.n), ledger.log_time_ms, ledger, now, value.zone)
            for group, ledger in (await store.ledgers(connection, keys)).items()
        ]

    return LanePlan(
        service="value",
        lane="main",
        decode={CHANNEL_EVENTS.name: _decode, IDENTITY_BINDINGS.name: lambda r: decode_state(r.value)},
        apply=value.apply,
        tells={VALUE_CUSTOMERS.name: Tells("grp", "group_id", current)},
        # Nobody waits for a sum as for an answer; most of what comes is bindings of people who bought nothing.
        lingers=4,
        begin=begin,
        spare=value.review,
    )
