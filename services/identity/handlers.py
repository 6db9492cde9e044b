"""What identity does with a batch: already seen? → load → decide → save.

Owns the order of these steps. Batches that mention nothing unknown keep their mentions and take no writer lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from typing import Any

import orjson
import yaml

from schemas.codec import State, Version, decode_event
from schemas.envelope import Event, microseconds
from schemas.identifiers import Identifier, record_id
from schemas.topics import CHANNEL_EVENTS, IDENTITY_BINDINGS, IDENTITY_CUSTOMERS
from services.identity import store
from services.identity.domain.clustering import Binding, cluster
from services.identity.domain.evidence import NEVER_US, Evidence, Record
from services.identity.domain.mentions import Mention, mention_of, removal_of
from services.identity.domain.observing import ABOUT_EVIDENCE, ASSERTIONS, observe
from services.identity.domain.policy import Policy, read_policy
from services.identity.domain.section import section
from services.runtime import withdrawing
from services.runtime.batch import Batch, Incoming, LanePlan, Tells, Work
from services.runtime.grouping import members_hash
from services.runtime.postgres import Connection, Generation
from services.runtime.settings import Settings

KNOWN_MAX = 100_000
"""Entries of the cache of evidence that is stored; it is emptied when full."""

NOTHING = Evidence()
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """Of what events of one kind mention: the earliest time from which another adds nothing, and their `said`."""

    since_us: int
    said: str | None


@dataclass(frozen=True, slots=True)
class Taken:
    """What a batch takes back: events, and what sources said of records; and records only named by what is dead."""

    withdrawn: frozenset[str]
    removed: Sequence[str]
    unsaid: Sequence[Record]


@dataclass(frozen=True, slots=True)
class Heard:
    """An event's mention, and its evidence where that may be new. `key` names all events that mention the same."""

    mention: Mention
    evidence: Evidence | None
    key: Key | None


