"""Whom a repair is of: a customer, or everybody of whom something was appended in a time; and who is tied to them.

Owns what is asked and the closure over ties. Ids only grow: one too many is folded to what he was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from schemas.codec import Unreadable, decode_state
from schemas.envelope import moment_at, rfc3339
from schemas.topics import CHANNEL_EVENTS, IDENTITY_BINDINGS
from services.runtime.beside import Refused
from services.runtime.postgres import Connection
from services.runtime.repair.log import Log
from services.runtime.repair.owned import Owned

RECORDS_MAX = 100_000
"""More than these are not repaired but rebuilt."""
RECORD, GROUP = "record", "group"
Node = tuple[str, str]
"""The kind of an id, and the id."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One customer, or a time from `from_ms` to before `to_ms`, by which the broker appended events."""

    customer: str | None = None
    from_ms: int = 0
    to_ms: int = 0

    @property
    def text(self) -> str:
        """For people."""
        if self.customer is not None:
            return f"customer {self.customer}"
        return f"{_at(self.from_ms)} to {_at(self.to_ms)}"


@dataclass(slots=True)
class Ids:
    """Ids by kind, and which are tied to which."""

    of: dict[str, set[str]] = field(default_factory=dict)
    ties: set[tuple[Node, Node]] = field(default_factory=set)

    def add(self, kind: str, ids: Iterable[str]) -> bool:
        """Whether any of them is new. Raises Refused when there are too many records."""
        known = self.of.setdefault(kind, set())
        before = len(known)
        known.update(ids)
        if kind == RECORD and len(known) > RECORDS_MAX:
            raise Refused(f"more than {RECORDS_MAX:,} records; build it anew with `replay start`")
        return len(known) > before

    def get(self, kind: str) -> list[str]:
        """Sorted."""
        return sorted(self.of.get(kind, ()))

    @property
    def keys(self) -> set[str]:
        """Keys of their messages: a group's id is its founder's record id."""
        return self.of.get(RECORD, set()) | self.of.get(GROUP, set())

    def units(self) -> list[dict[str, set[str]]]:
        """What is tied together, as ids by kind; each id is in one of them."""
        root: dict[Node, Node] = {(kind, i): (kind, i) for kind, ids in self.of.items() for i in ids}

        def find(node: Node) -> Node:
            while root[node] != node:
                root[node] = node = root[root[node]]
            return node

        for one, other in self.ties:
            root[find(one)] = find(other)
        found: dict[Node, dict[str, set[str]]] = {}
        for node in root:
            found.setdefault(find(node), {}).setdefault(node[0], set()).add(node[1])
        return [found[node] for node in sorted(found)]


def _at(time_ms: int) -> str:
    return rfc3339(moment_at(time_ms * 1_000))


async def selected(asked: Asked, log: Log) -> Ids:
    """The first ids. Raises Refused for a time before the log's start, or in which nothing was appended."""
    ids = Ids()
    if asked.customer is not None:
        ids.add(RECORD, [asked.customer])
        return ids
    topic = CHANNEL_EVENTS.name
    _, began_ms = await log.since(topic, 0)
    if began_ms is None:
        raise Refused("the log is empty")
    if asked.from_ms < began_ms:
        raise Refused(f"the log begins at {_at(began_ms)}; nothing is known of the time before")
    start, _ = await log.since(topic, asked.from_ms)
    to, _ = await log.since(topic, asked.to_ms)
    async for records in log.read(start, to):
        ids.add(RECORD, (r.key.decode() for r in records if r.key))
    if not ids.keys:
        raise Refused(f"nothing was appended from {asked.text}")
    return ids


async def belonging(ids: Ids, log: Log) -> bool:
    """Add who was ever bound to any of them, and to whom they were; whether any binding of theirs is known."""
    topic = IDENTITY_BINDINGS.name
    firsts, ends = await log.firsts(topic), await log.ends([topic])
    known, grew = False, True
    while grew:
        grew = False
        async for records in log.read(firsts, ends):
            for raw in records:
                try:
                    state = decode_state(raw.value)
                except Unreadable:
                    continue  # parked by the lane, with its reason
                customer = (state.body or {}).get("customer_id", state.key)
                if state.key in ids.keys or customer in ids.keys:
                    known = True
                    grew |= ids.add(RECORD, [state.key]) | ids.add(GROUP, [customer])
    return known


async def tied(connection: Connection, schemas: Sequence[str], tables: Sequence[Owned], ids: Ids) -> bool:
    """Add who is tied to any of them by a row of any of these generations; whether anybody has to be folded too."""
    new, before = {kind: set(those) for kind, those in ids.of.items()}, len(ids.keys)
    while any(new.values()):
        found: dict[str, set[str]] = {}
        for schema in schemas:
            for table in tables:
                for column, kind in table.ties:
                    for node, other in await _pairs(connection, schema, table, column, kind, new):
                        ids.ties.add((node, other))
                        for each, i in (node, other):
                            found.setdefault(each, set()).add(i)
        new = {kind: those - ids.of.get(kind, set()) for kind, those in found.items()}
        for kind, those in new.items():
            ids.add(kind, those)
    return len(ids.keys) > before


async def _pairs(
    connection: Connection, schema: str, table: Owned, column: str, kind: str, among: dict[str, set[str]]
) -> list[tuple[Node, Node]]:
    rows = await connection.fetch(
        f"""
        SELECT DISTINCT {table.column}::text AS one, {column}::text AS other FROM {schema}.{table.table}
        WHERE ({table.column} = any($1::uuid[]) OR {column} = any($2::uuid[])) AND {column} IS NOT NULL
        """,
        sorted(among.get(table.kind, ())),
        sorted(among.get(kind, ())),
    )
    return [((table.kind, r["one"]), (kind, r["other"])) for r in rows]
