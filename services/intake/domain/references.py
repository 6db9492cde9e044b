"""Identifiers an event talks about (not: is led by), put into the source's namespaces like the others.

Owns which properties of which types hold typed values. Never changes what was sent in place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.identifiers import type_name
from services.intake.domain.identifiers import namespaced

PREVIOUS_TYPES = ("anonymous_id", "user_id")
"""An alias that does not say of which type the previous id was may mean either."""


def with_namespaces(event_type: str, properties: dict[str, Any], namespaces: Mapping[str, str]) -> dict[str, Any]:
    """The properties with typed values named as gathered identifiers are."""
    if event_type == "alias.asserted" and properties.get("previous") is not None:
        return {**properties, "previous": _previous(properties["previous"], namespaces)}
    if not namespaces:
        return properties
    if event_type == "identifier.verified":
        return {**properties, **_typed(properties, namespaces)}
    if event_type == "contact.updated" and type(properties.get("removed_identifiers")) is list:
        removed = [_typed(item, namespaces) for item in properties["removed_identifiers"]]
        return {**properties, "removed_identifiers": removed}
    return properties


def _previous(sent: Any, namespaces: Mapping[str, str]) -> Any:
    previous = dict(sent) if type(sent) is dict else {"value": sent}
    if previous.get("type") is None:
        previous["types"] = [namespaced(name, namespaces) for name in PREVIOUS_TYPES]
        return previous
    return _typed(previous, namespaces)


def _typed(item: Any, namespaces: Mapping[str, str]) -> Any:
    if type(item) is not dict or type(item.get("type")) is not str:
        return item
    name = type_name(item["type"])
    return {**item, "type": namespaced(name, namespaces)} if name is not None else item
