"""Checksums of a generation's tables: rows hashed by PostgreSQL, summed in buckets, so the order of rows is nothing.

Owns the SQL. A row's hash covers every column but those that the registry leaves out.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.runtime.postgres import Connection
from services.runtime.uncompared import Uncompared

BUCKETS = 256
NAMED_TYPES = frozenset({"uuid", "integer", "bigint", "smallint"})
"""Parts of a key that may be shown: others may hold what somebody wrote."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table as it is compared: `columns` are expressions, `named` the part of the key that is shown."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    named: tuple[str, ...]
    rows: str


async def tables_of(connection: Connection, schema: str, uncompared: Uncompared) -> dict[str, Table]:
    """The tables of a generation that are compared."""
    rows = await connection.fetch(
        """
        SELECT c.relname AS name, a.attname AS column, format_type(a.atttypid, a.atttypmod) AS type,
            a.attnum = any(coalesce(i.indkey::int[], '{}')) AS keyed, t.typcategory = 'A' AS many
        FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
        JOIN pg_type t ON t.oid = a.atttypid
        LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
        WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'r' ORDER BY c.relname, a.attname
        """,
        schema,
    )
    found: dict[str, Table] = {}
    for name in dict.fromkeys(r["name"] for r in rows):
        left = uncompared.of(name)
        mine = [r for r in rows if r["name"] == name]
        if left.table:
            continue
        found[name] = Table(
            name,
            tuple(_expression(r["column"], r["many"]) for r in mine if r["column"] not in left.columns),
            tuple(f'"{r["column"]}"' for r in mine if r["keyed"]),
            tuple(f'"{r["column"]}"' for r in mine if r["keyed"] and r["type"] in NAMED_TYPES),
            left.rows or "true",
        )
    return found


async def table_names(connection: Connection, schema: str) -> set[str]:
    """All tables of a generation."""
    rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = $1", schema)
    return {r["tablename"] for r in rows}


def _expression(column: str, many: bool) -> str:
    # Arrays are sets here: in which order they were filled is nobody's business.
    return f'(SELECT array_agg(x ORDER BY x) FROM unnest("{column}") x)' if many else f'"{column}"'


def _hashed(schema: str, table: Table) -> str:
    key = ", ".join(table.key or table.columns)
    return f"""
        SELECT hashtext(row ({key})::text) & {BUCKETS - 1} AS bucket,
            hashtextextended(row ({", ".join(table.columns)})::text, 0) AS hash,
            concat_ws(' ', {", ".join(table.named) or "''"}) AS named
        FROM {schema}."{table.name}" WHERE {table.rows}
    """


async def sums(connection: Connection, schema: str, table: Table) -> dict[int, tuple[int, int]]:
    """bucket → (rows, sum of their hashes)."""
    rows = await connection.fetch(
        f"SELECT bucket, count(*) AS n, sum(hash)::text AS total FROM ({_hashed(schema, table)}) h GROUP BY bucket"
    )
    return {r["bucket"]: (r["n"], int(r["total"])) for r in rows}


async def differing_rows(connection: Connection, schema: str, table: Table, buckets: list[int]) -> dict[str, int]:
    """key, as far as it may be shown → sum of the hashes of its rows, in these buckets."""
    rows = await connection.fetch(
        f"SELECT named, sum(hash)::text AS total FROM ({_hashed(schema, table)}) h"
        " WHERE bucket = any($1::int[]) GROUP BY named",
        buckets,
    )
    return {r["named"]: int(r["total"]) for r in rows}
