"""An event type: its properties, direction, who feeds on it, and what it is incomplete without.

Owns how a requirement is written and read. `required` holds rules: `a` must be readable, `a|b` one of
them, `a+b|c` both or the other. A name is a property unless it is a word of `WORDS`.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, Union

from schemas.envelope import INBOUND
from schemas.events.common import EventData, Line, Properties
from schemas.events.fields import Kind, text_of
from schemas.personal import personal_paths

Check = Callable[[Mapping[str, Any], Mapping[str, Any]], bool]
"""(data, properties) → whether the requirement is met."""

IDENTIFIERS_MIN = 2
RECORDS = 2
IN_DATA = frozenset({"conversation_id", "reply_to", "group_id"})
"""Properties that may stand among the common fields of `data` instead."""
OWN_RECORD = frozenset({"user_id", "crm_id", "loyalty_id"})

_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True)
class EventType:
    """One registered type. `feeds` names the services that do more with it than keep it as history.

    `channel` is what the type itself says about the channel (page.viewed: web), used when the event does not.
    """

    name: str
    properties: type[Properties]
    feeds: tuple[str, ...]
    required: tuple[str, ...] = ()
    direction: str = INBOUND
    channel: str | None = None
    checks: tuple[tuple[str, Check], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "checks", tuple((rule, _check(self, rule)) for rule in self.required))

    @cached_property
    def personal(self) -> frozenset[str]:
        """Personal paths within the whole `data`, the properties' own included."""
        own = {f"properties.{path}" for path in personal_paths(self.properties)}
        return personal_paths(EventData) | own

    @cached_property
    def has_currency(self) -> bool:
        """Whether amounts of this type come with a currency, so that a source's default may stand in."""
        return "currency" in self.properties.model_fields

    def missing(self, data: Mapping[str, Any]) -> list[str]:
        """Sorted rules that the data does not meet."""
        properties = data.get("properties")
        if not isinstance(properties, Mapping):
            properties = _NOTHING
        return sorted([rule for rule, met in self.checks if not met(data, properties)])


def _check(event_type: EventType, rule: str) -> Check:
    ways = [[_single(event_type, name) for name in way.split("+")] for way in rule.split("|")]
    if len(ways) == 1 and len(ways[0]) == 1:
        return ways[0][0]
    if all(len(way) == 1 for way in ways):
        singles = [way[0] for way in ways]
        return lambda data, properties: any(met(data, properties) for met in singles)
    return lambda data, properties: any(all(met(data, properties) for met in way) for way in ways)


def _single(event_type: EventType, name: str) -> Check:
    if name in WORDS:
        return WORDS[name]
    reads = reader(event_type.properties, name)
    if name in IN_DATA:
        return lambda data, properties: reads(properties.get(name)) or reads(data.get(name))
    return lambda _, properties: reads(properties.get(name))


def reader(model: type[Properties], name: str) -> Callable[[Any], bool]:
    """What tells whether a value can be read as the field `name`. Raises KeyError for unknown fields."""
    info = model.model_fields[name]
    for mark in info.metadata:
        if isinstance(mark, Kind):
            return mark.reads
    for part in _parts(info.annotation):
        origin = typing.get_origin(part)
        if origin is Literal:
            choices = frozenset(typing.get_args(part))
            return lambda value: type(value) is str and value in choices
        if origin is list:
            of_lines = typing.get_args(part)[0] is Line
            return _is_lines if of_lines else lambda value: isinstance(value, list) and bool(value)
    return lambda value: value is not None and value != "" and value != {}


def _parts(annotation: Any) -> tuple[Any, ...]:
    if typing.get_origin(annotation) in (Union, types.UnionType):
        return typing.get_args(annotation)
    return (annotation,)


def _is_lines(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(line, Mapping) and line for line in value)


def _identifiers(data: Mapping[str, Any]) -> Mapping[str, Any]:
    found = data.get("identifiers")
    return found if isinstance(found, Mapping) else _NOTHING


def _two_identifiers(data: Mapping[str, Any], _: Mapping[str, Any]) -> bool:
    values = _identifiers(data).values()
    return sum(len(v) if isinstance(v, (list, tuple)) else 1 for v in values) >= IDENTIFIERS_MIN


def _own_record(data: Mapping[str, Any], _: Mapping[str, Any]) -> bool:
    return any(name.partition(".")[0] in OWN_RECORD for name in _identifiers(data))


def _traits(data: Mapping[str, Any], _: Mapping[str, Any]) -> bool:
    traits = data.get("traits")
    return isinstance(traits, Mapping) and bool(traits)


def _email(data: Mapping[str, Any], _: Mapping[str, Any]) -> bool:
    return any(name.partition(".")[0] == "email" for name in _identifiers(data))


def _group(data: Mapping[str, Any], properties: Mapping[str, Any]) -> bool:
    own = data.get("group_id"), properties.get("group_id")
    return any(text_of(value) for value in own) or "group_id" in _identifiers(data)


def _records(_: Mapping[str, Any], properties: Mapping[str, Any]) -> bool:
    records = properties.get("records")
    return isinstance(records, list) and len(records) == RECORDS and _all_typed(records, RECORDS)


def _previous(_: Mapping[str, Any], properties: Mapping[str, Any]) -> bool:
    previous = properties.get("previous")
    return text_of(previous.get("value") if isinstance(previous, Mapping) else previous) is not None


def _all_typed(values: Any, at_least: int) -> bool:
    if not isinstance(values, list) or len(values) < at_least:
        return False
    return all(isinstance(v, Mapping) and text_of(v.get("type")) and text_of(v.get("value")) for v in values)


WORDS: dict[str, Check] = {
    "identifiers": _two_identifiers,
    "identifiers.own": _own_record,
    "identifiers.email": _email,
    "traits": _traits,
    "group_id": _group,
    "records": _records,
    "previous": _previous,
}
