"""A source's own mapping: the document an operator gives, in the form of the shipped tables, read or refused.

Owns what such a document may say. Every error is told with its place; a table with an error is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from difflib import get_close_matches
from functools import cache
from typing import Any

from schemas.envelope import CHANNELS, INBOUND, OUTBOUND
from schemas.events import EVENT_TYPES
from schemas.events.common import Actor
from services.intake.domain.checking import printable
from services.intake.domain.mapping import WILDCARD, Row, Table, folded, shipped
from services.intake.domain.model import TYPE_CHARS_MAX
from services.intake.domain.shaping import KIND

ROWS_MAX = 2_000
NAMES_OF_ROW_MAX = 200
DOCUMENT_BYTES_MAX = 256 * 1024
OWN = "own"
CATEGORY = "category"

_KEYS = frozenset({"name", "version", "calls", "events"})
_FIELDS = frozenset(f.name for f in fields(Row))
_TYPES = ("type", "otherwise", "without_traits")
_NAMES = ("rename", "traits", "actor")
_BY_NAME = frozenset({"track", "capture", "se", "ue"})
READ_AT_THE_DOOR = frozenset({"email", "phone", "channel", "group_id"})
"""Properties that are read of events of any type."""
_ACTOR_KINDS = ("customer", "staff", "bot", "system")

Wrong = tuple[str, str]
"""(place in the document, what is wrong there)."""


class BadMapping(ValueError):
    """A document that is no mapping; `errors` are all there are."""

    def __init__(self, errors: list[Wrong]) -> None:
        super().__init__("; ".join(f"{place}: {what}" if place else what for place, what in errors))
        self.errors = errors


def version_of(source: str, number: int) -> str:
    """How a source's own table stands in the header of what it mapped: no shipped table has such a name."""
    return f"{OWN}.{source}/{number}"


def number_of(version: str, source: str) -> int | None:
    """The number of a version of this source's own table; None for another table's."""
    name, _, number = version.rpartition("/")
    return int(number) if name == f"{OWN}.{source}" and number.isascii() and number.isdigit() else None


def read_own(document: Any, source: str, number: int) -> Table:
    """The table of a document: {calls?, events?, name?, version?}. Raises BadMapping with every error.

    `name` and `version` are the writer's notes: what stands in headers is the source and our own number.
    """
    if type(document) is not dict:
        raise BadMapping([("", "a mapping is an object with events, and calls")])
    wrong = list(_wrong(document))
    if wrong:
        raise BadMapping(wrong)
    events = {folded(name): Row(**row) for name, row in (document.get("events") or {}).items()}
    exact = {name: row for name, row in events.items() if not name.endswith(WILDCARD)}
    return Table(
        version=version_of(source, number),
        calls={name: Row(**row) for name, row in (document.get("calls") or {}).items()},
        events=exact,
        prefixes=tuple((name.rstrip(WILDCARD), row) for name, row in events.items() if name not in exact),
    )


def expected(document: Mapping[str, Any]) -> dict[str, list[str]]:
    """Event name → what its type cannot do without and the row does not make: it must be in what is sent."""
    found: dict[str, list[str]] = {}
    for section in ("calls", "events"):
        for name, row in (document.get(section) or {}).items():
            made = {*row.get("rename", {}).values(), *row.get("defaults", {})}
            made |= {"traits"} if row.get("traits") else set()
            made |= {"group_id"} if row.get("group") else set()
            rules = EVENT_TYPES[row["type"]].required
            lacking = sorted(
                rule for rule in rules if not any(made >= set(way.split("+")) for way in rule.split("|"))
            )
            if lacking:
                found[name] = lacking
    return found


def _wrong(document: Mapping[str, Any]) -> Iterator[Wrong]:
    for key in sorted(map(str, document.keys() - _KEYS)):
        yield key, "a mapping has events and calls; the shipped table of the client is asked for the rest anyway"
    sections = {name: {} if document.get(name) is None else document[name] for name in ("calls", "events")}
    shapes = [name for name, section in sections.items() if type(section) is not dict]
    for name in shapes:
        yield name, "is an object: name to row"
    if shapes:
        return
    if not any(sections.values()):
        yield "events", "holds no row"
    if sum(map(len, sections.values())) > ROWS_MAX:
        yield "events", f"more than {ROWS_MAX} rows"
        return
    for name, row in sections["calls"].items():
        if name in _BY_NAME:
            yield f"calls.{name}", "is mapped by the event's name: write it among events"
        elif name not in _calls():
            yield f"calls.{name}", f"no call; known are {', '.join(sorted(_calls()))}"
        yield from _wrong_row(f"calls.{name}", row)
    seen: dict[str, str] = {}
    for name, row in sections["events"].items():
        place = f"events.{name}"
        if not printable(name, TYPE_CHARS_MAX) or not folded(name).rstrip(WILDCARD) or WILDCARD in name[:-1]:
            yield place, f"an event's name is a text of 1 to {TYPE_CHARS_MAX} characters, a * only at its end"
        elif folded(name) in seen:
            yield place, f"is the same name as {seen[folded(name)]}: case, _ and - do not count"
        else:
            seen[folded(name)] = name
        yield from _wrong_row(place, row)


