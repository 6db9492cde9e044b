"""Members and groups: who belongs together, locked in one order, recombined when a member moves.

Owns the `member` and `grp` tables. A member holds a state; a group's state is the combination of its
members'. A binding (member → group, version) moves a member; the group it leaves is told to be empty.
Knows no domain noun: interaction and value both stand on it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from schemas.codec import Version
from services.runtime.locking import hold
from services.runtime.postgres import Connection

NO_PARTS: Mapping[str, str | None] = {}


class Binding(msgspec.Struct, frozen=True):
    """`member` belongs to `group` since `version` of its binding."""

    member: str
    group: str
    version: Version


@dataclass(slots=True)
class Locked:
    """What one batch holds locks on.

    `states`: member → stored state text (None for a new one), for all members of the touched groups.
    `members`: group → its members now, after the batch's bindings. `moved`: member → group it left.
    `parts`: group → what is stored as told of it beside its members' states, where anything is.
    `new`: members first heard of now. `joined`: those of them whose own group others had been put into before.
    `bound`: members a binding of this batch is of. `writers`: member → the transaction that wrote its row last before
    this batch did; as long as a row has one writer, nothing that is written with it has changed.
    """

    group_of: dict[str, str] = field(default_factory=dict)
    states: dict[str, str | None] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    parts: dict[str, str] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    new: set[str] = field(default_factory=set)
    joined: set[str] = field(default_factory=set)
    bound: set[str] = field(default_factory=set)
    writers: dict[str, int] = field(default_factory=dict)

    @property
    def regrouped(self) -> set[str]:
        """Groups whose members are others than before."""
        return {self.group_of[m] for m in self.moved.keys() | self.joined} | set(self.moved.values())

    def distrust(self, members: Collection[str]) -> None:
        """More than their rows tell has changed of these: as if nobody knew who wrote them."""
        self.new.difference_update(members)
        for member in members:
            self.writers.pop(member, None)


def members_hash(members: Iterable[str]) -> str:
    """Short hash of the sorted member ids a state was combined from."""
    return hashlib.blake2b(",".join(sorted(members)).encode(), digest_size=8).hexdigest()


async def lock(connection: Connection, members: Iterable[str], bindings: Iterable[Binding]) -> Locked:
    """Lock member rows, apply bindings, lock group rows, then read what the groups now consist of.

    Both locks are taken in sorted order, members before groups, by everybody. The last read is a new
    statement after the last lock, so it sees every regrouping that was committed before we got it.
    A row that somebody else made a moment ago may be locked out of order; PostgreSQL finds the deadlock that
    can come of it, and the batch is repeated.
    """
    newest = newest_of(bindings)
    changed = set(members)
    ids = sorted(changed | newest.keys())
    if not ids:
        return Locked()
    locked = Locked()
    applied: list[Binding] = []
    held = await _hold_members(connection, ids, locked)
    for member, (group, version) in held.items():
        locked.group_of[member] = group
        binding = newest.get(member)
        if binding is not None and binding.version.newer_than(version):
            applied.append(binding)
            locked.group_of[member] = binding.group
            if binding.group != group:
                locked.moved[member] = group
    locked.bound = {b.member for b in applied}
    touched = {locked.group_of[m] for m in changed | locked.new | locked.moved.keys()} | set(locked.moved.values())
    groups = sorted(touched)
    await hold(connection, "grp", "group_id", groups)
    await _bind(connection, applied)
    await _read(connection, groups, locked)
    locked.joined = {m for m in locked.new if len(locked.members[locked.group_of[m]]) > 1}
    return locked


def newest_of(bindings: Iterable[Binding]) -> dict[str, Binding]:
    """member → its newest binding."""
    newest: dict[str, Binding] = {}
    for binding in bindings:
        known = newest.get(binding.member)
        if known is None or binding.version.newer_than(known.version):
            newest[binding.member] = binding
    return newest


async def _hold_members(connection: Connection, ids: list[str], locked: Locked) -> dict[str, tuple[str, Version]]:
    """Lock all, making those that are missing: member → (group, version). Notes who wrote them, and which are new."""
    held: dict[str, tuple[str, Version]] = {}
    while missing := [i for i in ids if i not in held]:
        rows = await connection.fetch(
            """
            WITH held AS MATERIALIZED (
                SELECT member_id, group_id, epoch, n, xmin FROM member WHERE member_id = any($1::uuid[])
                ORDER BY member_id FOR NO KEY UPDATE
            ), made AS (
                INSERT INTO member (member_id, group_id)
                SELECT m, m FROM unnest($1::uuid[]) AS m WHERE m NOT IN (SELECT member_id FROM held)
                ON CONFLICT DO NOTHING RETURNING member_id
            )
            SELECT member_id, group_id, epoch, n, xmin AS writer FROM held
            UNION ALL SELECT member_id, member_id, 0, 0, NULL FROM made
            """,
            missing,
        )
        # Neither held nor made: somebody else made it after this statement began to look. The next one sees it.
        for r in rows:
            member = str(r["member_id"])
            held[member] = str(r["group_id"]), Version(r["epoch"], r["n"])
            if r["writer"] is None:
                locked.new.add(member)
            else:
                locked.writers[member] = r["writer"]
    return held


async def _bind(connection: Connection, bindings: Sequence[Binding]) -> None:
    if not bindings:
        return
    await connection.execute(
        """
        UPDATE member m SET group_id = b.g, epoch = b.e, n = b.n
        FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[]) AS b (m, g, e, n)
        WHERE m.member_id = b.m
        """,
        [b.member for b in bindings],
        [b.group for b in bindings],
        [b.version.epoch for b in bindings],
        [b.version.n for b in bindings],
    )


async def _read(connection: Connection, groups: list[str], locked: Locked) -> None:
    locked.members = {group: [] for group in groups}
    rows = await connection.fetch(
        """
        SELECT member_id, group_id, state, xmin AS writer FROM member WHERE group_id = any($1::uuid[])
        UNION ALL SELECT NULL, group_id, part, NULL FROM grp WHERE group_id = any($1::uuid[]) AND part IS NOT NULL
        """,
        groups,
    )
    for row in rows:
        group = str(row["group_id"])
        if row["member_id"] is None:
            locked.parts[group] = row["state"]
            continue
        member = str(row["member_id"])
        locked.states[member] = row["state"]
        locked.members[group].append(member)
        if member not in locked.group_of:
            locked.writers[member] = row["writer"]
    for members in locked.members.values():
        members.sort()


class Saved(NamedTuple):
    """A group as it was saved: its version, newest log time in ms, and what transaction wrote it and its members."""

    n: int
    log_time_ms: int
    writer: int


async def save(
    connection: Connection,
    states: Mapping[str, str | None],
    groups: Mapping[str, int],
    parts: Mapping[str, str | None] = NO_PARTS,
) -> dict[str, Saved]:
    """Write members' new states, and n + 1 for each changed group, with its part where that is another.

    `groups` maps to the log time of what changed it. Returns them as they were saved.
    """
    if not groups:
        return {}
    members, ids = sorted(states), sorted(groups)
    rows = await connection.fetch(
        """
        WITH changed AS (
            UPDATE member m SET state = s.state FROM unnest($1::uuid[], $2::text[]) AS s (id, state)
            WHERE m.member_id = s.id
        )
        UPDATE grp g SET n = g.n + 1, log_time_ms = greatest(g.log_time_ms, s.t),
            part = CASE WHEN s.parted THEN s.p ELSE g.part END
        FROM unnest($3::uuid[], $4::bigint[], $5::bool[], $6::text[]) AS s (id, t, parted, p) WHERE g.group_id = s.id
        RETURNING g.group_id, g.n, g.log_time_ms, g.xmin AS writer
        """,
        members,
        [states[i] for i in members],
        ids,
        [groups[i] for i in ids],
        [i in parts for i in ids],
        [parts.get(i) for i in ids],
    )
    return {str(r["group_id"]): Saved(r["n"], r["log_time_ms"], r["writer"]) for r in rows}


@dataclass(slots=True)
class Group:
    """A group as it stands: its version, newest log time in ms, its part, and member → state."""

    n: int
    log_time_ms: int
    part: str | None
    states: dict[str, str | None] = field(default_factory=dict)


async def read_groups(connection: Connection, groups: Sequence[str]) -> dict[str, Group]:
    """Groups in one statement, so that version and content belong together."""
    rows = await connection.fetch(
        """
        SELECT g.group_id, g.n, g.log_time_ms, g.part, m.member_id, m.state
        FROM grp g LEFT JOIN member m ON m.group_id = g.group_id WHERE g.group_id = any($1::uuid[])
        """,
        list(groups),
    )
    found: dict[str, Group] = {}
    for row in rows:
        group = found.setdefault(str(row["group_id"]), Group(row["n"], row["log_time_ms"], row["part"]))
        if row["member_id"] is not None:
            group.states[str(row["member_id"])] = row["state"]
    return found


async def groups_after(connection: Connection, after: str, count: int) -> list[str]:
    """The next groups that anything was told of, by id."""
    rows = await connection.fetch(
        "SELECT group_id FROM grp WHERE group_id > $1 AND n > 0 ORDER BY group_id LIMIT $2", after, count
    )
    return [str(r["group_id"]) for r in rows]


async def members_of(connection: Connection, groups: Sequence[str]) -> list[str]:
    """All members of these groups."""
    rows = await connection.fetch("SELECT member_id FROM member WHERE group_id = any($1::uuid[])", groups)
    return [str(r["member_id"]) for r in rows]
