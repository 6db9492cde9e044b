"""A message's properties under our names, by one row of a mapping table.

Owns renaming, and noting it. What is already there under our name wins; the sent property then stays under its own
name. What was renamed, moved or added is noted in `original` by its place, so that `unshaped` gives what was sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from schemas.events import EVENT_TYPES
from schemas.events.common import Line
from services.intake.domain.mapping import Row

RENAMED, ADDED = "renamed", "added"
"""Of `original`: our place to the sent name, and places that the mapping filled."""
KIND = "kind"

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def shaped(data: dict[str, Any], row: Row) -> dict[str, Any]:
    """The data with properties, traits, actor and group as the row says; `data` itself is not changed."""
    sent = data.get("properties")
    if sent is not None and type(sent) is not dict:
        return data
    properties, renamed = _renamed(sent or {}, row.rename, _camel_names(row.type))
    notes = {f"properties.{ours}": name for ours, name in renamed.items()}
    if type(properties.get("products")) is list:
        properties["products"] = [_line(line) for line in properties["products"]]
    found = dict(data)
    notes |= _move(properties, row.traits, found, "traits")
    notes |= _move(properties, {sent: ours for sent, ours in row.actor.items() if sent != KIND}, found, "actor")
    if row.actor and type(found.get("actor", {})) is dict:
        found["actor"] = {KIND: row.actor.get(KIND), **found.get("actor", {})}
    added = [f"properties.{name}" for name in row.defaults if name not in properties]
    if row.group is not None and "group_id" not in found and row.group in properties:
        found["group_id"] = properties[row.group]
        added.append("group_id")
    for name, value in row.defaults.items():
        properties.setdefault(name, value)
    found["properties"] = properties
    if not properties:
        del found["properties"]
    if notes or added:
        _note(found, notes, added)
    return found


def unshaped(data: Mapping[str, Any]) -> dict[str, Any]:
    """The data as it was before `shaped`, by its notes; lines of an order keep our names. `data` is not changed."""
    original = data.get("original")
    notes = original if type(original) is dict else {}
    found = {**data, "properties": dict(data.get("properties") or {})}
    properties = found["properties"]
    for place in notes.get(ADDED) or ():
        section, _, name = place.partition(".")
        if name:
            properties.pop(name, None)
        else:
            found.pop(section, None)
            # What had another shape than its field the door has put there.
            found["unread"] = {key: value for key, value in (found.get("unread") or {}).items() if key != section}
    renamed = notes.get(RENAMED) or {}
    # What was moved had been renamed before: the way back begins with it.
    for place, sent in sorted(renamed.items(), key=lambda note: note[0].startswith("properties.")):
        section, _, ours = place.partition(".")
        held = found[section] = dict(found.get(section) or {})
        if ours in held:
            found["properties"][sent] = held.pop(ours)
    if type(found.get("actor")) is dict and not found["actor"].keys() - {KIND}:
        del found["actor"]
    rest = {name: value for name, value in notes.items() if name not in ("event", RENAMED, ADDED)}
    emptied = [name for name in ("traits", "properties", "unread") if not found.get(name)]
    for name in (*emptied, *(() if rest else ("original",))):
        found.pop(name, None)
    return {**found, "original": rest} if rest else found


def note_added(data: dict[str, Any], place: str) -> None:
    """Note one more place that was filled, in the data itself."""
    original = data.get("original") or {}
    data["original"] = {**original, ADDED: [*(original.get(ADDED) or ()), place]}


def _note(found: dict[str, Any], renamed: Mapping[str, str], added: list[str]) -> None:
    original = found.get("original")
    found["original"] = {
        **(original if type(original) is dict else {}),
        **({RENAMED: dict(renamed)} if renamed else {}),
        **({ADDED: added} if added else {}),
    }


def _move(
    properties: dict[str, Any], names: Mapping[str, str], found: dict[str, Any], section: str
) -> dict[str, str]:
    """Properties into another section; where each now stands, and its name among the properties."""
    held = found.get(section)
    if held is not None and type(held) is not dict:
        return {}
    held = dict(held or {})
    moved: dict[str, str] = {}
    for sent, ours in names.items():
        if sent in properties and ours not in held:
            held[ours] = properties.pop(sent)
            moved[f"{section}.{ours}"] = sent
    if held:
        found[section] = held
    return moved


def _renamed(
    sent: Mapping[str, Any], rename: Mapping[str, str], camel: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The properties under our names, and our name of each renamed one: its sent name.

    Where two mean the same, the one that the row names first is renamed, however the sender ordered them.
    """
    properties: dict[str, Any] = {}
    renamed: dict[str, str] = {}
    for name, value in sent.items():
        ours = rename.get(name) or camel.get(name)
        if ours is None or ours in sent:
            properties[name] = value
        elif ours not in renamed:
            properties[ours], renamed[ours] = value, name
        elif _rank(name, rename, camel) < _rank(renamed[ours], rename, camel):
            properties[renamed[ours]] = properties[ours]
            properties[ours], renamed[ours] = value, name
        else:
            properties[name] = value
    return properties, renamed


def _rank(name: str, *tables: Mapping[str, str]) -> int:
    return [sent for table in tables for sent in table].index(name)


def _line(sent: Any) -> Any:
    return _renamed(sent, {"id": "product_id"}, _line_names())[0] if type(sent) is dict else sent


@cache
def _camel_names(event_type: str) -> dict[str, str]:
    return _camel_of(EVENT_TYPES[event_type].properties.model_fields)


@cache
def _line_names() -> dict[str, str]:
    return _camel_of(Line.model_fields)


def _camel_of(fields: Mapping[str, Any]) -> dict[str, str]:
    """camelCase spelling → our snake_case field, for the fields that have two spellings."""
    names = {}
    for field in fields:
        head, *rest = field.split("_")
        camel = head + "".join(part.capitalize() for part in rest)
        if camel != field:
            names[camel] = field
            names[camel.replace("Id", "ID")] = field
    return names
