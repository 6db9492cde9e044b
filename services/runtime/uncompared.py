"""What `verify` leaves out of two generations, and why: uncompared.yaml of the runtime and of each service.

Owns reading it. All that is not named there is compared: every table, row and column.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import yaml

REGISTRY = "uncompared.yaml"


@dataclass(frozen=True, slots=True)
class Left:
    """What is left out of one table: all of it (`table`: why), other rows than `rows`, `columns` (name → why)."""

    table: str = ""
    rows: str = ""
    because: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Uncompared:
    """Table → what of it is left out."""

    tables: Mapping[str, Left]

    def of(self, table: str) -> Left:
        """What is left out of a table; nothing, unless it is named."""
        return self.tables.get(table, Left())

    def listed(self, tables: Collection[str]) -> list[dict[str, str]]:
        """What is left out of these tables, for people: {table, what, why}."""
        return [{"table": t, "what": what, "why": why} for t, what, why in self._listed() if t in tables]

    def _listed(self) -> Iterator[tuple[str, str, str]]:
        for table, left in sorted(self.tables.items()):
            if left.table:
                yield table, "all", left.table
            if left.rows:
                yield table, f"rows other than: {left.rows}", left.because
            for column, why in left.columns.items():
                yield table, column, why


def uncompared(service: str) -> Uncompared:
    """The registry of a service with the runtime's. Raises ValueError for what it does not know."""
    found: dict[str, Left] = {}
    for package in ("services.runtime", f"services.{service}"):
        file = files(package) / REGISTRY
        found |= read(yaml.safe_load(file.read_text())) if file.is_file() else {}
    return Uncompared(found)


def read(document: Mapping[str, Mapping[str, Any]]) -> dict[str, Left]:
    """What one file says. Raises ValueError for a word it does not know."""
    for table, left in document.items():
        if unknown := left.keys() - {"table", "rows", "because", "columns"}:
            raise ValueError(f"{table} says {', '.join(sorted(unknown))}")
    return {table: Left(**left) for table, left in document.items()}