class Identity:
    """The lane's handler with its policy and its cache.

    `known` says what adds nothing; it holds for as long as nothing is taken back (`withdrawals`).
    """

    def __init__(self, policy: Policy, deployment_key: bytes) -> None:
        self.policy = policy
        self.known: dict[Key, Known] = {}
        self.withdrawals = 0
        self._record_id = partial(record_id, deployment_key)
        self._ids: dict[Identifier, str] = {}

    def forget(self) -> None:
        """Empty the cache: after a fence, a rebalance or a rollback it may hold what was never stored."""
        self.known.clear()

    async def apply(self, batch: Batch, work: Work) -> None:
        """Apply one batch of events."""
        events = batch.of(CHANNEL_EVENTS.name)
        work.counts["applied"] += len(events)
        removals = [r for i in events if (r := removal_of(i.message)) is not None]
        held = await withdrawing.hold(work.connection, [i.message for i in events], alone=bool(removals))
        if held.count != self.withdrawals:
            self.forget()
            self.withdrawals = held.count
        heard = [h for i in events if (h := self._hear(i)) is not None]
        if removals:
            await store.save_removals(work.connection, removals)
        dead = await self._dead(heard, held, work.connection)
        fresh = await store.insert_mentions(work.connection, [h.mention for h in heard], dead) - dead
        said = Evidence()
        for one in heard:
            if one.mention.place in fresh:
                fresh.discard(one.mention.place)  # of copies in one batch the first was kept
                said.take(one.evidence or NOTHING)
        unsaid = Evidence()
        for one in heard if dead else ():
            if one.mention.place in dead:
                unsaid.take(one.evidence or NOTHING)
        if said or unsaid or removals or held.now:
            log_time_ms = max(i.log_time_ms for i in events)
            taken = Taken(held.now, [r.record_id for r in removals], list(unsaid.records.values()))
            await self._learn(said, taken, log_time_ms, work)
        work.after_commit.append(partial(self._remember, [h for h in heard if h.mention.place not in dead]))

    # -- already seen? -----------------------------------------------------------------------------------

    def _key(self, event: Event) -> Key | None:
        data = event.data
        if data.get("traits") or event.type in _ALWAYS_READ or event.type.startswith("group."):
            return None
        identifiers = data.get("identifiers", {})
        return (event.record_id, event.source, *((t, *v) for t, v in sorted(identifiers.items())))

    def _hear(self, incoming: Incoming) -> Heard | None:
        event: Event = incoming.message
        time_us = microseconds(event.time)
        key = self._key(event)
        known = self.known.get(key) if key is not None else None
        if known is not None and (event.clamped or time_us >= known.since_us):
            first_us = NEVER_US if event.clamped else time_us
            mention = Mention(event.event_id, event.record_id, event.source, time_us, first_us, True, known.said)
            return Heard(mention, None, key)
        evidence = observe(event, time_us, self.policy, self._id)
        found = mention_of(event, time_us, evidence)
        return Heard(found, evidence, key) if found is not None else None

    async def _dead(
        self, heard: Sequence[Heard], held: withdrawing.Withdrawals, connection: Connection
    ) -> set[tuple[str, str]]:
        """What was taken back, or removed by its source, before it came."""
        if not held.count:
            return set()
        mentions = [h.mention for h in heard]
        until = await store.removed_until(connection, (m.record_id for m in mentions))
        return {
            m.place
            for m in mentions
            if m.event_id in held.here or (m.seen and m.time_us <= until.get((m.record_id, m.source), -NEVER_US))
        }

    def _remember(self, heard: Sequence[Heard]) -> None:
        if len(self.known) + len(heard) > KNOWN_MAX:
            self.known.clear()
        for one in heard:
            if one.key is None or one.mention.first_us == NEVER_US:
                continue
            known = self.known.get(one.key)
            if known is None or one.mention.first_us < known.since_us:
                self.known[one.key] = Known(one.mention.first_us, one.mention.said)

    def _id(self, identifier: Identifier) -> str:
        found = self._ids.get(identifier)
        if found is None:
            if len(self._ids) >= KNOWN_MAX:
                self._ids.clear()
            found = self._ids[identifier] = self._record_id(identifier)
        return found

    # -- load → decide → save ----------------------------------------------------------------------------

    async def _learn(self, said: Evidence, taken: Taken, log_time_ms: int, work: Work) -> None:
        """Store what is new, take out what is taken back, decide again whom that touches."""
        connection = work.connection
        await store.lock_writer(connection)
        new = said.beyond(await store.known(connection, said))
        if new:
            await store.save_evidence(connection, new)
        # A record that nothing alive speaks of is told as nobody: readers may know it from a database that was lost.
        doubted = await store.save_dead(connection, taken.unsaid)
        if taken.withdrawn or taken.removed:
            buried = await store.bury(connection, taken.withdrawn, taken.removed)
            doubted |= await store.revise(connection, buried) if buried else set()
        if new or doubted:
            await self._decide(new, doubted, log_time_ms, work)

    async def _decide(self, new: Evidence, doubted: set[str], log_time_ms: int, work: Work) -> None:
        around = await store.neighbourhood(work.connection, new.about | doubted, doubted)
        before = around.stored
        # Links of a stored generic record were not followed: more of them cannot make it less generic.
        generic = frozenset(r for r, s in before.items() if s.binding.generic and r not in doubted)
        after = cluster(around.records, around.links, around.assertions, self.policy, generic).bindings
        changed = {r: b for r, b in after.items() if b != before[r].binding or before[r].n == 0}
        versions = await store.save_bindings(work.connection, changed, log_time_ms)
        for record, n in versions.items():
            state = _binding_state(record, changed[record], Version(work.epoch, n), log_time_ms)
            work.tell(IDENTITY_BINDINGS.name, state)
        # Sections that may be others now: of records something was said of, and of those that moved.
        touched = {after[r].customer_id for r in new.said_of | changed.keys() | doubted}
        touched |= {before[r].binding.customer_id for r in changed}
        alive = {r: one for r, one in around.records.items() if not before[r].dead}
        await self._tell_customers(touched, alive, after, log_time_ms, work, doubted)

    async def _tell_customers(
        self,
        customers: set[str],
        records: Mapping[str, Record],
        bindings: Mapping[str, Binding],
        log_time_ms: int,
        work: Work,
        doubted: set[str],
    ) -> None:
        """Tell each of these customers whose section is another than the one that stands."""
        mine: dict[str, list[Record]] = {customer: [] for customer in sorted(customers)}
        for record in records:
            if bindings[record].customer_id in mine:
                mine[bindings[record].customer_id].append(records[record])
        traits = await store.traits_of(work.connection, [r.record_id for those in mine.values() for r in those])
        standing = await store.told(work.connection, list(mine))
        sections: dict[str, tuple[str | None, str]] = {}
        for customer, those in mine.items():
            text = None
            if those:
                body = section(those, bindings, [t for r in those for t in traits.get(r.record_id, ())])
                text = orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode()
            if text != standing.get(customer) or (customer in doubted and customer not in standing):
                sections[customer] = (text, members_hash(r.record_id for r in those))
        for customer, n in (await store.save_customers(work.connection, sections, log_time_ms)).items():
            text, members = sections[customer]
            told = orjson.loads(text) if text else None
            state = State(customer, Version(work.epoch, n), told, members, log_time_ms)
            work.tell(IDENTITY_CUSTOMERS.name, state)


_ALWAYS_READ = frozenset({"alias.asserted", *ASSERTIONS, *ABOUT_EVIDENCE})


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
