"""Load → decide → save: evidence in, bindings, sections and decisions out, under the writer lock.

Owns the order of these steps and the states that are told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import orjson

from schemas.codec import ERASED, LIVE, State, StateText, Version
from schemas.topics import IDENTITY_BINDINGS, IDENTITY_CUSTOMERS
from services.identity import store
from services.identity.domain.clustering import Binding, cluster
from services.identity.domain.evidence import NEVER_US, Evidence, Record, Trait
from services.identity.domain.policy import Policy
from services.identity.domain.quality import addresses
from services.identity.domain.section import section
from services.runtime.batch import Work
from services.runtime.forgetting import NOTHING, Erased
from services.runtime.grouping import members_hash
from services.runtime.postgres import Connection


@dataclass(frozen=True, slots=True)
class Taken:
    """What a batch takes back: events, and what sources said of records; records only named by what is dead; and
    what is erased."""

    withdrawn: frozenset[str]
    removed: Sequence[str]
    unsaid: Sequence[Record]
    erased: Erased = NOTHING


@dataclass(frozen=True, slots=True)
class Learnt:
    """What may change who is whose. `doubted`: records of which something was taken back, or that may be generic no
    more; `alike`: those that are alike to others than before; `traits`: what is said of records, where it was read;
    `erased`: records whose people are erased now.
    """

    new: Evidence = field(default_factory=Evidence)
    doubted: Set[str] = frozenset()
    alike: Set[str] = frozenset()
    traits: Mapping[str, list[Trait]] = field(default_factory=dict)
    erased: Set[str] = frozenset()


async def learn(said: Evidence, taken: Taken, policy: Policy, log_time_ms: int, work: Work) -> None:
    """Store what is new, take out what is taken back, decide again whom that touches."""
    connection = work.connection
    await store.lock_writer(connection)
    known = await store.known(connection, said)
    new = said.beyond(known)
    if new:
        await store.save_evidence(connection, new)
    # A record that nothing alive speaks of is told as nobody: readers may know it from a database that was lost.
    gone = taken.erased.records
    nameless = [Record(r, "", "", NEVER_US, frozenset()) for r in sorted(gone)]
    doubted = await store.save_dead(connection, [*taken.unsaid, *nameless]) | gone
    if taken.withdrawn or taken.removed or taken.erased:
        buried = await store.bury(connection, taken.withdrawn, taken.removed)
        buried += await store.forget(connection, taken.erased)
        doubted |= await store.revise(connection, buried) if buried else set()
    traits = {r: those for r, those in new.whole_traits(known).items() if r not in doubted}
    unheard = traits.keys() - known.records.keys()
    alike, renamed = await store.refresh(
        connection, traits.keys() | doubted, policy.similarity, traits, unheard=unheard
    )
    if renamed:
        # Who is called otherwise may have been one name too many.
        doubted |= await store.generic_beside(connection, renamed)
    if new or doubted:
        await decide(Learnt(new, doubted, alike, traits, gone), policy, log_time_ms, work)
    if taken.withdrawn or taken.removed or taken.erased:
        await store.empty(connection, doubted)


async def decide(learnt: Learnt, policy: Policy, log_time_ms: int, work: Work) -> None:
    """Bindings, decisions and sections of the whole components that this touches."""
    new, doubted, erased = learnt.new, learnt.doubted, learnt.erased
    around = await store.neighbourhood(work.connection, new.about | doubted | learnt.alike, doubted)
    before = around.stored
    # Links of a stored generic record were not followed: more of them cannot make it less generic.
    generic = frozenset(r for r, s in before.items() if s.binding.generic and r not in doubted)
    clusters = cluster(around.records, around.links, around.assertions, policy, generic, around.looks)
    after = clusters.bindings
    changed = {r: b for r, b in after.items() if b != before[r].binding or before[r].n == 0 or r in erased}
    if around.is_held or any(r.constraint in store.LOOKED_AT for r in clusters.refused):
        await store.save_held(work.connection, list(around.records), clusters.refused)
    versions = await store.save_bindings(work.connection, changed, log_time_ms)
    for record, n in versions.items():
        gone = record in erased and before[record].dead
        state = _binding_state(record, changed[record], Version(work.epoch, n), log_time_ms, gone)
        work.tell(IDENTITY_BINDINGS.name, state)
    # Sections that may be others now: of records something was said of, and of those that moved.
    touched = {after[r].customer_id for r in new.said_of | changed.keys() | doubted}
    touched |= {before[r].binding.customer_id for r in changed}
    alive = {r: one for r, one in around.records.items() if not before[r].dead}
    await tell_customers(touched, alive, after, log_time_ms, work, learnt)
    was = {r: s.binding.customer_id if s.n else None for r, s in before.items()}
    # What was only said of records, or seen of them earlier, without moving any, decides nothing.
    if changed or doubted or learnt.alike or new.links or new.assertions:
        await store.save_decisions(work.connection, clusters, around.links, around.assertions, was, log_time_ms)


async def tell_customers(
    customers: set[str],
    records: Mapping[str, Record],
    bindings: Mapping[str, Binding],
    log_time_ms: int,
    work: Work,
    learnt: Learnt,
) -> None:
    """Tell each of these customers whose section is another than the one that stands."""
    mine: dict[str, list[Record]] = {customer: [] for customer in sorted(customers)}
    for record in records:
        if bindings[record].customer_id in mine:
            mine[bindings[record].customer_id].append(records[record])
    ids = [r.record_id for those in mine.values() for r in those]
    read = learnt.traits
    traits = {**read, **await store.traits_of(work.connection, [r for r in ids if r not in read])}
    said = {c: [t for r in those for t in traits.get(r.record_id, ())] for c, those in mine.items()}
    groups = await store.memberships(work.connection, ids)
    words = await store.reach_of(work.connection, [a for c in mine for a in addresses(mine[c], said[c])])
    standing = await store.told(work.connection, list(mine))
    sections: dict[str, tuple[str | None, str]] = {}
    for customer, those in mine.items():
        text = None
        if those:
            parts = [g for r in those for g in groups.get(r.record_id, ())]
            body = section(
                those, bindings, said[customer], parts, [w for r in those for w in words.get(r.record_id, ())]
            )
            text = orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode()
        if text != standing.get(customer) or (customer in learnt.doubted and customer not in standing):
            sections[customer] = (text, members_hash(r.record_id for r in those))
    for customer, n in (await store.save_customers(work.connection, sections, log_time_ms)).items():
        text, members = sections[customer]
        cause = ERASED if text is None and customer in learnt.erased else LIVE
        state = StateText(customer, Version(work.epoch, n), text, members, log_time_ms, cause)
        work.tell(IDENTITY_CUSTOMERS.name, state)


def _binding_state(record: str, binding: Binding, version: Version, log_time_ms: int, gone: bool = False) -> State:
    """`gone`: its person was erased, and nobody else speaks of it."""
    body: dict[str, Any] = {
        "customer_id": binding.customer_id,
        "generic": binding.generic,
        "weight": binding.weight,
        "rivals": [list(r) for r in binding.rivals],
    }
    if gone:
        body["erased"] = True
    return State(record, version, body, "", log_time_ms)


def lone(record: str) -> dict[str, object]:
    """The binding of a record that there is nothing to say of: its own."""
    return {"customer_id": record, "generic": False, "weight": 0, "rivals": []}


_IS_ERASED = "EXISTS (SELECT FROM erased e WHERE e.record_id = {}) AS is_erased"


async def current_bindings(connection: Connection, keys: Sequence[str], epoch: int) -> list[State]:
    """Bindings of these records as committed now."""
    rows = await connection.fetch(
        f"SELECT r.*, {_IS_ERASED.format('r.record_id')} FROM record r WHERE record_id = any($1::uuid[])", keys
    )
    return [
        _binding_state(
            str(r["record_id"]),
            store.stored_row(r).binding,
            Version(epoch, r["n"]),
            r["log_time_ms"],
            r["dead"] and r["is_erased"],
        )
        for r in rows
    ]


async def current_customers(connection: Connection, keys: Sequence[str], epoch: int) -> list[State]:
    """Sections of these customers as committed now."""
    rows = await connection.fetch(
        f"SELECT c.*, {_IS_ERASED.format('c.customer_id')} FROM customer c WHERE customer_id = any($1::uuid[])", keys
    )
    return [
        State(
            str(r["customer_id"]),
            Version(epoch, r["n"]),
            orjson.loads(r["told"]) if r["told"] else None,
            r["members"],
            r["log_time_ms"],
            ERASED if r["told"] is None and r["is_erased"] else LIVE,
        )
        for r in rows
    ]
