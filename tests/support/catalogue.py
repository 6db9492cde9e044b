"""A generation's tables as the database's catalogue knows them: rows made and columns changed by type alone.

Owns a walk over every column, for the question whether `verify` sees it when a value changes. Knows no table's
meaning, so what is added later is walked too. Every change is made in a transaction that is rolled back.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.runtime.comparing import verify
from services.runtime.contents import Place
from services.runtime.level import Level
from services.runtime.postgres import Connection, OwnConnection
from services.runtime.uncompared import Left, Uncompared

ROWS = 3
FLIPPED = 2
"""Which of the rows is changed: neither the first nor the last."""
UUID_STEP = 1 << 96
"""Ids of later columns are greater: some tables hold pairs in order."""

VALUES: dict[str, Callable[[int], str]] = {
    "uuid": lambda n: str(UUID(int=n * UUID_STEP + n)),
    "text": lambda n: f"text {n}",
    "bigint": str,
    "integer": str,
    "smallint": str,
    "numeric": lambda n: f"{n}.25",
    "boolean": lambda n: "true" if n < 0 else "false",
    "json": lambda n: f'{{"n": {n}}}',
    "bytea": lambda n: f"\\x{n:08x}",
    "timestamp with time zone": lambda n: f"2026-03-01T12:{n // 60:02}:{n % 60:02}Z",
}
"""Type → a value's text; n below 0 is the other one, where there are two only."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `keyed` if it is part of the primary key."""

    name: str
    type: str
    nullable: bool
    keyed: bool

    def value(self, n: int) -> str:
        """The n-th value's text. Raises KeyError for a type nobody said the values of: add it to VALUES."""
        return "{" + VALUES[self.type[:-2]](n) + "}" if self.type.endswith("[]") else VALUES[self.type](n)

    def others(self, n: int) -> list[str | None]:
        """What the n-th value is changed to, one after the other."""
        another = self.value(-1) if self.type == "boolean" else self.value(n + 5)
        emptied: list[str | None] = ["{}"] if self.type.endswith("[]") else []
        return [another, *emptied, *([None] if self.nullable else [])]


async def kinds(connection: Connection, schema: str) -> set[str]:
    """What kinds of relations are in a schema, but for indexes and sequences."""
    rows = await connection.fetch(
        "SELECT DISTINCT relkind::text AS kind FROM pg_class WHERE relnamespace = $1::regnamespace", schema
    )
    return {r["kind"] for r in rows} - {"i", "S"}


async def catalogue(connection: Connection, schema: str) -> dict[str, tuple[Column, ...]]:
    """Table → its columns, but for those that are computed of others and cannot be changed."""
    rows = await connection.fetch(
        """
        SELECT c.table_name AS table, c.column_name AS name, c.is_nullable = 'YES' AS nullable,
            format_type(a.atttypid, NULL) AS type, k.column_name IS NOT NULL AS keyed
        FROM information_schema.columns c
        JOIN pg_attribute a ON a.attrelid = format('%I.%I', c.table_schema, c.table_name)::regclass
            AND a.attname = c.column_name
        LEFT JOIN (information_schema.table_constraints t JOIN information_schema.key_column_usage k
                USING (constraint_schema, constraint_name, table_name))
            ON t.constraint_type = 'PRIMARY KEY' AND t.constraint_schema = c.table_schema
            AND t.table_name = c.table_name AND k.column_name = c.column_name
        WHERE c.table_schema = $1 AND c.is_generated = 'NEVER' ORDER BY c.table_name, c.ordinal_position
        """,
        schema,
    )
    found: dict[str, list[Column]] = {}
    for r in rows:
        found.setdefault(r["table"], []).append(Column(r["name"], r["type"], r["nullable"], r["keyed"]))
    return {table: tuple(columns) for table, columns in found.items()}


def _number(position: int, row: int) -> int:
    """The number of the value of a row's column: no two columns of a row, nor two rows, share one."""
    return 10 * (position + 1) + row


async def fill(connection: Connection, schema: str, tables: Mapping[str, Sequence[Column]]) -> None:
    """Put ROWS rows into each of these tables, whatever they mean."""
    for table, columns in tables.items():
        names = ", ".join(f'"{column.name}"' for column in columns)
        places = ", ".join(f"${n}::text::{column.type}" for n, column in enumerate(columns, 1))
        for row in range(1, ROWS + 1):
            values = [column.value(_number(n, row)) for n, column in enumerate(columns)]
            await connection.execute(f'INSERT INTO {schema}."{table}" ({names}) VALUES ({places})', *values)


@asynccontextmanager
async def _changed(
    connection: OwnConnection, schema: str, table: str, columns: Sequence[Column], at: int, to: str | None
) -> AsyncIterator[None]:
    """One row's column says something else, until the end."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        keys = [(n, c) for n, c in enumerate(columns) if c.keyed] or list(enumerate(columns))
        where = " AND ".join(f'"{c.name}"::text = ${i}::text::{c.type}::text' for i, (_, c) in enumerate(keys, 2))
        done = await connection.execute(
            f'UPDATE {schema}."{table}" SET "{columns[at].name}" = $1::text::{columns[at].type} WHERE {where}',
            to,
            *(c.value(_number(n, FLIPPED)) for n, c in keys),
        )
        assert done == "UPDATE 1", (table, done)
        yield
    finally:
        await transaction.rollback()


def _key(columns: Sequence[Column]) -> set[str]:
    """The ids by which the changed row is named."""
    return {c.value(_number(n, FLIPPED)) for n, c in enumerate(columns) if c.keyed and c.type == "uuid"}


async def _seen(changing: OwnConnection, watching: Connection, schema: str, left: Uncompared) -> list[dict[str, Any]]:
    """What `verify` says between who has made the change and who cannot see it yet."""
    level = Level(Place(changing, schema), Place(watching, schema), 1, 1, {})
    found: list[dict[str, Any]] = (await verify(level, left, lambda _text: None))["differing"]
    return found


def _only(table: str, tables: Mapping[str, Any], left: Uncompared) -> Uncompared:
    """The same registry, where no other table is looked at."""
    return Uncompared({**left.tables, **{t: Left(table="not now") for t in tables if t != table}})


async def walk(
    changing: OwnConnection, watching: Connection, schema: str, said: Uncompared, compared_by: Uncompared
) -> list[str]:
    """Every column whose change `verify` by `compared_by` does not see as `said` has it, as `table.column: what`."""
    tables = await catalogue(watching, schema)
    compared = {table: columns for table, columns in tables.items() if not said.of(table).table}
    await fill(watching, schema, compared)
    wrong: list[str] = []
    for table, columns in compared.items():
        only = _only(table, tables, compared_by)
        for at, column in enumerate(columns):
            is_left = column.name in said.of(table).columns
            for to in column.others(_number(at, FLIPPED)):
                async with _changed(changing, schema, table, columns, at, to):
                    found = await _seen(changing, watching, schema, only)
                named = " ".join(one.get("key", "") for one in found)
                if bool(found) == is_left or not (is_left or all(key in named for key in _key(columns))):
                    wrong.append(f"{table}.{column.name} to {to}: {found}")
        async with _changed(changing, schema, table, columns, 0, columns[0].others(_number(0, FLIPPED))[0]):
            everywhere = {one["table"] for one in await _seen(changing, watching, schema, compared_by)}
        if everywhere != {table}:
            wrong.append(f"{table}: seen in {sorted(everywhere)}")
    return wrong
