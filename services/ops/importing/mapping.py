"""A map: how a row becomes an event. Read from YAML, with every error at once.

Owns what a map may say, and ids: an event's id is a hash of the cells it is made of, so that a file imported twice
changes nothing. Whether the event is valid is the collector's to say. Pure.

    type: contact.imported            # or {column: kind}
    id: [number, changed]             # columns; left out: all that the map reads
    time: changed                     # a column; left out: the time of the import
    identifiers: {crm_id.acme: number, email: mail}
    traits: {firstName: first, address.city: town}
    properties: {updated_at: changed, source_status: {value: active}}
    channel: import
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from schemas.codec import write_json_exactly

PARTS = ("type", "id", "time", "identifiers", "traits", "properties", "channel", "direction")
SHAPES = ("identifiers", "traits", "properties")
NOTHING = (None, "")
ID_CHARS = 32


class BadMap(ValueError):
    """All that is wrong with a map, each with its path."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a value comes from: a column, or the map itself."""

    column: str | None
    value: Any = None

    def of(self, columns: Mapping[str, Any]) -> Any:
        """The value in this row."""
        return self.value if self.column is None else columns.get(self.column)


@dataclass(frozen=True, slots=True)
class Map:
    """A map that was read. `shapes`: identifiers, traits, properties → path → cell."""

    type: Cell
    time: Cell | None
    ids: tuple[str, ...]
    shapes: Mapping[str, Mapping[str, Cell]]
    fixed: Mapping[str, str]

    @property
    def columns(self) -> frozenset[str]:
        """All columns it reads."""
        cells = [
            self.type,
            *([self.time] if self.time else []),
            *(c for s in self.shapes.values() for c in s.values()),
        ]
        return frozenset(self.ids) | {cell.column for cell in cells if cell.column is not None}

    def event(self, columns: Mapping[str, Any], source: str, now: datetime) -> bytes:
        """The row as a CloudEvent of this source. Raises ValueError naming what the row lacks."""
        identifiers = self._made("identifiers", columns)
        if not identifiers:
            raise ValueError(f"none of {', '.join(sorted(self.shapes['identifiers']))} has a value")
        kind = self.type.of(columns)
        if not isinstance(kind, str) or not kind:
            raise ValueError("its type is no text")
        data = {"identifiers": identifiers, **self.fixed}
        data |= {name: made for name in ("traits", "properties") if (made := self._made(name, columns))}
        when = self.time.of(columns) if self.time else None
        event = {
            "specversion": "1.0",
            "id": self._id(columns),
            "source": source,
            "type": kind,
            "time": _plain(when) if when not in NOTHING else now.isoformat(),
            "data": data,
        }
        return write_json_exactly(event)

    def _made(self, shape: str, columns: Mapping[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for path, cell in self.shapes[shape].items():
            value = _plain(cell.of(columns))
            if value in NOTHING:
                continue
            if shape == "identifiers":
                made[path] = str(value)
                continue
            *outer, last = path.split(".")
            into = made
            for name in outer:
                into = into.setdefault(name, {})
            into[last] = value
        return made

    def _id(self, columns: Mapping[str, Any]) -> str:
        read = [[name, _plain(columns.get(name))] for name in self.ids or sorted(self.columns)]
        told = [self.type.of(columns) if self.type.column else self.type.value, read]
        return hashlib.blake2b(write_json_exactly(told), digest_size=ID_CHARS // 2).hexdigest()


def _plain(value: Any) -> Any:
    """As JSON has it; days and times of Parquet are texts."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return value.strip()
    return value if value is None or isinstance(value, bool | int | float | Decimal | list | dict) else str(value)


def read_map(document: Any) -> Map:
    """A map from its document. Raises BadMap."""
    errors: list[str] = []
    if not isinstance(document, Mapping):
        raise BadMap("a map is a mapping")
    errors += [f"{name}: a map has no such part" for name in map(str, document) if name not in PARTS]
    shapes = {name: _shape(name, document.get(name), errors) for name in SHAPES}
    if not shapes["identifiers"]:
        errors.append("identifiers: at least one is needed")
    kind = document.get("type")
    column = kind.get("column") if isinstance(kind, Mapping) else None
    if not isinstance(column, str) and not (isinstance(kind, str) and kind):
        errors.append("type: a type, or {column: NAME}")
    ids = document.get("id") or []
    if not isinstance(ids, list) or not all(isinstance(name, str) for name in ids):
        errors.append("id: a list of columns")
        ids = []
    time = document.get("time")
    if time is not None and not isinstance(time, str):
        errors.append("time: a column")
    fixed = {name: document[name] for name in ("channel", "direction") if name in document}
    errors += [f"{name}: a text" for name, text in fixed.items() if not isinstance(text, str)]
    if errors:
        raise BadMap("; ".join(errors))
    return Map(Cell(column, kind), Cell(time) if time else None, tuple(ids), shapes, fixed)


def _shape(name: str, sent: Any, errors: list[str]) -> dict[str, Cell]:
    if sent is None:
        return {}
    if not isinstance(sent, Mapping):
        errors.append(f"{name}: a mapping of names to columns")
        return {}
    found = {}
    for path, cell in sent.items():
        if isinstance(cell, str):
            found[str(path)] = Cell(cell)
        elif isinstance(cell, Mapping) and set(cell) == {"value"}:
            found[str(path)] = Cell(None, cell["value"])
        else:
            errors.append(f"{name}.{path}: a column, or {{value: ...}}")
    return found
