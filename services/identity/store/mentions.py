"""Mentions in and out, and what follows when some of them do not count any more.

Owns the SQL of mention and removal, and of revising evidence; what is revised is read and written under the
writer lock, in a batch that works alone (runtime/withdrawing.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from services.identity.domain.evidence import NEVER_US, Evidence, Record
from services.identity.domain.mentions import Mention, Removal, fold
from services.identity.store.rows import value_digest
from services.runtime.postgres import Connection


def mention_row(r: Any) -> Mention:
    """A row as the domain's noun."""
    return Mention(
        str(r["event_id"]), str(r["record_id"]), r["source"], r["time_us"], r["first_us"], r["seen"], r["said"]
    )


async def insert_mentions(
    connection: Connection, mentions: Sequence[Mention], dead: set[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Keep the mentions not kept yet; their (record id, event id)."""
    rows = await connection.fetch(
        """
        INSERT INTO mention (event_id, record_id, source, time_us, first_us, seen, said, dead)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::bool[], $7::text[],
                             $8::bool[])
        ON CONFLICT (event_id, record_id) DO NOTHING RETURNING record_id, event_id
        """,
        [m.event_id for m in mentions],
        [m.record_id for m in mentions],
        [m.source for m in mentions],
        [m.time_us for m in mentions],
        [m.first_us for m in mentions],
        [m.seen for m in mentions],
        [m.said for m in mentions],
        [bool(dead) and m.place in dead for m in mentions],
    )
    return {(str(r["record_id"]), str(r["event_id"])) for r in rows}


async def save_removals(connection: Connection, removals: Iterable[Removal]) -> None:
    """Keep the latest of each record and source."""
    latest: dict[tuple[str, str], int] = {}
    for r in removals:
        latest[r.record_id, r.source] = max(r.until_us, latest.get((r.record_id, r.source), r.until_us))
    await connection.execute(
        """
        INSERT INTO removal AS r (record_id, source, until_us)
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[])
        ON CONFLICT (record_id, source) DO UPDATE SET until_us = greatest(r.until_us, excluded.until_us)
        """,
        [record for record, _ in latest],
        [source for _, source in latest],
        list(latest.values()),
    )


async def removed_until(connection: Connection, records: Iterable[str]) -> dict[tuple[str, str], int]:
    """(record, source) → up to when its evidence is dead."""
    rows = await connection.fetch("SELECT * FROM removal WHERE record_id = any($1::uuid[])", sorted(set(records)))
    return {(str(r["record_id"]), r["source"]): r["until_us"] for r in rows}


async def bury(connection: Connection, withdrawn: Iterable[str], records: Iterable[str]) -> list[Mention]:
    """Mark as dead what these events said, and what removals of these records reach; what was alive until now."""
    rows = await connection.fetch(
        """
        UPDATE mention m SET dead = true WHERE NOT m.dead AND m.event_id = any($1::uuid[])
        RETURNING m.*
        """,
        sorted(withdrawn),
    )
    rows += await connection.fetch(
        """
        UPDATE mention m SET dead = true FROM removal r
        WHERE r.record_id = any($1::uuid[]) AND m.record_id = r.record_id AND m.source = r.source
          AND m.time_us <= r.until_us AND m.seen AND NOT m.dead
        RETURNING m.*
        """,
        sorted(set(records)),
    )
    return [mention_row(r) for r in rows]


async def save_dead(connection: Connection, records: Sequence[Record]) -> set[str]:
    """Make rows of records that nothing alive speaks of; those that had none."""
    if not records:
        return set()
    rows = await connection.fetch(
        """
        INSERT INTO record (record_id, type, value, first_us, sources, customer_id, n, dead)
        SELECT r, t, v, $4, '{}', r, 0, true FROM unnest($1::uuid[], $2::text[], $3::text[]) AS new (r, t, v)
        ON CONFLICT DO NOTHING RETURNING record_id
        """,
        [r.record_id for r in records],
        [r.type for r in records],
        [r.value for r in records],
        NEVER_US,
    )
    return {str(r["record_id"]) for r in rows}


async def revise(connection: Connection, buried: Sequence[Mention]) -> set[str]:
    """Evidence as if these mentions had never been; the records that may be others' now."""
    touched = sorted({m.record_id for m in buried} | {other for m in buried for other in m.others})
    await connection.execute(
        "DELETE FROM assertion WHERE event_id = any($1::uuid[])", [m.event_id for m in buried if not m.seen]
    )
    gone, left = fold(buried), fold(await _alive_around(connection, touched))
    await _revise_records(connection, touched, left)
    await _revise_links(connection, gone, left)
    await _revise_traits(connection, gone, left)
    return set(touched)


