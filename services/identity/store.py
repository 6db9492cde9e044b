"""Identity's SQL for the lane: evidence in and out, bindings and customers.

Owns writing and what the lane loads. All of it but `known` runs under the writer lock.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from services.identity.domain.clustering import Binding
from services.identity.domain.evidence import Assertion, Evidence, Link, Record, Trait
from services.runtime.postgres import Connection

WRITER_LOCK = 360_001


@dataclass(slots=True)
class Stored:
    """A record's row beside its evidence: its binding as it stands and the binding's version."""

    binding: Binding
    n: int


async def lock_writer(connection: Connection) -> None:
    """One writer of evidence at a time, after the position rows; until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock($1, 0)", WRITER_LOCK)


async def known(connection: Connection, wanted: Evidence) -> Evidence:
    """What is stored under the keys of `wanted`."""
    found = Evidence()
    rows = await connection.fetch(
        "SELECT record_id, type, value, first_us, sources FROM record WHERE record_id = any($1::uuid[])",
        list(wanted.records),
    )
    for r in rows:
        found.record(_record(r))
    await _known_links(connection, wanted, found)
    await _known_traits(connection, wanted, found)
    return found


async def _known_links(connection: Connection, wanted: Evidence, found: Evidence) -> None:
    if wanted.links:
        keys = list(wanted.links)
        rows = await connection.fetch(
            """
            SELECT l.* FROM link l JOIN unnest($1::uuid[], $2::uuid[], $3::smallint[]) AS w (x, y, k)
            ON l.a = x AND l.b = y AND l.kind = k
            """,
            [k[0] for k in keys],
            [k[1] for k in keys],
            [k[2] for k in keys],
        )
        for r in rows:
            found.link(_link(r))
    if wanted.assertions:
        rows = await connection.fetch(
            "SELECT s.* FROM assertion s JOIN unnest($1::uuid[], $2::uuid[]) AS w (x, y) ON s.a = x AND s.b = y",
            [k[0] for k in wanted.assertions],
            [k[1] for k in wanted.assertions],
        )
        for r in rows:
            found.assertion(_assertion(r))


async def _known_traits(connection: Connection, wanted: Evidence, found: Evidence) -> None:
    if wanted.traits:
        rows = await connection.fetch(
            """
            SELECT t.* FROM trait t JOIN unnest($1::uuid[], $2::text[], $3::bytea[]) AS w (r, n, d)
            ON t.record_id = r AND t.name = n AND t.digest = d
            """,
            [k[0] for k in wanted.traits],
            [k[1] for k in wanted.traits],
            [_digest(k[2]) for k in wanted.traits],
        )
        for r in rows:
            found.trait(_trait(r))


async def save_evidence(connection: Connection, new: Evidence) -> None:
    """Write changed evidence; a new record starts bound to itself with version 0, not told yet."""
    records = sorted(new.records.values(), key=lambda r: r.record_id)
    await connection.executemany(
        """
        INSERT INTO record (record_id, type, value, first_us, sources, customer_id, n)
        VALUES ($1, $2, $3, $4, $5, $1, 0)
        ON CONFLICT (record_id) DO UPDATE SET first_us = excluded.first_us, sources = excluded.sources
        """,
        [(r.record_id, r.type, r.value, r.first_us, sorted(r.sources)) for r in records],
    )
    await connection.executemany(
        """
        INSERT INTO link (a, b, kind, first_us, event_id, source) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (a, b, kind) DO UPDATE SET first_us = excluded.first_us, event_id = excluded.event_id,
            source = excluded.source
        """,
        [(k.a, k.b, k.kind, k.first_us, k.event_id, k.source) for k in new.links.values()],
    )
    await connection.executemany(
        """
        INSERT INTO assertion (a, b, same, time_us, event_id, reason, actor) VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (a, b) DO UPDATE SET same = excluded.same, time_us = excluded.time_us,
            event_id = excluded.event_id, reason = excluded.reason, actor = excluded.actor
        """,
        [(s.a, s.b, s.same, s.time_us, s.event_id, s.reason, s.actor) for s in new.assertions.values()],
    )
    await connection.executemany(
        """
        INSERT INTO trait (record_id, name, digest, value, first_us, last_us, last_event, source)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (record_id, name, digest) DO UPDATE SET first_us = excluded.first_us,
            last_us = excluded.last_us, last_event = excluded.last_event, source = excluded.source
        """,
        [
            (t.record_id, t.name, _digest(t.value), t.value, t.first_us, t.last_us, t.last_event, t.source)
            for t in new.traits.values()
        ],
    )


async def neighbourhood(
    connection: Connection, seeds: Iterable[str]
) -> tuple[dict[str, Record], dict[str, Stored], list[Link], list[Assertion]]:
    """Whole components around the seeds: records, their bindings, links and assertions.

    Does not follow the links of records that are stored as generic, which do not count; an operator's word
    about them does, and is followed.
    """
    records: dict[str, Record] = {}
    stored: dict[str, Stored] = {}
    links: dict[tuple[str, str, int], Link] = {}
    assertions: dict[tuple[str, str], Assertion] = {}
    frontier = set(seeds)
    while frontier:
        rows = await connection.fetch("SELECT * FROM record WHERE record_id = any($1::uuid[])", list(frontier))
        for r in rows:
            record = _record(r)
            records[record.record_id] = record
            stored[record.record_id] = _stored(r)
        through = [str(r["record_id"]) for r in rows if not r["generic"]]
        reached: set[str] = set()
        for r in await connection.fetch(_TOUCHING.format("link"), through):
            link = _link(r)
            links[link.key] = link
            reached |= {link.a, link.b}
        for r in await connection.fetch(_TOUCHING.format("assertion"), list(frontier)):
            said = _assertion(r)
            assertions[said.a, said.b] = said
            reached |= {said.a, said.b}
        frontier = reached - records.keys()
    return records, stored, list(links.values()), list(assertions.values())


