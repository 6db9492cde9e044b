"""The oracle: what the log says must be true, in plain Python, and what the databases say is.

Owns the five counts (lost, dup, order, diverge, phantom) and the check of compacted topics. Reads the log as
it is; knows nothing of batches, workers, caches or crashes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import orjson

from schemas.codec import Unreadable, decode_event, decode_state
from schemas.envelope import Event, event_id, microseconds
from schemas.erasure import ERASED, events_of
from services.identity.domain.clustering import Binding, cluster
from services.identity.domain.evidence import Evidence, Trait
from services.identity.domain.mentions import mention_of, removal_of
from services.identity.domain.observing import observe
from services.identity.domain.proving import word_of
from services.identity.domain.reach import Word
from services.identity.domain.section import section
from services.identity.domain.similarity.likeness import looks_of
from services.identity.handlers import shipped_policy
from services.interaction.domain import summary as interaction
from services.interaction.handlers.hearing import history_row, item
from services.runtime.batch import Incoming
from services.runtime.forgetting import Erased
from services.runtime.grouping import members_hash
from services.runtime.withdrawing import retracted_by
from services.value.domain.entries import MONEY_TYPES, Entry
from services.value.domain.reading import read as read_entry
from tests.support.belonging import IDS, memberships_in
from tests.support.dialogues import facts_in, told_of
from tests.support.ledgers import ZONE, worth_in

Place = tuple[str, str]
"""(record id, event id)."""


@dataclass(slots=True)
class Expected:
    """The reference fold: `first` gives each counted event its lowest place in the log."""

    events: dict[Place, Event] = field(default_factory=dict)
    first: dict[Place, tuple[int, int]] = field(default_factory=dict)
    bindings: dict[str, Binding] = field(default_factory=dict)
    identity: dict[str, dict[str, Any]] = field(default_factory=dict)
    interaction: dict[str, dict[str, Any]] = field(default_factory=dict)
    value: dict[str, dict[str, Any]] = field(default_factory=dict)
    members: dict[str, str] = field(default_factory=dict)


def expected(records: Iterable[Any], without: frozenset[tuple[str, int, int]] = frozenset()) -> Expected:
    """Fold the whole log at once; `without` are places of records that are parked."""
    result, evidence = Expected(), Evidence()
    summaries: dict[str, interaction.Summary] = {}
    first = _first_copies(records, without)
    withdrawn = {target for e, _ in first.values() if (target := retracted_by(e)) is not None}
    until: dict[tuple[str, str], int] = {}
    for event, _ in first.values():
        if (gone := removal_of(event)) is not None:
            at = (gone.record_id, gone.source)
            until[at] = max(gone.until_us, until.get(at, gone.until_us))
    entries: dict[str, list[Entry]] = {}
    words: dict[str, list[Word]] = {}
    erased = erased_in(event for event, _ in first.values())
    for place, (event, r) in first.items():
        summary = summaries.setdefault(event.record_id, interaction.Summary())
        if event.type == ERASED or erased.covers(event):
            continue
        result.events[place] = event
        result.first[place] = (r.partition, r.offset)
        if event.event_id in withdrawn:
            continue
        summary.add(item(history_row(Incoming(r.topic, r.partition, r.offset, r.timestamp, event, r))))
        time_us = microseconds(event.time)
        if event.type in MONEY_TYPES:
            exact = decode_event(r.key, r.value, r.headers, exact=True)
            if (entry := read_entry(exact, time_us, ZONE)) is not None:
                entries.setdefault(entry.key, []).append(entry)
        said = observe(event, time_us, IDS)
        mention = mention_of(event, time_us, said)
        removed = until.get((event.record_id, event.source), time_us - 1)
        if mention is not None and not (mention.seen and time_us <= removed):
            evidence.take(said)
            for word in word_of(event, time_us, IDS):
                words.setdefault(word.record_id, []).append(word)
    _who(result, evidence, summaries, words, withdrawn)
    customer_of = {r: b.customer_id for r, b in result.bindings.items()}
    result.value = {customer: _as_told(body) for customer, body in worth_in(entries, customer_of).items()}
    return result


def erased_in(events: Iterable[Event]) -> Erased:
    """All that is erased by some word."""
    named = [(event.record_id, events_of(event)) for event in events if event.type == ERASED]
    return Erased(
        frozenset(record for record, those in named if those is None),
        frozenset((record, one) for record, those in named for one in those or ()),
    )


def _first_copies(records: Iterable[Any], without: frozenset[tuple[str, int, int]]) -> dict[Place, tuple[Event, Any]]:
    """Each readable event's copy with the lowest offset."""
    first: dict[Place, tuple[Event, Any]] = {}
    for r in sorted(records, key=lambda r: (r.partition, r.offset)):
        if (r.topic, r.partition, r.offset) in without:
            continue
        try:
            event = decode_event(r.key, r.value, r.headers)
        except Unreadable:
            continue
        first.setdefault((event.record_id, event.event_id), (event, r))
    return first


