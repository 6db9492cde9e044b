"""Rows of live compared with the scratch's, and replaced by them, a unit at a time: what is tied together as a whole.

Owns the SQL. Told is only what says something else than before, with a version higher than any that was told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from schemas.codec import State
from services.runtime import markers
from services.runtime.batch import Tells, Told
from services.runtime.beside import Ends, Pointer
from services.runtime.checksums import Table
from services.runtime.contents import contents, states
from services.runtime.outbox import partition_of
from services.runtime.postgres import Connection
from services.runtime.repair.owned import Owned
from services.runtime.retelling import REPLAYED

Unit = Mapping[str, Iterable[str]]
"""Ids by kind."""
EVENT = "event_id"
"""The column of tables of events."""
COUNTED = ("n", "log_time_ms")
"""Columns of a table of versions that are live's own."""


@dataclass(slots=True)
class Layout:
    """What a repair knows of tables.

    `at`: what was live as it began; `topic`: where the service tells states; `floors`: key → n told so far.
    """

    at: Pointer
    live: str
    scratch: str
    service: str
    owned: Sequence[Owned]
    columns: Mapping[str, Sequence[str]]
    compared: Mapping[str, Table]
    topic: str
    tells: Tells
    floors: dict[str, int] = field(default_factory=dict)


def joined(units: Iterable[Unit]) -> dict[str, list[str]]:
    """All ids of them by kind, sorted."""
    found: dict[str, set[str]] = {}
    for unit in units:
        for kind, ids in unit.items():
            found.setdefault(kind, set()).update(ids)
    return {kind: sorted(ids) for kind, ids in found.items()}


async def differing(
    live: Connection, scratch: Connection, layout: Layout, units: Sequence[Unit]
) -> tuple[list[Unit], Counter[str]]:
    """The units of which any row differs, and how many owners' rows do, by table."""
    unit_of = {(kind, i): n for n, unit in enumerate(units) for kind, ids in unit.items() for i in ids}
    ids, found, by_table = joined(units), set(), Counter[str]()
    for owned in layout.owned:
        if owned.table not in layout.compared:
            continue
        asked = ids.get(owned.kind, [])
        one = await _sums(live, layout.live, layout.compared[owned.table], owned, asked)
        other = await _sums(scratch, layout.scratch, layout.compared[owned.table], owned, asked)
        wrong = [i for i in one.keys() | other.keys() if one.get(i) != other.get(i)]
        by_table[owned.table] += len(wrong)
        found |= {unit_of[owned.kind, i] for i in wrong}
    versions = _versions(layout)
    lost = await _lost(live, scratch, layout, ids.get(versions.kind, []))
    by_table[versions.table] += len(lost)
    found |= {unit_of[versions.kind, key] for key in lost}
    return [units[n] for n in sorted(found)], +by_table


async def _lost(live: Connection, scratch: Connection, layout: Layout, keys: Sequence[str]) -> list[str]:
    """Of whom there is something to say, and no row that says a version of it: `verify` leaves that row out."""
    counted = []
    for connection, schema in ((scratch, layout.scratch), (live, layout.live)):
        rows = await connection.fetch(
            f"SELECT {layout.tells.key} AS key FROM {schema}.{layout.tells.table}"
            f" WHERE {layout.tells.key} = any($1::uuid[]) AND n > 0",
            keys,
        )
        counted.append({str(r["key"]) for r in rows})
    missing = sorted(counted[0] - counted[1])
    said = await contents(scratch, layout.tells, missing)
    return [key for key in missing if said[key].body != layout.tells.emptied(key)]


async def _sums(
    connection: Connection, schema: str, table: Table, owned: Owned, ids: Sequence[str]
) -> dict[str, tuple[int, str]]:
    rows = await connection.fetch(
        f"""
        SELECT {owned.column}::text AS id, count(*) AS n,
            sum(hashtextextended(row ({", ".join(table.columns)})::text, 0))::text AS total
        FROM {schema}.{table.name} WHERE {owned.column} = any($1::uuid[]) AND ({table.rows}) GROUP BY 1
        """,
        ids,
    )
    return {r["id"]: (r["n"], r["total"]) for r in rows}


