"""Mapping tables as Python reads them: rows by call and by event name, one table a family of clients.

Owns loading and checking of tables; what a row does to a message is shaping.py's, how a family's messages are read
its own module's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from schemas.events import EVENT_TYPES

WILDCARD = "*"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table. `group` names the property with the group's id."""

    type: str
    channel: str | None = None
    direction: str | None = None
    rename: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    traits: Mapping[str, str] = field(default_factory=dict)
    actor: Mapping[str, str] = field(default_factory=dict)
    group: str | None = None
    each: str | None = None
    otherwise: str | None = None
    without_traits: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """The whole table; `version` is its name and version, as it stands in a mapped event's header.

    `includes` are tables that are asked for names this one does not know. `more` holds what only this family's reader
    understands: channels by library, fields by abbreviation. `over`: the family's table a source's own one comes
    before; it is asked for all that the own one does not know.
    """

    version: str
    calls: Mapping[str, Row]
    events: Mapping[str, Row]
    prefixes: tuple[tuple[str, Row], ...]
    includes: tuple[Table, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)
    over: Table | None = None

    def row(self, event_name: str) -> Row | None:
        """The row of a tracked event, or None: then it keeps its own name."""
        key = folded(event_name)
        known = self.events.get(key)
        if known is not None:
            return known
        return next((row for prefix, row in self.prefixes if key.startswith(prefix)), None)

    def found(self, event_name: str) -> Found | None:
        """The row of an event and the version of the table it stands in, the included tables' last; or None."""
        for table in (self, *self.includes):
            row = table.row(event_name)
            if row is not None:
                return row, table.version
        return self.over.found(event_name) if self.over is not None else None

    def call(self, name: str) -> Found | None:
        """The row of a call that is no named event, and the version of the table it stands in; or None."""
        row = self.calls.get(name)
        if row is not None:
            return row, self.version
        return self.over.call(name) if self.over is not None else None


Found = tuple[Row, str]
"""A row and the version of its table."""


def folded(event_name: str) -> str:
    """An event name as names are compared: without case, `_` and `-` as spaces."""
    return " ".join(event_name.casefold().replace("_", " ").replace("-", " ").split())


def read_table(text: str) -> Table:
    """The table of a YAML text. Raises ValueError for a row with an unknown type or field."""
    content = yaml.safe_load(text)
    events = {folded(name): _row(name, row) for name, row in content.pop("events").items()}
    exact = {name: row for name, row in events.items() if not name.endswith(WILDCARD)}
    prefixes = tuple((name.rstrip(WILDCARD), row) for name, row in events.items() if name not in exact)
    calls = {name: _row(name, row) for name, row in content.pop("calls", {}).items()}
    version = f"{content.pop('name')}/{content.pop('version')}"
    includes = tuple(shipped(name) for name in content.pop("includes", ()))
    return Table(version, calls, exact, prefixes, includes, content)


@cache
def shipped(name: str) -> Table:
    """A table as shipped, read once: `segment`, `posthog`, `snowplow`."""
    return read_table(files("schemas.mappings").joinpath(f"{name}.yaml").read_text(encoding="utf-8"))


def table_of(family: str, own: Table | None = None) -> Table:
    """The table of a family of clients; `own`, a source's own one, comes before it."""
    base = shipped(family)
    return base if own is None else replace(own, more=base.more, over=base)


def _row(name: str, content: Mapping[str, Any]) -> Row:
    try:
        row = Row(**content)
    except TypeError as wrong:
        raise ValueError(f"{name}: {wrong}") from None
    for mapped in (row.type, row.otherwise, row.without_traits):
        if mapped is not None and mapped not in EVENT_TYPES:
            raise ValueError(f"{name}: {mapped} is no event type")
    return row