def _who(
    result: Expected,
    evidence: Evidence,
    summaries: dict[str, interaction.Summary],
    words: Mapping[str, list[Word]],
    withdrawn: set[str],
) -> None:
    policy = shipped_policy()
    facts = facts_in(result.events.values(), withdrawn)
    looks = looks_of(evidence.traits.values(), policy.similarity)
    clusters = cluster(evidence.records, evidence.links.values(), evidence.assertions.values(), policy, looks=looks)
    result.bindings = clusters.bindings
    groups: dict[str, list[str]] = {}
    for record in evidence.records:
        groups.setdefault(clusters.bindings[record].customer_id, []).append(record)
    for record in summaries:
        if record not in clusters.bindings:
            groups.setdefault(record, []).append(record)
    traits: dict[str, list[Trait]] = {}
    for trait in evidence.traits.values():
        traits.setdefault(trait.record_id, []).append(trait)
    belonging = memberships_in(result.events.values(), withdrawn)
    for customer, members in groups.items():
        result.members[customer] = members_hash(members)
        known = [evidence.records[m] for m in members if m in evidence.records]
        if known:
            said = [t for m in members for t in traits.get(m, ())]
            groups_of = [g for m in members for g in belonging.get(m, ())]
            heard = [w for m in members for w in words.get(m, ())]
            result.identity[customer] = _as_told(section(known, clusters.bindings, said, groups_of, heard))
        body = told_of(members, summaries, facts)
        if body is not None:
            result.interaction[customer] = _as_told(body)


def _as_told(body: Any) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(orjson.dumps(body))
    return found


@dataclass(slots=True)
class Findings:
    """ZERO when every count is 0; `examples` says where to look."""

    lost: int = 0
    dup: int = 0
    order: int = 0
    diverge: int = 0
    phantom: int = 0
    stale: int = 0
    markers: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def zero(self) -> bool:
        """Nothing to find."""
        return not (self.lost or self.dup or self.order or self.diverge or self.phantom or self.stale)

    def __str__(self) -> str:
        counts = f"lost={self.lost} dup={self.dup} order={self.order} diverge={self.diverge}"
        return f"{counts} phantom={self.phantom} stale={self.stale} " + "; ".join(self.examples[:5])


async def check(
    database_url: str,
    records: Iterable[Any],
    *,
    ledger: Iterable[tuple[str, str]] = (),
    last_told: Mapping[str, Mapping[bytes | None, Any]] | None = None,
    without: frozenset[tuple[str, int, int]] = frozenset(),
) -> Findings:
    """Compare the databases with the reference fold.

    `ledger`: (source, id) of every acknowledged event. `last_told`: compacted topic → key → last record.
    `without`: places in the log of records parked on purpose.
    """
    want = expected(records, without)
    found = Findings()
    connection = await asyncpg.connect(database_url)
    try:
        await _check_history(connection, want, found, ledger)
        await _check_identity(connection, want, found)
        await _check_profile(connection, want, found)
        for service in ("identity", "interaction", "value", "profile"):
            found.markers += await connection.fetchval(
                f"SELECT (SELECT count(*) FROM {service}_g1.marker) + (SELECT count(*) FROM {service}_g1.telling)"
            )
        for topic, messages in (last_told or {}).items():
            await _check_topic(connection, topic, messages, found)
    finally:
        await connection.close()
    return found


