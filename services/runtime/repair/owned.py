"""Whose the rows of a generation's tables are: repaired.yaml of the runtime and of each service that can be repaired.

Owns reading it, and which columns a copy of a row has. A table that nobody named is no reason to guess: nothing is
repaired then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import yaml

from services.runtime.beside import Refused
from services.runtime.postgres import Connection

REGISTRY = "repaired.yaml"
Row = tuple[str, str]
"""A column and the kind of id in it."""


@dataclass(frozen=True, slots=True)
class Owned:
    """A table whose rows are somebody's. `ties`: other ids in the row, tied to its owner."""

    table: str
    column: str
    kind: str
    ties: tuple[Row, ...]


def is_repairable(service: str) -> bool:
    """Whether a service says whose its rows are."""
    return (files(f"services.{service}") / REGISTRY).is_file()


def owned(service: str) -> dict[str, Owned | str]:
    """Table → whose its rows are, or why nobody's. Raises Refused for a service whose rows are not anybody's."""
    if not is_repairable(service):
        raise Refused(f"{service} decides of everybody together; build it anew with `replay start {service}`")
    found: dict[str, Owned | str] = {}
    for package in ("services.runtime", f"services.{service}"):
        found |= read(yaml.safe_load((files(package) / REGISTRY).read_text()))
    return found


def read(document: Mapping[str, Any]) -> dict[str, Owned | str]:
    """What one file says. Raises ValueError for what names no column."""
    found: dict[str, Owned | str] = {}
    for table, said in document.items():
        if isinstance(said, str):
            found[table] = said
        elif isinstance(said, dict) and said:
            (column, kind), *ties = said.items()
            found[table] = Owned(table, column, kind, tuple(ties))
        else:
            raise ValueError(f"{table} says neither whose its rows are nor why nobody's")
    return found


async def columns_of(connection: Connection, schema: str) -> dict[str, tuple[str, ...]]:
    """Table → its columns that are written."""
    rows = await connection.fetch(
        """
        SELECT c.relname AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns
        FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
        WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'r' GROUP BY 1
        """,
        schema,
    )
    return {r["name"]: tuple(r["columns"]) for r in rows}


def known(service: str, tables: Mapping[str, Any]) -> list[Owned]:
    """The owned ones of a generation's tables. Raises Refused for one that nobody named."""
    registry = owned(service)
    if unnamed := sorted(tables.keys() - registry.keys()):
        raise Refused(f"nobody said whose the rows of {', '.join(unnamed)} are; build it anew with `replay start`")
    return [one for name, one in registry.items() if isinstance(one, Owned) and name in tables]
