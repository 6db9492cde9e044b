"""A message's properties under our names, by one row of a mapping table.

Owns renaming. What is already there under our name wins; the sent property then stays under its own name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from schemas.events import EVENT_TYPES
from schemas.events.common import Line
from services.intake.domain.mapping import Row

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def shaped(data: dict[str, Any], row: Row) -> dict[str, Any]:
    """The data with properties, traits, actor and group as the row says; `data` itself is not changed."""
    sent = data.get("properties")
    if sent is not None and type(sent) is not dict:
        return data
    properties = _renamed(sent or {}, row.rename, _camel_names(row.type))
    if type(properties.get("products")) is list:
        properties["products"] = [_line(line) for line in properties["products"]]
    found = dict(data)
    _move(properties, row.traits, found, "traits")
    _move(properties, {sent: ours for sent, ours in row.actor.items() if sent != "kind"}, found, "actor")
    if row.actor and type(found.get("actor", {})) is dict:
        found["actor"] = {"kind": row.actor.get("kind"), **found.get("actor", {})}
    if row.group is not None and "group_id" not in found and row.group in properties:
        found["group_id"] = properties[row.group]
    for name, value in row.defaults.items():
        properties.setdefault(name, value)
    if properties:
        found["properties"] = properties
    return found


def _move(properties: dict[str, Any], names: Mapping[str, str], found: dict[str, Any], field: str) -> None:
    held = found.get(field)
    if held is not None and type(held) is not dict:
        return
    held = dict(held or {})
    for sent, ours in names.items():
        if sent in properties and ours not in held:
            held[ours] = properties.pop(sent)
    if held:
        found[field] = held


def _renamed(sent: Mapping[str, Any], rename: Mapping[str, str], camel: Mapping[str, str]) -> dict[str, Any]:
    renamed: dict[str, Any] = {}
    for name, value in sent.items():
        ours = rename.get(name) or camel.get(name)
        free = ours is not None and ours not in sent and ours not in renamed
        renamed[ours if ours is not None and free else name] = value
    return renamed


def _line(sent: Any) -> Any:
    return _renamed(sent, {"id": "product_id"}, _line_names()) if type(sent) is dict else sent


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
