"""Profile's SQL for the lane: bindings, customers, sections, each replaced only by a newer version.

Owns writing; fates.py is who came and went, search.py by what customers are found. Reading for people is views/.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import orjson

from schemas.codec import State, StateText
from services.profile.domain.changing import Move
from services.runtime.locking import hold
from services.runtime.postgres import Connection


async def save_bindings(connection: Connection, states: Iterable[State]) -> list[Move]:
    """Keep newer bindings; where each record that has one belongs now, and belonged before."""
    ordered = sorted(states, key=lambda s: s.key)
    if not ordered:
        return []
    bodies = [s.body or {} for s in ordered]
    rows = await connection.fetch(
        """
        WITH was AS (
            SELECT record_id, customer_id FROM binding WHERE record_id = any($1::uuid[])
        ), kept AS (
            INSERT INTO binding AS b (record_id, customer_id, epoch, n, generic, weight, rivals, erased)
            SELECT * FROM
                unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bool[], $6::int[], $7::json[],
                    $8::bool[])
            ON CONFLICT (record_id) DO UPDATE SET customer_id = excluded.customer_id, epoch = excluded.epoch,
                n = excluded.n, generic = excluded.generic, weight = excluded.weight, rivals = excluded.rivals,
                erased = excluded.erased, former = CASE WHEN excluded.customer_id = b.record_id
                    THEN coalesce(nullif(b.customer_id, b.record_id), b.former) END
            WHERE (b.epoch, b.n) < (excluded.epoch, excluded.n)
            RETURNING record_id, customer_id
        ) SELECT record_id, kept.customer_id, was.customer_id AS former FROM kept LEFT JOIN was USING (record_id)
        """,
        [s.key for s in ordered],
        [b["customer_id"] for b in bodies],
        [s.version.epoch for s in ordered],
        [s.version.n for s in ordered],
        [b["generic"] for b in bodies],
        [b["weight"] for b in bodies],
        [orjson.dumps(b["rivals"]).decode() for b in bodies],
        [b.get("erased", False) for b in bodies],
    )
    return [Move(str(r["record_id"]), str(r["former"]) if r["former"] else None, str(r["customer_id"])) for r in rows]


async def lock_customers(connection: Connection, customers: Iterable[str]) -> None:
    """Lock the customers' rows, sorted, making those that are missing."""
    await hold(connection, "customer", "customer_id", customers)


async def bodies_told(connection: Connection, customers: Sequence[str], service: str) -> dict[str, bool]:
    """customer → whether this service's section there has a body; absent when it never told one."""
    rows = await connection.fetch(
        "SELECT customer_id, body IS NOT NULL AS filled FROM section"
        " WHERE customer_id = any($1::uuid[]) AND service = $2",
        customers,
        service,
    )
    return {str(r["customer_id"]): r["filled"] for r in rows}


async def save_sections(
    connection: Connection, states: Mapping[tuple[str, str], StateText]
) -> tuple[set[tuple[str, str]], dict[str, int]]:
    """Keep newer sections of (customer id, service).

    Returns those whose row changed, and customer → n, which is one more for each customer with such a section.
    """
    keys = sorted(states)
    if not keys:
        return set(), {}
    rows = await connection.fetch(
        """
        WITH kept AS (
            INSERT INTO section AS s (customer_id, service, epoch, n, members, body, log_time_ms)
            SELECT * FROM
                unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::bigint[])
            ON CONFLICT (customer_id, service) DO UPDATE SET epoch = excluded.epoch, n = excluded.n,
                members = excluded.members, body = excluded.body, log_time_ms = excluded.log_time_ms
            WHERE (s.epoch, s.n) < (excluded.epoch, excluded.n)
            RETURNING customer_id, service, log_time_ms
        ), counted AS (
            UPDATE customer c SET n = c.n + 1, log_time_ms = greatest(c.log_time_ms, k.t)
            FROM (SELECT customer_id, max(log_time_ms) AS t FROM kept GROUP BY 1) AS k
            WHERE c.customer_id = k.customer_id RETURNING c.customer_id, c.n
        )
        SELECT customer_id, service, counted.n FROM kept JOIN counted USING (customer_id)
        """,
        [k[0] for k in keys],
        [k[1] for k in keys],
        [states[k].version.epoch for k in keys],
        [states[k].version.n for k in keys],
        [states[k].members for k in keys],
        [states[k].text for k in keys],
        [states[k].log_time_ms for k in keys],
    )
    return {(str(r["customer_id"]), r["service"]) for r in rows}, {str(r["customer_id"]): r["n"] for r in rows}


async def superseded(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Of these ids, those whose identity section is of an older epoch than the binding that puts them elsewhere.

    Only a database that was lost knew them as customers; the one that replaced it never had to empty them.
    """
    if not ids:
        return set()
    rows = await connection.fetch(
        """
        SELECT s.customer_id FROM section s JOIN binding b ON b.record_id = s.customer_id
        WHERE s.customer_id = any($1::uuid[]) AND s.service = 'identity' AND s.body IS NOT NULL
          AND b.customer_id <> b.record_id AND s.epoch < b.epoch
        """,
        ids,
    )
    return {str(r["customer_id"]) for r in rows}


async def empty(connection: Connection, customers: Iterable[str]) -> dict[str, int]:
    """Take the identity sections of these (locked) customers away; their version stays. Customer → its new n."""
    ids = sorted(customers)
    if not ids:
        return {}
    rows = await connection.fetch(
        """
        WITH emptied AS (
            UPDATE section SET body = NULL, members = '' WHERE customer_id = any($1::uuid[]) AND service = 'identity'
        )
        UPDATE customer SET n = n + 1 WHERE customer_id = any($1::uuid[]) RETURNING customer_id, n
        """,
        ids,
    )
    return {str(r["customer_id"]): r["n"] for r in rows}


async def count_on(connection: Connection, customers: Iterable[str]) -> dict[str, int]:
    """One more version of these (locked) customers, though no section of theirs changed. Customer → its new n."""
    ids = sorted(customers)
    if not ids:
        return {}
    rows = await connection.fetch(
        "UPDATE customer SET n = n + 1 WHERE customer_id = any($1::uuid[]) RETURNING customer_id, n", ids
    )
    return {str(r["customer_id"]): r["n"] for r in rows}


async def erased_among(connection: Connection, records: Sequence[str]) -> set[str]:
    """Those of these records whose people were erased."""
    sql = "SELECT record_id FROM binding WHERE erased AND record_id = any($1::uuid[])"
    rows = await connection.fetch(sql, records)
    return {str(r["record_id"]) for r in rows}


async def binding_of(connection: Connection, records: Sequence[str]) -> dict[str, str]:
    """record → customer."""
    rows = await connection.fetch(
        "SELECT record_id, customer_id FROM binding WHERE record_id = any($1::uuid[])", records
    )
    return {str(r["record_id"]): str(r["customer_id"]) for r in rows}