async def _alive_around(connection: Connection, records: Sequence[str]) -> list[Mention]:
    """Living mentions under these records and under all that are linked to them: whoever may speak of them."""
    rows = await connection.fetch(
        """
        SELECT * FROM mention WHERE NOT dead AND record_id = any(ARRAY(
            SELECT unnest($1::uuid[]) UNION SELECT b FROM link WHERE a = any($1::uuid[])
            UNION SELECT a FROM link WHERE b = any($1::uuid[])
        ))
        """,
        records,
    )
    return [mention_row(r) for r in rows]


async def _revise_records(connection: Connection, touched: Sequence[str], left: Evidence) -> None:
    alive = [left.records.get(r) for r in touched]
    await connection.execute(
        """
        UPDATE record r SET first_us = n.first_us, sources = coalesce(string_to_array(n.sources, chr(31)), '{}'),
            dead = n.unseen AND NOT EXISTS (SELECT FROM assertion s WHERE s.a = r.record_id OR s.b = r.record_id)
        FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::bool[]) AS n (id, first_us, sources, unseen)
        WHERE r.record_id = n.id
        """,
        touched,
        [r.first_us if r else NEVER_US for r in alive],
        ["\x1f".join(sorted(r.sources)) if r and r.sources else None for r in alive],
        [r is None for r in alive],
    )


async def _revise_links(connection: Connection, gone: Evidence, left: Evidence) -> None:
    lost = [key for key in gone.links if key not in left.links]
    await connection.execute(
        """
        DELETE FROM link l USING unnest($1::uuid[], $2::uuid[], $3::smallint[]) AS g (a, b, kind)
        WHERE l.a = g.a AND l.b = g.b AND l.kind = g.kind
        """,
        [k[0] for k in lost],
        [k[1] for k in lost],
        [k[2] for k in lost],
    )
    kept = [left.links[key] for key in gone.links if key in left.links]
    await connection.execute(
        """
        UPDATE link l SET first_us = n.first_us, event_id = n.event_id, source = n.source
        FROM unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::bigint[], $5::uuid[], $6::text[])
            AS n (a, b, kind, first_us, event_id, source)
        WHERE l.a = n.a AND l.b = n.b AND l.kind = n.kind
        """,
        [k.a for k in kept],
        [k.b for k in kept],
        [k.kind for k in kept],
        [k.first_us for k in kept],
        [k.event_id for k in kept],
        [k.source for k in kept],
    )


async def _revise_traits(connection: Connection, gone: Evidence, left: Evidence) -> None:
    lost = [key for key in gone.traits if key not in left.traits]
    await connection.execute(
        """
        DELETE FROM trait t USING unnest($1::uuid[], $2::text[], $3::bytea[]) AS g (record_id, name, digest)
        WHERE t.record_id = g.record_id AND t.name = g.name AND t.digest = g.digest
        """,
        [k[0] for k in lost],
        [k[1] for k in lost],
        [value_digest(k[2]) for k in lost],
    )
    kept = [left.traits[key] for key in gone.traits if key in left.traits]
    await connection.execute(
        """
        UPDATE trait t SET first_us = n.first_us, last_us = n.last_us, last_event = n.last_event, source = n.source
        FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::bigint[], $5::bigint[], $6::uuid[], $7::text[])
            AS n (record_id, name, digest, first_us, last_us, last_event, source)
        WHERE t.record_id = n.record_id AND t.name = n.name AND t.digest = n.digest
        """,
        [t.record_id for t in kept],
        [t.name for t in kept],
        [value_digest(t.value) for t in kept],
        [t.first_us for t in kept],
        [t.last_us for t in kept],
        [t.last_event for t in kept],
        [t.source for t in kept],
    )
