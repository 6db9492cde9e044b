"""Evidence in and out: what is known, what is new, and the component around it.

Owns the SQL of record, link, assertion and trait; runs under the writer lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from services.identity.domain.evidence import Assertion, Evidence, Link, Record, Trait
from services.identity.domain.similarity.features import Features, read_features
from services.identity.domain.similarity.likeness import Looks
from services.identity.store.customers import traits_of
from services.identity.store.rows import (
    Stored,
    assertion_row,
    link_row,
    record_row,
    stored_row,
    trait_row,
    value_digest,
)
from services.runtime.postgres import Connection

WRITER_LOCK = 360_001
SOURCES_SEPARATOR = "\x1f"


@dataclass(slots=True)
class Neighbourhood:
    """Components of the evidence: records, what is stored beside them, links, assertions, and how they look."""

    records: dict[str, Record] = field(default_factory=dict)
    stored: dict[str, Stored] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    assertions: list[Assertion] = field(default_factory=list)
    features: dict[str, Features] = field(default_factory=dict)
    similar: set[tuple[str, str]] = field(default_factory=set)
    is_held: bool = False
    """Whether some join waits for a word."""

    @property
    def looks(self) -> Looks:
        """What likeness is judged by."""
        return Looks(self.features, self.similar)


async def lock_writer(connection: Connection) -> None:
    """One writer of evidence at a time, after the position rows; until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock($1, 0)", WRITER_LOCK)


async def known(connection: Connection, wanted: Evidence) -> Evidence:
    """What is stored under the keys of `wanted`; of records it says something of, all that was said."""
    found = Evidence()
    rows = await connection.fetch(
        # Of a dead record nothing is known: whatever is said of it now brings it back.
        "SELECT record_id, type, value, first_us, sources FROM record WHERE record_id = any($1::uuid[]) AND NOT dead",
        list(wanted.records),
    )
    for r in rows:
        found.record(record_row(r))
    await _known_links(connection, wanted, found)
    for those in (await traits_of(connection, sorted({t.record_id for t in wanted.traits.values()}))).values():
        for trait in those:
            found.trait(trait)
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
            found.link(link_row(r))
    if wanted.assertions:
        rows = await connection.fetch(
            """
            SELECT s.* FROM assertion s JOIN unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS w (x, y, e)
            ON s.a = x AND s.b = y AND s.event_id = e
            """,
            [k[0] for k in wanted.assertions],
            [k[1] for k in wanted.assertions],
            [k[2] for k in wanted.assertions],
        )
        for r in rows:
            found.assertion(assertion_row(r))


async def save_evidence(connection: Connection, new: Evidence) -> None:
    """Write changed evidence; a new record starts bound to itself with version 0, not told yet."""
    await _save_records(connection, sorted(new.records.values(), key=lambda r: r.record_id))
    await _save_links(connection, list(new.links.values()))
    await _save_assertions(connection, list(new.assertions.values()))
    await _save_traits(connection, list(new.traits.values()))


async def _save_records(connection: Connection, records: Sequence[Record]) -> None:
    if not records:
        return
    await connection.execute(
        """
        INSERT INTO record (record_id, type, value, first_us, sources, customer_id, n)
        SELECT r, t, v, f, string_to_array(s, chr(31)), r, 0
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::text[]) AS new (r, t, v, f, s)
        ON CONFLICT (record_id) DO UPDATE SET first_us = excluded.first_us, sources = excluded.sources, dead = false,
            type = excluded.type, value = excluded.value
        """,
        [r.record_id for r in records],
        [r.type for r in records],
        [r.value for r in records],
        [r.first_us for r in records],
        [SOURCES_SEPARATOR.join(sorted(r.sources)) for r in records],
    )


async def _save_links(connection: Connection, links: Sequence[Link]) -> None:
    if not links:
        return
    await connection.execute(
        """
        INSERT INTO link (a, b, kind, first_us, event_id, source)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::bigint[], $5::uuid[], $6::text[])
        ON CONFLICT (a, b, kind) DO UPDATE SET first_us = excluded.first_us, event_id = excluded.event_id,
            source = excluded.source
        """,
        [k.a for k in links],
        [k.b for k in links],
        [k.kind for k in links],
        [k.first_us for k in links],
        [k.event_id for k in links],
        [k.source for k in links],
    )


async def _save_assertions(connection: Connection, assertions: Sequence[Assertion]) -> None:
    if not assertions:
        return
    await connection.executemany(
        """
        INSERT INTO assertion (a, b, same, time_us, event_id, reason, actor) VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (a, b, event_id) DO UPDATE SET same = excluded.same, time_us = excluded.time_us,
            reason = excluded.reason, actor = excluded.actor
        """,
        [(s.a, s.b, s.same, s.time_us, s.event_id, s.reason, s.actor) for s in assertions],
    )


