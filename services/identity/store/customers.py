"""Bindings and customers: what f gave, with versions, and the sections as they stand.

Owns the SQL of a record's binding columns and of the customer table; runs under the writer lock.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from services.identity.domain.clustering import Binding
from services.identity.domain.evidence import Trait
from services.identity.store.rows import trait_row
from services.runtime.postgres import Connection


async def records_after(connection: Connection, after: str, count: int) -> list[str]:
    """The next records by id."""
    rows = await connection.fetch(
        "SELECT record_id FROM record WHERE record_id > $1 ORDER BY record_id LIMIT $2", after, count
    )
    return [str(r["record_id"]) for r in rows]


async def traits_of(connection: Connection, records: Sequence[str]) -> dict[str, list[Trait]]:
    """record → what was said of it."""
    found: dict[str, list[Trait]] = {}
    if not records:
        return found
    for r in await connection.fetch("SELECT * FROM trait WHERE record_id = any($1::uuid[])", records):
        trait = trait_row(r)
        found.setdefault(trait.record_id, []).append(trait)
    return found


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
        [json.dumps(bindings[i].rivals) if bindings[i].rivals else "[]" for i in ids],
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
        SELECT i, 1, t, m, $4 FROM unnest($1::uuid[], $2::text[], $3::text[]) AS s (i, t, m)
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