def _calls() -> frozenset[str]:
    snowplow = shipped("snowplow")
    return frozenset({*shipped("segment").calls, *snowplow.calls, *snowplow.more["names"]})


def _wrong_row(place: str, row: Any) -> Iterator[Wrong]:
    if type(row) is not dict:
        yield place, "a row is an object with a type"
        return
    for name in sorted(map(str, row.keys() - _FIELDS)):
        yield f"{place}.{name}", f"a row has no {name}{_meant(name, _FIELDS)}"
    for name in _TYPES:
        if (name == "type" or row.get(name) is not None) and row.get(name) not in tuple(EVENT_TYPES):
            told = row.get(name)
            yield (
                f"{place}.{name}",
                "is needed" if told is None else f"{told} is no event type{_meant(told, EVENT_TYPES)}",
            )
    for name, choices in (("channel", CHANNELS), ("direction", (INBOUND, OUTBOUND)), ("each", (CATEGORY,))):
        if row.get(name) is not None and row[name] not in choices:
            yield f"{place}.{name}", f"is one of {', '.join(choices)}"
    if row.get("group") is not None and not printable(row["group"], TYPE_CHARS_MAX):
        yield f"{place}.group", "is the name of a property"
    for name in _NAMES:
        yield from _wrong_names(f"{place}.{name}", row.get(name, {}))
    if type(row.get("defaults", {})) is not dict:
        yield f"{place}.defaults", "is an object: property to value"
    yield from _unknown(place, row)


@cache
def _properties() -> frozenset[str]:
    """The properties that some type knows, or the door itself: another name would be read by nobody."""
    return READ_AT_THE_DOOR.union(*(known.properties.model_fields for known in EVENT_TYPES.values()))


def _wrong_names(place: str, names: Any) -> Iterator[Wrong]:
    if type(names) is not dict or len(names) > NAMES_OF_ROW_MAX:
        yield place, f"is an object: sent name to ours, {NAMES_OF_ROW_MAX} at most"
        return
    for sent, ours in names.items():
        if not printable(sent, TYPE_CHARS_MAX) or not printable(ours, TYPE_CHARS_MAX):
            yield f"{place}.{sent}", "names are texts"


def _unknown(place: str, row: Mapping[str, Any]) -> Iterator[Wrong]:
    """Properties, and the actor's fields, that nobody would read."""
    known, renamed = _properties(), row.get("rename", {})
    for sent, ours in renamed.items() if type(renamed) is dict else ():
        if type(ours) is str and ours not in known and ours not in _moved(row):
            yield f"{place}.rename.{sent}", f"no event type has a property {ours}{_meant(ours, known)}"
    defaults = row.get("defaults", {})
    for name in defaults if type(defaults) is dict else ():
        if name not in known:
            yield f"{place}.defaults.{name}", f"no event type has a property {name}{_meant(name, known)}"
    actor = row.get("actor", {})
    for sent, ours in actor.items() if type(actor) is dict else ():
        if sent == KIND and ours not in _ACTOR_KINDS:
            yield f"{place}.actor.{KIND}", f"is one of {', '.join(_ACTOR_KINDS)}"
        elif sent != KIND and type(ours) is str and ours not in {*Actor.model_fields, "username"}:
            yield f"{place}.actor.{sent}", f"an actor has {', '.join(Actor.model_fields)}"


def _moved(row: Mapping[str, Any]) -> set[str]:
    """Properties the row moves on, so that the type need not know them."""
    moved = {name for part in ("traits", "actor") if type(row.get(part)) is dict for name in row[part]}
    return moved | {str(row.get("group"))}


def _meant(told: Any, known: Any) -> str:
    close = get_close_matches(told, list(known), 1) if type(told) is str else []
    return f"; do you mean {close[0]}?" if close else ""
