"""Joins that wait for an operator's word, and what had to be cut; and generic records that may be so no more.

Owns the SQL of held; runs under the writer lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from services.identity.domain.clustering import Refused
from services.identity.domain.joining import HELD, OVERSIZED
from services.runtime.postgres import Connection

LOOKED_AT = frozenset({HELD, OVERSIZED})


async def save_held(connection: Connection, records: Sequence[str], refused: Iterable[Refused]) -> None:
    """What waits among these whole components, in place of what waited before."""
    waiting = [r for r in refused if r.constraint in LOOKED_AT]
    await connection.execute(
        "DELETE FROM held WHERE a = any($1::uuid[]) OR b = any($1::uuid[])",
        records,
    )
    if waiting:
        await connection.execute(
            "INSERT INTO held (a, b, reason) SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[])",
            [r.a for r in waiting],
            [r.b for r in waiting],
            [r.constraint for r in waiting],
        )


async def generic_beside(connection: Connection, records: Iterable[str]) -> set[str]:
    """Generic records among these and those linked to them."""
    rows = await connection.fetch(
        """
        SELECT record_id FROM record WHERE generic AND record_id = any(ARRAY(
            SELECT unnest($1::uuid[]) UNION SELECT b FROM link WHERE a = any($1::uuid[])
            UNION SELECT a FROM link WHERE b = any($1::uuid[])
        ))
        """,
        sorted(records),
    )
    return {str(r["record_id"]) for r in rows}