async def _check_history(connection: Any, want: Expected, found: Findings, ledger: Iterable[tuple[str, str]]) -> None:
    rows = await connection.fetch("SELECT record_id, event_id, log_partition, log_offset FROM interaction_g1.history")
    applied = {(str(r["record_id"]), str(r["event_id"])): (r["log_partition"], r["log_offset"]) for r in rows}
    event_ids = {e for _, e in applied}
    acked = {event_id(source, sent) for source, sent in ledger}
    missing = (want.events.keys() - applied.keys()) | {("ledger", e) for e in acked - event_ids}
    found.lost = len(missing)
    found.phantom = len(applied.keys() - want.events.keys())
    found.order = sum(want.first.get(place, at) != at for place, at in applied.items())
    counted = 0
    for r in await connection.fetch("SELECT state FROM interaction_g1.member WHERE state IS NOT NULL"):
        counted += interaction.read(r["state"]).count
    withdrawn = await connection.fetchval("SELECT count(*) FROM interaction_g1.history WHERE withdrawn")
    found.dup = abs(counted + withdrawn - len(applied))
    found.examples += [f"lost {m}" for m in sorted(missing)[:2]]


async def _check_identity(connection: Any, want: Expected, found: Findings) -> None:
    rows = await connection.fetch(
        "SELECT record_id, customer_id, generic, weight, rivals FROM identity_g1.record WHERE NOT dead"
    )
    have = {
        str(r["record_id"]): Binding(
            str(r["customer_id"]),
            r["generic"],
            r["weight"],
            tuple((c, w) for c, w in orjson.loads(r["rivals"])),
        )
        for r in rows
    }
    for record in have.keys() | want.bindings.keys():
        if have.get(record) != want.bindings.get(record):
            found.diverge += 1
            found.examples.append(f"binding {record}: {have.get(record)} for {want.bindings.get(record)}")
    tables = (
        ("interaction_g1.member", "member_id"),
        ("value_g1.member", "member_id"),
        ("profile_g1.binding", "record_id"),
    )
    for table, column in tables:
        target = "group_id" if column == "member_id" else "customer_id"
        rows = await connection.fetch(f"SELECT {column} AS r, {target} AS c FROM {table}")
        bound = {str(r["r"]): str(r["c"]) for r in rows}
        for record, binding in want.bindings.items():
            if bound.get(record) != binding.customer_id:
                found.diverge += 1
                found.examples.append(f"{table} {record}: {bound.get(record)} for {binding.customer_id}")


async def _check_profile(connection: Any, want: Expected, found: Findings) -> None:
    rows = await connection.fetch("SELECT customer_id, service, members, body FROM profile_g1.section")
    have: dict[tuple[str, str], Any] = {}
    for r in rows:
        if r["body"] is not None:
            have[str(r["customer_id"]), r["service"]] = (orjson.loads(r["body"]), r["members"])
    should: dict[tuple[str, str], Any] = {}
    for service, bodies in (("identity", want.identity), ("interaction", want.interaction), ("value", want.value)):
        for customer, body in bodies.items():
            should[customer, service] = (body, want.members[customer])
    for key in have.keys() | should.keys():
        if have.get(key) != should.get(key):
            found.diverge += 1
            found.examples.append(f"section {key}: {have.get(key)} for {should.get(key)}")


_CURRENT = {
    "identity.bindings": ("identity", "SELECT record_id AS key, n FROM identity_g1.record"),
    "identity.customers": ("identity", "SELECT customer_id AS key, n FROM identity_g1.customer"),
    "interaction.customers": ("interaction", "SELECT group_id AS key, n FROM interaction_g1.grp WHERE n > 0"),
    "value.customers": ("value", "SELECT group_id AS key, n FROM value_g1.grp WHERE n > 0"),
}


async def _check_topic(connection: Any, topic: str, messages: Mapping[bytes | None, Any], found: Findings) -> None:
    """The last message of every key is the current state."""
    service, sql = _CURRENT[topic]
    epoch = await connection.fetchval(f"SELECT epoch FROM {service}.generation")
    current = {str(r["key"]): (epoch, r["n"]) for r in await connection.fetch(sql)}
    told = {}
    for record in messages.values():
        state = decode_state(record.value)
        told[state.key] = (state.version.epoch, state.version.n)
    for key in current.keys() | told.keys():
        if told.get(key) != current.get(key):
            found.stale += 1
            found.examples.append(f"{topic} {key}: told {told.get(key)}, current {current.get(key)}")
