"""Who read personal data of whom, and when.

Owns the SQL of the table `personal_read`. Nothing personal is kept: ids, names of keys, scopes, moments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from services.runtime.postgres import Connection

KEPT_DAYS = 400
REMOVED_AT_ONCE = 5_000

Place = tuple[datetime, str, str, str]
"""(minute, customer id, key id, call): where a page goes on."""


@dataclass(frozen=True, slots=True)
class Read:
    """What one key read of one customer by one call in one minute; moments are microseconds since 1970."""

    customer_id: str
    key_id: str
    call: str
    key_name: str
    scopes: tuple[str, ...]
    reads: int
    first_us: int
    last_us: int


async def save(connection: Connection, reads: Sequence[Read]) -> None:
    """Count these with what is known of their minutes."""
    await connection.execute(
        """
        INSERT INTO personal_read AS p
            (customer_id, minute, key_id, call, key_name, scopes, reads, first_at, last_at)
        SELECT c, date_trunc('minute', f), k, l, n, ARRAY(SELECT json_array_elements_text(s::json)), r, f, t FROM (
            SELECT c, k, l, n, s, r, to_timestamp(f / 1e6) AS f, to_timestamp(t / 1e6) AS t
            FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::bigint[],
                $8::bigint[]) AS u (c, k, l, n, s, r, f, t)) AS given
        ON CONFLICT (customer_id, minute, key_id, call) DO UPDATE SET reads = p.reads + excluded.reads,
            first_at = least(p.first_at, excluded.first_at), last_at = greatest(p.last_at, excluded.last_at)
        """,
        [one.customer_id for one in reads],
        [one.key_id for one in reads],
        [one.call for one in reads],
        [one.key_name for one in reads],
        [orjson.dumps(one.scopes).decode() for one in reads],
        [one.reads for one in reads],
        [one.first_us for one in reads],
        [one.last_us for one in reads],
    )


async def listed(
    connection: Connection,
    customers: Sequence[str] | None,
    key_id: str | None,
    since: datetime | None,
    until: datetime | None,
    before: Place | None,
    limit: int,
) -> list[dict[str, Any]]:
    """The newest first: of these customer ids, of a key, from minute to minute, from before a place."""
    wanted, values = [], list[Any]()
    for condition, value in (
        ("customer_id = any({}::uuid[])", customers),
        ("key_id = {}", key_id),
        ("minute >= date_trunc('minute', {}::timestamptz)", since),
        ("minute < {}::timestamptz", until),
    ):
        if value is not None:
            values.append(value)
            wanted.append(condition.format(f"${len(values)}"))
    if before is not None:
        first = len(values) + 1
        values += before
        numbers = f"${first}::timestamptz, ${first + 1}::uuid, ${first + 2}, ${first + 3}"
        wanted.append(f"(minute, customer_id, key_id, call) < ({numbers})")
    rows = await connection.fetch(
        f"SELECT * FROM personal_read WHERE {' AND '.join(wanted) or 'true'}"
        f" ORDER BY minute DESC, customer_id DESC, key_id DESC, call DESC LIMIT ${len(values) + 1}",
        *values,
        limit,
    )
    return [dict(r) for r in rows]


async def remove_old(connection: Connection) -> int:
    """Remove some of what is older than KEPT_DAYS; how many."""
    gone = await connection.fetch(
        """
        DELETE FROM personal_read WHERE ctid = any(ARRAY(
            SELECT ctid FROM personal_read WHERE minute < now() - make_interval(days => $1) ORDER BY minute LIMIT $2))
        RETURNING true
        """,
        KEPT_DAYS,
        REMOVED_AT_ONCE,
    )
    return len(gone)
