"""Whose an event is: its identifiers, gathered from every place upstreams put them.

Owns where identifiers are looked for and how their types are spelt. Which one leads is schemas.identifiers.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from schemas.identifiers import GROUP_TYPE, type_name
from services.intake.domain.model import (
    IDENTIFIER_VALUES_MAX,
    Raw,
    Refused,
    Source,
)
from services.intake.domain.reasons import Reason

SEGMENT_IDS: dict[str, str] = {
    "userId": "user_id",
    "user_id": "user_id",
    "anonymousId": "anonymous_id",
    "anonymous_id": "anonymous_id",
}
"""Keys of `data` itself that are identifiers, in both spellings."""


_NUMBERS = (int, float, Decimal)


class Gathered:
    """Identifiers being collected: type → values, each once, in the order met."""

    def __init__(self, namespaces: Mapping[str, str]) -> None:
        self.found: dict[str, list[str]] = {}
        self._namespaces = namespaces
        self._count = 0

    def add(self, sent_type: Any, value: Any) -> None:
        """One value or a list of them. Raises Refused(too_many_identifiers)."""
        if type(value) is list:
            for item in value:
                if type(item) is not list:
                    self.add(sent_type, item)
            return
        text = _text(value)
        name = type_name(sent_type) if type(sent_type) is str else None
        if text is None or name is None:
            return
        name = namespaced(name, self._namespaces)
        values = self.found.setdefault(name, [])
        if text not in values:
            values.append(text)
            self._count += 1
            if self._count > IDENTIFIER_VALUES_MAX:
                raise Refused(Reason.TOO_MANY_IDENTIFIERS, f"more than {IDENTIFIER_VALUES_MAX}")


def gather(raw: Raw, event_type: str, source: Source) -> dict[str, list[str]]:
    """Type → raw values, without empty ones; types in snake case with the source's namespaces.

    A group's traits say nothing about a person, so their e-mail and phone are not read.
    """
    data = raw.data
    gathered = Gathered(source.identifier_namespace)
    add = gathered.add
    sent = data.get("identifiers")
    if type(sent) is dict:
        for sent_type, values in sent.items():
            add(sent_type, values)
    for key, name in SEGMENT_IDS.items():
        if key in data:
            add(name, data[key])
    is_group = event_type.startswith("group.")
    if not is_group:
        _add_contact(gathered, data.get("traits"))
    properties = data.get("properties")
    _add_contact(gathered, properties)
    _add_context(gathered, data.get("context"))
    if is_group:
        for place in (data, properties):
            if type(place) is dict:
                add(GROUP_TYPE, place.get("group_id"))
    if source.subject_type is not None and raw.subject is not None:
        add(source.subject_type, raw.subject)
    return gathered.found


def _add_contact(gathered: Gathered, held: Any) -> None:
    if type(held) is dict:
        if "email" in held:
            gathered.add("email", held["email"])
        if "phone" in held:
            gathered.add("phone", held["phone"])


def _add_context(gathered: Gathered, context: Any) -> None:
    if type(context) is not dict:
        return
    _add_contact(gathered, context.get("traits"))
    external = context.get("externalIds")
    if type(external) is list:
        for item in external:
            if type(item) is dict:
                gathered.add(item.get("type"), item.get("id"))
    device = context.get("device")
    if type(device) is dict and "id" in device:
        gathered.add("device_id", device["id"])


def namespaced(name: str, namespaces: Mapping[str, str]) -> str:
    """`user_id` → `user_id.shop2` where the source has such a namespace; never twice."""
    namespace = namespaces.get(name) if namespaces else None
    return (type_name(f"{name}.{namespace}") or name) if namespace else name


def _text(value: Any) -> str | None:
    kind = type(value)
    if kind is str:
        return value if value.strip() else None
    if kind not in _NUMBERS:
        return None
    number = Decimal(repr(value)) if kind is float else value
    if kind is not int and number == number.to_integral_value():
        number = int(number)
    return format(number, "d" if type(number) is int else "f")
