"""What an app may say of a customer: whose record leads it, which types are not its to say, what cannot be read.

Owns these rules. Pure: an event is judged as intake would take it, so that its asker hears of every fault at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from schemas.events import EVENT_TYPES, EventType
from schemas.events.fields import Kind
from schemas.events.kinds import reader
from schemas.identifiers import Identifier, leading
from schemas.treatments import TREATMENT_ID

TYPE_CHARS_MAX = 256
_TYPE_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")

_OPERATORS = "an operator's word is given to POST /v1/identity/assertions"
_SOURCES = "only the source that keeps the record may say it"
_GROUPS = "it belongs to the record of a group; its source sends it"
NOT_AN_APPS: Mapping[str, str] = {
    "identity.same_asserted": _OPERATORS,
    "identity.different_asserted": _OPERATORS,
    "alias.asserted": _OPERATORS,
    "event.retracted": "who sent an event takes it back, through the same source",
    "contact.removed": _SOURCES,
    "contact.imported": _SOURCES,
    "group.identified": _GROUPS,
    "group.joined": _GROUPS,
    "group.left": _GROUPS,
}
"""Type → why it is not taken of an app; so is every other type of these families."""
_FAMILIES = {"identity": _OPERATORS, "alias": _OPERATORS, "group": _GROUPS}

DECISIONS = ("treatment.decided", "recommendation.made")
"""Types under which an app may tell of decisions of its own, and not of ours."""
ADDRESSES = ("email", "phone")
"""Properties that intake reads as identifiers."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an event is not taken: a problem's kind, and what is wrong where."""

    kind: str
    detail: str


def founder(customer_id: str, identity: Mapping[str, Any]) -> Identifier | None:
    """The identifier a customer is named after, of identity's section; it is listed first."""
    named = [r for r in identity["identity"]["records"] if r["record_id"] == customer_id]
    return Identifier(named[0]["type"], named[0]["value"]) if named else None


def fault(event_type: str, data: Mapping[str, Any], led_by: Identifier) -> Fault | None:
    """The first thing wrong with an event whose `data` is as it would be sent; None when it can be taken."""
    known = EVENT_TYPES.get(event_type)
    if known is None and (_TYPE_NAME.fullmatch(event_type) is None or len(event_type) > TYPE_CHARS_MAX):
        return Fault("bad-request", "type: a dotted name in lower case, such as call.held")
    why = NOT_AN_APPS.get(event_type) or _FAMILIES.get(event_type.partition(".")[0])
    if why is not None:
        return Fault("not-permitted", f"type: {event_type} is not taken here: {why}")
    properties = data["properties"]
    if event_type in DECISIONS and TREATMENT_ID.fullmatch(str(properties.get("treatment_id"))) is not None:
        return Fault("not-permitted", f"type: {event_type} of an id of ours is what POST /v1/decisions says")
    astray = _leads_elsewhere(event_type, properties, led_by)
    if astray is not None:
        detail = f"properties.{astray}: it would make this the event of another record than the customer's founder"
        return Fault("bad-request", detail)
    return None if known is None else _of_known(known, data)


def _of_known(known: EventType, data: Mapping[str, Any]) -> Fault | None:
    properties = data["properties"]
    for name, value in properties.items():
        if name in known.properties.model_fields and value is not None and not reader(known.properties, name)(value):
            return Fault("bad-request", f"properties.{name}: cannot be read{_as_what(known, name)}")
    lacking = known.missing(data)
    if lacking:
        wanted = "; ".join(rule.replace("|", " or ").replace("+", " and ") for rule in lacking)
        return Fault("incomplete", f"properties: {known.name} needs {wanted}")
    return None


def _as_what(known: EventType, name: str) -> str:
    kinds = [mark.name for mark in known.properties.model_fields[name].metadata if isinstance(mark, Kind)]
    return f" as {kinds[0]}" if kinds else ""


def _leads_elsewhere(event_type: str, properties: Mapping[str, Any], led_by: Identifier) -> str | None:
    """The property that would lead the event instead of the founder's identifier."""
    for name in ADDRESSES:
        named: dict[str, list[str]] = {led_by.type: [led_by.value]}
        named.setdefault(name, []).extend(_texts(properties.get(name)))
        if leading(named, event_type) != led_by:
            return name
    return None


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, list):
        return [text for one in value if not isinstance(one, list) for text in _texts(one)]
    if isinstance(value, str):
        return [value]
    return [format(value, "f")] if isinstance(value, (int, Decimal)) and not isinstance(value, bool) else []