async def replace(connection: Connection, layout: Layout, units: Sequence[Unit], reached: Ends) -> int:
    """In the caller's transaction, which no lane works beside: their rows as the scratch has them; how many are told.

    Rows of the lane's caches are written with all others of their owner, so no cache outlives this.
    """
    ids = joined(units)
    keys = ids.get(_versions(layout).kind, [])
    before = await contents(connection, layout.tells, keys)
    for owned in layout.owned:
        if owned.table != layout.tells.table:
            await _copy(connection, layout, owned, ids.get(owned.kind, []))
    await _carry_over(connection, layout, keys)
    await _complete_withdrawals(connection, layout, ids)
    await _park(connection, layout, sorted({i for those in ids.values() for i in those}), reached)
    after = await contents(connection, layout.tells, keys)
    others = [key for key in keys if before[key] != after[key]]
    await connection.execute(
        f"UPDATE {layout.live}.{layout.tells.table} SET n = n + 1 WHERE {layout.tells.key} = any($1::uuid[])", others
    )
    told = await states(connection, layout.tells, others, layout.at.epoch)
    return await _mark(connection, layout, [told[key] for key in others], reached)


def _versions(layout: Layout) -> Owned:
    return next(one for one in layout.owned if one.table == layout.tells.table)


async def _copy(connection: Connection, layout: Layout, owned: Owned, ids: Sequence[str]) -> None:
    named = ", ".join(f'"{column}"' for column in layout.columns[owned.table])
    await connection.execute(f"DELETE FROM {layout.live}.{owned.table} WHERE {owned.column} = any($1::uuid[])", ids)
    await connection.execute(
        f"INSERT INTO {layout.live}.{owned.table} ({named})"
        f" SELECT {named} FROM {layout.scratch}.{owned.table} WHERE {owned.column} = any($1::uuid[])",
        ids,
    )


async def _carry_over(connection: Connection, layout: Layout, keys: Sequence[str]) -> None:
    """The rows of versions: these are live's own, and no lower than what was told; the rest is the scratch's."""
    table, key = layout.tells.table, layout.tells.key
    copied = [c for c in layout.columns[table] if c not in (key, *COUNTED)]
    await connection.execute(
        f"INSERT INTO {layout.live}.{table} ({key}) SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING", keys
    )
    await connection.execute(
        f"""
        UPDATE {layout.live}.{table} l SET n = greatest(l.n, w.floor),
            log_time_ms = greatest(l.log_time_ms, s.log_time_ms){"".join(f", {c} = s.{c}" for c in copied)}
        FROM unnest($1::uuid[], $2::bigint[]) AS w (key, floor)
            LEFT JOIN {layout.scratch}.{table} s ON s.{key} = w.key
        WHERE l.{key} = w.key
        """,
        keys,
        [layout.floors.get(k, 0) for k in keys],
    )


async def _complete_withdrawals(connection: Connection, layout: Layout, ids: Mapping[str, Sequence[str]]) -> None:
    """That their events are taken back, by the log; batches that come after see that there is more.

    Theirs only: a word that live has parked still has others' events to take back, when it is tried again.
    """
    for owned in layout.owned:
        if EVENT not in layout.columns[owned.table]:
            continue
        missing = await connection.fetchval(
            f"""
            WITH more AS (
                INSERT INTO {layout.live}.withdrawal SELECT {EVENT} FROM {layout.scratch}.withdrawal w WHERE EXISTS (
                    SELECT FROM {layout.scratch}.{owned.table} t
                    WHERE t.{EVENT} = w.{EVENT} AND t.{owned.column} = any($1::uuid[]))
                ON CONFLICT DO NOTHING RETURNING {EVENT}
            ) SELECT count(*) FROM more
            """,
            ids.get(owned.kind, []),
        )
        if missing:
            await connection.execute(f"UPDATE {layout.live}.withdrawal_count SET n = n + 1")


async def _park(connection: Connection, layout: Layout, keys: Sequence[str], reached: Ends) -> None:
    """Parked is what the scratch could not apply; what it applied is parked no more."""
    places = sorted(reached)
    await connection.execute(
        f"""
        DELETE FROM {layout.live}.parked p USING unnest($2::text[], $3::int[], $4::bigint[]) AS r (t, n, o)
        WHERE p.key = any($1::bytea[]) AND (p.topic, p.partition) = (r.t, r.n) AND p.first_offset < r.o
        """,
        [k.encode() for k in keys],
        [p[0] for p in places],
        [p[1] for p in places],
        [reached[p] for p in places],
    )
    await connection.execute(
        f"INSERT INTO {layout.live}.parked SELECT * FROM {layout.scratch}.parked WHERE key = any($1::bytea[])"
        " ON CONFLICT DO NOTHING",
        [k.encode() for k in keys],
    )


async def _mark(connection: Connection, layout: Layout, told: Sequence[State], reached: Ends) -> int:
    """Marked as told through the next record of one of the log's partitions: its lane finds it there and tells it."""
    if told:
        topic = min(topic for topic, _ in reached)
        place = topic, partition_of(told[0].key.encode())
        await markers.replace(
            connection,
            [],
            [Told(layout.topic, state, {"cause": REPLAYED}) for state in told],
            {place: reached.get(place, 0)},
        )
    return len(told)
