"""Members and groups: who belongs together, locked in one order, recombined when a member moves.

Owns the `member` and `grp` tables. A member holds a state; a group's state is the combination of its
members'. A binding (member → group, version) moves a member; the group it leaves is told to be empty.
Knows no domain noun: interaction and value both stand on it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

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
    `joined`: members first heard of now whose own group others had been put into before.
    """

    group_of: dict[str, str] = field(default_factory=dict)
    states: dict[str, str | None] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    parts: dict[str, str] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    joined: set[str] = field(default_factory=set)

    @property
    def regrouped(self) -> set[str]:
        """Groups whose members are others than before."""
        return {self.group_of[m] for m in self.moved.keys() | self.joined} | set(self.moved.values())


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
    newest = _newest(bindings)
    changed = set(members)
    ids = sorted(changed | newest.keys())
    if not ids:
        return Locked()
    locked = Locked()
    applied: list[Binding] = []
    held, new = await _hold_members(connection, ids)
    for member, (group, version) in held.items():
        locked.group_of[member] = group
        binding = newest.get(member)
        if binding is not None and binding.version.newer_than(version):
            applied.append(binding)
            locked.group_of[member] = binding.group
            if binding.group != group:
                locked.moved[member] = group
    touched = {locked.group_of[m] for m in changed | new | locked.moved.keys()} | set(locked.moved.values())
    groups = sorted(touched)
    await hold(connection, "grp", "group_id", groups)
    await _bind(connection, applied)
    await _read(connection, groups, locked)
    locked.joined = {m for m in new if len(locked.members[locked.group_of[m]]) > 1}
    return locked


def _newest(bindings: Iterable[Binding]) -> dict[str, Binding]:
    newest: dict[str, Binding] = {}
    for binding in bindings:
        known = newest.get(binding.member)
        if known is None or binding.version.newer_than(known.version):
            newest[binding.member] = binding
    return newest


async def _hold_members(connection: Connection, ids: list[str]) -> tuple[dict[str, tuple[str, Version]], set[str]]:
    """Lock all, making those that are missing: member → (group, version), and which are new."""
    held: dict[str, tuple[str, Version]] = {}
    new: set[str] = set()
    while missing := [i for i in ids if i not in held]:
        rows = await connection.fetch(
            """
            WITH held AS MATERIALIZED (
                SELECT member_id, group_id, epoch, n FROM member WHERE member_id = any($1::uuid[])
                ORDER BY member_id FOR NO KEY UPDATE
            ), made AS (
                INSERT INTO member (member_id, group_id)
                SELECT m, m FROM unnest($1::uuid[]) AS m WHERE m NOT IN (SELECT member_id FROM held)
                ON CONFLICT DO NOTHING RETURNING member_id
            )
            SELECT member_id, group_id, epoch, n, false AS new FROM held
            UNION ALL SELECT member_id, member_id, 0, 0, true FROM made
            """,
            missing,
        )
        # Neither held nor made: somebody else made it after this statement began to look. The next one sees it.
        held |= {str(r["member_id"]): (str(r["group_id"]), Version(r["epoch"], r["n"])) for r in rows}
        new |= {str(r["member_id"]) for r in rows if r["new"]}
    return held, new


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
        SELECT member_id, group_id, state FROM member WHERE group_id = any($1::uuid[])
        UNION ALL SELECT NULL, group_id, part FROM grp WHERE group_id = any($1::uuid[]) AND part IS NOT NULL
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
    for members in locked.members.values():
        members.sort()


async def save(
    connection: Connection,
    states: Mapping[str, str | None],
    groups: Mapping[str, int],
    parts: Mapping[str, str | None] = NO_PARTS,
) -> dict[str, tuple[int, int]]:
    """Write members' new states, and n + 1 for each changed group, with its part where that is another.

    `groups` maps to the log time of what changed it. Returns group → (n, newest log time in ms).
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
        RETURNING g.group_id, g.n, g.log_time_ms
        """,
        members,
        [states[i] for i in members],
        ids,
        [groups[i] for i in ids],
        [i in parts for i in ids],
        [parts.get(i) for i in ids],
    )
    return {str(r["group_id"]): (r["n"], r["log_time_ms"]) for r in rows}


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
