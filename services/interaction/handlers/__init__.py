"""What interaction does with a batch: already seen? → load → decide → save.

Owns the order of these steps; rules are in domain/, SQL in store/ and runtime/grouping.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any

from schemas.codec import State, Version, decode_event, decode_state
from schemas.topics import CHANNEL_EVENTS, IDENTITY_BINDINGS, INTERACTION_CUSTOMERS
from services.interaction import store
from services.interaction.domain import section, summary
from services.interaction.domain.facts import Fact
from services.interaction.domain.families import Family, family_of, stirs
from services.interaction.domain.policy import Policy, read_policy
from services.interaction.handlers.folding import asked, folded
from services.interaction.handlers.gathering import Gathering
from services.interaction.handlers.hearing import Kept, binding_of, item, keep
from services.runtime import grouping, review
from services.runtime.batch import Batch, Gathers, LanePlan, Tells, Work
from services.runtime.documents import read_yaml
from services.runtime.policies import PolicyInForce
from services.runtime.postgres import Connection, Generation
from services.runtime.settings import Settings

POLICY = "interaction.policy"
REVIEWED_AT_ONCE = 500
"""Customers folded again in one transaction after a change of the policy."""


class Interaction:
    """The lane's handlers, with the policy in force, and what they recall of facts."""

    def __init__(self, policy: PolicyInForce[Policy]) -> None:
        self.policy = policy
        self.recall = store.Recall()

    async def apply(self, batch: Batch, work: Work) -> None:
        """Apply one batch of events and bindings."""
        connection = work.connection
        policy = await self.policy.hold(connection)
        moves = [binding_of(b.message) for b in batch.of(IDENTITY_BINDINGS.name)]
        kept = await keep(batch.of(CHANNEL_EVENTS.name), work)
        undone = kept.undone
        locked = await grouping.lock(connection, kept.records, moves)
        summaries = {m: summary.read(state) for m, state in locked.states.items()}
        for _, row in kept.fresh:
            if not row.withdrawn:
                summaries[row.record_id].add(item(row))
        if undone:
            await store.delete_facts(connection, undone, kept.withdrawn)
            # What was added cannot be taken out of a "newest ten": these records are folded again as a whole.
            summaries |= {record: summary.Summary() for record in undone}
            locked.distrust(undone)
            for record, counted in await store.counted(connection, undone):
                summaries[record].add(counted)
        wanted = _families(locked, kept.facts, undone, policy, summaries)
        new = store.by_record(kept.facts)
        found = await self.recall.facts_of(connection, asked(locked, wanted), locked, new)
        parts = folded(locked, wanted, found, policy)
        writer = await _save(work, locked, summaries, parts, kept)
        self.recall.keep(found, locked, new, kept.records | locked.bound, writer)

    async def review(self, work: Work) -> bool:
        """After a change of the policy: fold some more customers again; whether there are others left."""
        policy = await self.policy.hold(work.connection)
        place = await review.place(work.connection, self.policy.number)
        if place is None:
            return False
        groups = await grouping.groups_after(work.connection, place.after, REVIEWED_AT_ONCE)
        if groups:
            locked = await grouping.lock(work.connection, await grouping.members_of(work.connection, groups), ())
            there = set(groups) & locked.members.keys()
            wanted = {group: set(Family) for group in there}
            parts = folded(locked, wanted, await store.facts_of(work.connection, asked(locked, wanted)), policy)
            changed = {g: 0 for g in there if section.write_parts(parts[g]) != locked.parts.get(g)}
            await _tell(work, locked, {m: summary.read(s) for m, s in locked.states.items()}, parts, {}, changed)
        await review.reached(work.connection, self.policy.number, review.Place(0, groups[-1]) if groups else None)
        return bool(groups)