async def _save_traits(connection: Connection, traits: Sequence[Trait]) -> None:
    if not traits:
        return
    await connection.execute(
        """
        INSERT INTO trait (record_id, name, digest, value, first_us, last_us, last_event, source)
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::json[], $5::bigint[], $6::bigint[],
                             $7::uuid[], $8::text[])
        ON CONFLICT (record_id, name, digest) DO UPDATE SET first_us = excluded.first_us,
            last_us = excluded.last_us, last_event = excluded.last_event, source = excluded.source
        """,
        [t.record_id for t in traits],
        [t.name for t in traits],
        [value_digest(t.value) for t in traits],
        [t.value for t in traits],
        [t.first_us for t in traits],
        [t.last_us for t in traits],
        [t.last_event for t in traits],
        [t.source for t in traits],
    )


async def neighbourhood(connection: Connection, seeds: Iterable[str], doubted: Iterable[str] = ()) -> Neighbourhood:
    """Whole components around the seeds.

    Does not follow the links of records that are stored as generic, which do not count, unless that is in doubt;
    an operator's word about them does, and is followed.
    """
    around = Neighbourhood()
    doubts = set(doubted)
    for r in await connection.fetch(REACHED, list(seeds), sorted(doubts)):
        record = record_row(r)
        around.records[record.record_id] = record
        around.stored[record.record_id] = stored_row(r)
        if r["features"] is not None:
            around.features[record.record_id] = read_features(r["features"])
        around.is_held = around.is_held or r["held"]
    through = [r for r, s in around.stored.items() if not s.binding.generic or r in doubts]
    beside = list(around.records.keys() - through)
    if len(around.records) == 1:
        return around
    around.links = [link_row(r) for r in await connection.fetch(_LINKS, through, beside)]
    around.assertions = [assertion_row(r) for r in await connection.fetch(_ASSERTIONS, list(around.records))]
    if len(around.features) > 1:
        alike = "SELECT a, b FROM similar_pair WHERE a = any($1::uuid[]) AND joins"
        rows = await connection.fetch(alike, list(around.features))
        around.similar = {(str(r["a"]), str(r["b"])) for r in rows}
    return around


async def whole(connection: Connection) -> tuple[Evidence, dict[str, Stored]]:
    """All living evidence, and what is stored beside its records."""
    found, stored = Evidence(), {}
    for r in await connection.fetch("SELECT * FROM record WHERE NOT dead"):
        found.record(record_row(r))
        stored[str(r["record_id"])] = stored_row(r)
    for r in await connection.fetch("SELECT * FROM link"):
        found.link(link_row(r))
    for r in await connection.fetch("SELECT * FROM assertion"):
        found.assertion(assertion_row(r))
    for r in await connection.fetch("SELECT * FROM trait"):
        found.trait(trait_row(r))
    return found, stored


# Nobody can guess how many records will be reached: OFFSET 0 and the array keep the planner to looking each up by
# its key, where it would else read whole tables for every step.
REACHED = """
    WITH RECURSIVE reached (record_id) AS (
        SELECT unnest($1::uuid[])
        UNION
        SELECT next.record_id FROM reached
        CROSS JOIN LATERAL (
            SELECT generic AND record_id <> all($2::uuid[]) AS generic FROM record
            WHERE record_id = reached.record_id OFFSET 0
        ) AS r
        CROSS JOIN LATERAL (
            SELECT b AS record_id FROM link WHERE a = reached.record_id AND NOT r.generic
            UNION ALL SELECT a FROM link WHERE b = reached.record_id AND NOT r.generic
            UNION ALL SELECT b FROM assertion WHERE a = reached.record_id
            UNION ALL SELECT a FROM assertion WHERE b = reached.record_id
            UNION ALL SELECT b FROM similar_pair WHERE a = reached.record_id AND joins
            UNION ALL SELECT a FROM similar_pair WHERE b = reached.record_id AND joins OFFSET 0
        ) AS next
    )
    SELECT r.*, l.features,
        EXISTS (SELECT FROM held WHERE a = r.record_id) OR EXISTS (SELECT FROM held WHERE b = r.record_id) AS held
    FROM record r LEFT JOIN likeness l USING (record_id)
    WHERE record_id = any(ARRAY(SELECT record_id FROM reached))
"""

# Between records that were reached: each once, by its smaller end, but where that is not followed.
_LINKS = """
    SELECT * FROM link WHERE a = any($1::uuid[])
    UNION ALL SELECT * FROM (SELECT * FROM link WHERE b = any($1::uuid[]) OFFSET 0) AS l WHERE a = any($2::uuid[])
"""
_ASSERTIONS = "SELECT * FROM assertion WHERE a = any($1::uuid[])"
