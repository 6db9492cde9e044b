"""Rows that are locked before they are changed, and made when they are missing: in one statement, in one order.

Owns the loop; which table and in which order tables follow each other is the caller's.
"""

from __future__ import annotations

from collections.abc import Iterable

from services.runtime.postgres import Connection


async def hold(connection: Connection, table: str, key: str, ids: Iterable[str]) -> None:
    """Lock the rows of these ids, sorted, making those that are missing with nothing but their key."""
    missing = sorted(set(ids))
    while missing:
        rows = await connection.fetch(
            f"""
            WITH held AS MATERIALIZED (
                SELECT {key} FROM {table} WHERE {key} = any($1::uuid[]) ORDER BY {key} FOR NO KEY UPDATE
            ), made AS (
                INSERT INTO {table} ({key})
                SELECT i FROM unnest($1::uuid[]) AS i WHERE i NOT IN (SELECT {key} FROM held)
                ON CONFLICT DO NOTHING RETURNING {key}
            )
            SELECT {key} AS id FROM held UNION ALL SELECT {key} FROM made
            """,
            missing,
        )
        # Neither held nor made: somebody else made it after this statement began to look. The next one sees it.
        held = {str(r["id"]) for r in rows}
        missing = [i for i in missing if i not in held]