def _families(
    locked: grouping.Locked,
    facts: Iterable[Fact],
    undone: Iterable[str],
    policy: Policy,
    summaries: Mapping[str, summary.Summary],
) -> dict[str, set[Family]]:
    """group → the families to fold again: all where members moved or something was taken back."""
    standing = {group: section.read_parts(part).keys() for group, part in locked.parts.items()}
    wanted: dict[str, set[Family]] = {group: set(Family) for group in locked.regrouped}
    for record in undone:
        wanted[locked.group_of[record]] = set(Family)
    for fact in facts:
        group = locked.group_of[fact.record_id]
        if stirs(fact, policy, standing.get(group, ()), summaries[fact.record_id].by_type):
            wanted.setdefault(group, set()).add(family_of(fact.kind))
    return wanted


async def _save(
    work: Work,
    locked: grouping.Locked,
    summaries: dict[str, summary.Summary],
    parts: Mapping[str, section.Parts],
    kept: Kept,
) -> int | None:
    """Changed summaries; n + 1 and a state to tell for each group whose members changed or moved; the writer's id."""
    changed = {record: summary.write(summaries[record]) for record in kept.records}
    newest = dict.fromkeys(locked.regrouped | {locked.group_of[record] for record in kept.undone}, 0)
    for incoming, row in kept.fresh:
        group = locked.group_of[row.record_id]
        newest[group] = max(newest.get(group, 0), incoming.log_time_ms)
    return await _tell(work, locked, summaries, parts, changed, newest)


async def _tell(
    work: Work,
    locked: grouping.Locked,
    summaries: Mapping[str, summary.Summary],
    parts: Mapping[str, section.Parts],
    changed: Mapping[str, str | None],
    newest: Mapping[str, int],
) -> int | None:
    stored = {group: section.write_parts(of_group) for group, of_group in parts.items()}
    saved = await grouping.save(work.connection, changed, newest, stored)
    for group, (n, log_time_ms, _) in saved.items():
        of_group = {m: summaries[m] for m in locked.members[group]}
        known = parts[group] if group in parts else section.read_parts(locked.parts.get(group))
        work.tell(INTERACTION_CUSTOMERS.name, _state(group, Version(work.epoch, n), log_time_ms, of_group, known))
    return next((one.writer for one in saved.values()), None)


async def current(connection: Connection, keys: Sequence[str], epoch: int) -> list[State]:
    """States of these customers as committed now."""
    return [
        _state(
            group,
            Version(epoch, found.n),
            found.log_time_ms,
            {m: summary.read(s) for m, s in found.states.items()},
            section.read_parts(found.part),
        )
        for group, found in (await grouping.read_groups(connection, keys)).items()
    ]


def _state(
    group: str,
    version: Version,
    log_time_ms: int,
    summaries: Mapping[str, summary.Summary],
    parts: section.Parts,
) -> State:
    members = grouping.members_hash(summaries)
    return State(group, version, section.section(summaries, parts), members, log_time_ms)


def shipped_document() -> dict[str, Any]:
    """The policy this build ships, as a document."""
    document: dict[str, Any] = read_yaml((files("services.interaction") / "policy.yaml").read_text())
    return document


async def plan(settings: Settings, _generation: Generation) -> LanePlan:
    """Interaction's lane."""
    policy = PolicyInForce(POLICY, read_policy)
    interaction, gathering = Interaction(policy), Gathering(policy)

    async def begin(connection: Connection) -> None:
        await policy.ready(connection, settings, "interaction", shipped_document())
        await policy.hold(connection)
        await review.begin(connection, policy.number)

    return LanePlan(
        service="interaction",
        lane="main",
        decode={
            CHANNEL_EVENTS.name: lambda r: decode_event(r.key, r.value, r.headers),
            IDENTITY_BINDINGS.name: lambda r: decode_state(r.value),
        },
        apply=interaction.apply,
        tells={INTERACTION_CUSTOMERS.name: Tells("grp", "group_id", current)},
        begin=begin,
        spare=interaction.review,
        gathers=Gathers(gathering.apply, gathering.combine),
    )