_TOUCHING = """
    SELECT * FROM {0} WHERE a = any($1::uuid[])
    UNION ALL SELECT * FROM {0} WHERE b = any($1::uuid[])
"""


async def customers_of(connection: Connection, records: Sequence[str]) -> set[str]:
    """The customers these records belong to."""
    rows = await connection.fetch(
        "SELECT DISTINCT customer_id FROM record WHERE record_id = any($1::uuid[])", records
    )
    return {str(r["customer_id"]) for r in rows}


async def of_customers(
    connection: Connection, customers: Sequence[str]
) -> tuple[dict[str, list[Record]], dict[str, Binding], dict[str, list[Trait]]]:
    """customer → records; record → binding; customer → traits: what their sections are made of."""
    records: dict[str, list[Record]] = {}
    bindings: dict[str, Binding] = {}
    rows = await connection.fetch("SELECT * FROM record WHERE customer_id = any($1::uuid[])", customers)
    owner: dict[str, str] = {}
    for r in rows:
        record = _record(r)
        owner[record.record_id] = str(r["customer_id"])
        records.setdefault(owner[record.record_id], []).append(record)
        bindings[record.record_id] = _stored(r).binding
    traits: dict[str, list[Trait]] = {}
    for r in await connection.fetch("SELECT * FROM trait WHERE record_id = any($1::uuid[])", list(owner)):
        trait = _trait(r)
        traits.setdefault(owner[trait.record_id], []).append(trait)
    return records, bindings, traits


async def save_bindings(connection: Connection, bindings: Mapping[str, Binding], log_time_ms: int) -> dict[str, int]:
    """Write changed bindings; record → new version n."""
    ids = sorted(bindings)
    rows = await connection.fetch(
        """
        UPDATE record r SET customer_id = b.c, generic = b.g, weight = b.w, rivals = b.v, n = r.n + 1,
            log_time_ms = greatest(r.log_time_ms, $6)
        FROM unnest($1::uuid[], $2::uuid[], $3::bool[], $4::int[], $5::json[]) AS b (id, c, g, w, v)
        WHERE r.record_id = b.id RETURNING r.record_id, r.n
        """,
        ids,
        [bindings[i].customer_id for i in ids],
        [bindings[i].generic for i in ids],
        [bindings[i].weight for i in ids],
        [json.dumps(bindings[i].rivals) for i in ids],
        log_time_ms,
    )
    return {str(r["record_id"]): r["n"] for r in rows}


async def told(connection: Connection, customers: Sequence[str]) -> dict[str, str | None]:
    """customer → the section as it stands, locked in sorted order; absent when there never was one."""
    rows = await connection.fetch(
        "SELECT customer_id, told FROM customer WHERE customer_id = any($1::uuid[]) ORDER BY 1 FOR NO KEY UPDATE",
        customers,
    )
    return {str(r["customer_id"]): r["told"] for r in rows}


async def save_customers(
    connection: Connection, sections: Mapping[str, tuple[str | None, str]], log_time_ms: int
) -> dict[str, int]:
    """Write changed sections: customer → (section text or None when emptied, members hash); gives n."""
    ids = sorted(sections)
    rows = await connection.fetch(
        """
        INSERT INTO customer AS c (customer_id, n, told, members, log_time_ms)
        SELECT i, 1, t, m, $4 FROM unnest($1::uuid[], $2::json[], $3::text[]) AS s (i, t, m)
        ON CONFLICT (customer_id) DO UPDATE SET n = c.n + 1, told = excluded.told, members = excluded.members,
            log_time_ms = greatest(c.log_time_ms, excluded.log_time_ms)
        RETURNING customer_id, n
        """,
        ids,
        [sections[i][0] for i in ids],
        [sections[i][1] for i in ids],
        log_time_ms,
    )
    return {str(r["customer_id"]): r["n"] for r in rows}


def _digest(value: str) -> bytes:
    return blake2b(value.encode(), digest_size=12).digest()


def _record(r: Any) -> Record:
    return Record(str(r["record_id"]), r["type"], r["value"], r["first_us"], frozenset(r["sources"]))


def _stored(r: Any) -> Stored:
    rivals = tuple((str(c), int(w)) for c, w in json.loads(r["rivals"]))
    return Stored(Binding(str(r["customer_id"]), r["generic"], r["weight"], rivals), r["n"])


def _link(r: Any) -> Link:
    return Link(str(r["a"]), str(r["b"]), r["kind"], r["first_us"], str(r["event_id"]), r["source"])


def _assertion(r: Any) -> Assertion:
    return Assertion(str(r["a"]), str(r["b"]), r["same"], r["time_us"], str(r["event_id"]), r["reason"], r["actor"])


def _trait(r: Any) -> Trait:
    return Trait(
        str(r["record_id"]),
        r["name"],
        r["value"],
        r["first_us"],
        r["last_us"],
        str(r["last_event"]),
        r["source"],
    )
