"""What identity does with a batch: already seen? → load → decide → save.

Owns the order of these steps. Batches that mention nothing unknown touch no row and take no lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from importlib.resources import files
from typing import Any

import orjson
import yaml

from schemas.codec import State, Version, decode_event
from schemas.envelope import microseconds
from schemas.identifiers import Identifier, record_id
from schemas.topics import CHANNEL_EVENTS, IDENTITY_BINDINGS, IDENTITY_CUSTOMERS
from services.identity import store
from services.identity.domain.clustering import Binding, cluster
from services.identity.domain.evidence import Evidence, Record, observe
from services.identity.domain.policy import Policy, read_policy
from services.identity.domain.section import section
from services.runtime.batch import Batch, Incoming, LanePlan, Tells, Work
from services.runtime.grouping import members_hash
from services.runtime.postgres import Connection, Generation
from services.runtime.settings import Settings

KNOWN_MAX = 100_000
"""Entries of the cache of evidence that is stored; it is emptied when full."""

Mention = tuple[Any, ...]


class Identity:
    """The lane's handler with its policy and its cache.

    `known` maps what an event mentions to the earliest time from which the same mention adds nothing.
    """

    def __init__(self, policy: Policy, deployment_key: bytes) -> None:
        self.policy = policy
        self.known: dict[Mention, int] = {}
        self._record_id = partial(record_id, deployment_key)
        self._ids: dict[Identifier, str] = {}

    def forget(self) -> None:
        """Empty the cache: after a fence, a rebalance or a rollback it may hold what was never stored."""
        self.known.clear()

    async def apply(self, batch: Batch, work: Work) -> None:
        """Apply one batch of events."""
        events = batch.of(CHANNEL_EVENTS.name)
        work.counts["applied"] += len(events)
        unseen = [i for i in events if not self._is_known(i)]
        if not unseen:
            return
        said = self._observed(unseen)
        await store.lock_writer(work.connection)
        new = said.beyond(await store.known(work.connection, said))
        if new:
            await store.save_evidence(work.connection, new)
            await self._decide(new, max(i.log_time_ms for i in unseen), work)
        work.after_commit.append(partial(self._remember, unseen, said))

    # -- already seen? -----------------------------------------------------------------------------------

    def _mention(self, incoming: Incoming) -> Mention | None:
        event = incoming.message
        data = event.data
        if data.get("traits") or event.type in _ALWAYS_READ:
            return None
        identifiers = data.get("identifiers", {})
        return (event.record_id, event.source, *((t, *v) for t, v in sorted(identifiers.items())))

    def _is_known(self, incoming: Incoming) -> bool:
        mention = self._mention(incoming)
        since = self.known.get(mention) if mention is not None else None
        return since is not None and (incoming.message.clamped or microseconds(incoming.message.time) >= since)

    def _remember(self, incoming: Sequence[Incoming], said: Evidence) -> None:
        if len(self.known) + len(incoming) > KNOWN_MAX:
            self.known.clear()
        for one in incoming:
            mention = self._mention(one)
            if mention is not None and not one.message.clamped:
                time_us = microseconds(one.message.time)
                self.known[mention] = min(time_us, self.known.get(mention, time_us))

    def _id(self, identifier: Identifier) -> str:
        found = self._ids.get(identifier)
        if found is None:
            if len(self._ids) >= KNOWN_MAX:
                self._ids.clear()
            found = self._ids[identifier] = self._record_id(identifier)
        return found

    # -- load → decide → save ----------------------------------------------------------------------------

    def _observed(self, events: Sequence[Incoming]) -> Evidence:
        """Evidence of all events."""
        said = Evidence()
        for incoming in events:
            said.take(observe(incoming.message, microseconds(incoming.message.time), self.policy, self._id))
        return said

    async def _decide(self, new: Evidence, log_time_ms: int, work: Work) -> None:
        around = await store.neighbourhood(work.connection, new.about)
        before = around.stored
        # Links of a stored generic record were not followed: more of them cannot make it less generic.
        generic = frozenset(r for r, s in before.items() if s.binding.generic)
        after = cluster(around.records, around.links, around.assertions, self.policy, generic).bindings
        changed = {r: b for r, b in after.items() if b != before[r].binding or before[r].n == 0}
        versions = await store.save_bindings(work.connection, changed, log_time_ms)
        for record, n in versions.items():
            state = _binding_state(record, changed[record], Version(work.epoch, n), log_time_ms)
            work.tell(IDENTITY_BINDINGS.name, state)
        # Sections that may be others now: of records something was said of, and of those that moved.
        touched = {after[r].customer_id for r in new.said_of | changed.keys()}
        touched |= {before[r].binding.customer_id for r in changed}
        await self._tell_customers(sorted(touched), around.records, after, log_time_ms, work)

    async def _tell_customers(
        self,
        customers: list[str],
        records: Mapping[str, Record],
        bindings: Mapping[str, Binding],
        log_time_ms: int,
        work: Work,
    ) -> None:
        """Tell each of these customers whose section is another than the one that stands."""
        mine: dict[str, list[Record]] = {customer: [] for customer in customers}
        for record, binding in bindings.items():
            if binding.customer_id in mine:
                mine[binding.customer_id].append(records[record])
        traits = await store.traits_of(work.connection, [r.record_id for those in mine.values() for r in those])
        standing = await store.told(work.connection, customers)
        sections: dict[str, tuple[str | None, str]] = {}
        for customer, those in mine.items():
            text = None
            if those:
                body = section(those, bindings, [t for r in those for t in traits.get(r.record_id, ())])
                text = orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode()
            if text != standing.get(customer):
                sections[customer] = (text, members_hash(r.record_id for r in those))
        for customer, n in (await store.save_customers(work.connection, sections, log_time_ms)).items():
            text, members = sections[customer]
            told = orjson.loads(text) if text else None
            state = State(customer, Version(work.epoch, n), told, members, log_time_ms)
            work.tell(IDENTITY_CUSTOMERS.name, state)


_ALWAYS_READ = frozenset({"identity.same_asserted", "identity.different_asserted", "alias.asserted"})


def _binding_state(record: str, binding: Binding, version: Version, log_time_ms: int) -> State:
    body = {
        "customer_id": binding.customer_id,
        "generic": binding.generic,
        "weight": binding.weight,
        "rivals": [list(r) for r in binding.rivals],
    }
    return State(record, version, body, "", log_time_ms)


async def current_bindings(connection: Connection, keys: Sequence[str], epoch: int) -> list[State]:
    """Bindings of these records as committed now."""
    rows = await connection.fetch("SELECT * FROM record WHERE record_id = any($1::uuid[])", keys)
    return [
        _binding_state(str(r["record_id"]), store.stored_row(r).binding, Version(epoch, r["n"]), r["log_time_ms"])
        for r in rows
    ]


async def current_customers(connection: Connection, keys: Sequence[str], epoch: int) -> list[State]:
    """Sections of these customers as committed now."""
    rows = await connection.fetch("SELECT * FROM customer WHERE customer_id = any($1::uuid[])", keys)
    return [
        State(
            str(r["customer_id"]),
            Version(epoch, r["n"]),
            orjson.loads(r["told"]) if r["told"] else None,
            r["members"],
            r["log_time_ms"],
        )
        for r in rows
    ]


def shipped_policy() -> Policy:
    """The policy this build ships."""
    text = (files("services.identity") / "policy.yaml").read_text()
    return read_policy(yaml.safe_load(text))


async def plan(settings: Settings, _generation: Generation) -> LanePlan:
    """Identity's lane."""
    identity = Identity(shipped_policy(), settings.key_bytes)
    return LanePlan(
        service="identity",
        lane="main",
        decode={CHANNEL_EVENTS.name: lambda r: decode_event(r.key, r.value, r.headers)},
        apply=identity.apply,
        # What it tells matters to those it has not told before, or regroups; everybody's events go past it.
        lingers=2,
        tells={
            IDENTITY_BINDINGS.name: Tells("record", "record_id", current_bindings),
            IDENTITY_CUSTOMERS.name: Tells("customer", "customer_id", current_customers),
        },
        forget=identity.forget,
    )
