"""The registry of event types: what each carries, what it is incomplete without, who feeds on it.

Owns the one list of types. Nothing is refused here: a missing field makes an event incomplete, a type that
is not listed is history under its own name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.events import (
    browsing,
    consent,
    contact,
    conversations,
    feedback,
    groups,
    intentions,
    messages,
    orders,
    retraction,
    subscriptions,
    treatment,
)
from schemas.events.common import EventData
from schemas.events.kinds import EventType
from schemas.events.titles import summary, title

__all__ = [
    "EVENT_TYPES",
    "EventData",
    "EventType",
    "incomplete_fields",
    "personal_fields",
    "summary",
    "title",
]


def incomplete_fields(event_type: str, data: Mapping[str, Any]) -> list[str]:
    """Sorted names of required fields that are missing or unreadable; `a|b` where one of them would do.

    `data` is the event's whole data. An unknown type requires nothing.
    """
    known = EVENT_TYPES.get(event_type)
    return known.missing(data) if known is not None else []


def personal_fields(event_type: str) -> frozenset[str]:
    """Personal paths within `data`; all properties of an unknown type are personal, nobody marked them."""
    known = EVENT_TYPES.get(event_type)
    return known.personal if known is not None else _UNKNOWN_PERSONAL


_FAMILIES = (
    contact, groups, consent, browsing, messages, conversations, feedback, orders, subscriptions, intentions,
    treatment, retraction,
)  # fmt: skip

EVENT_TYPES: dict[str, EventType] = {known.name: known for family in _FAMILIES for known in family.TYPES}

_UNKNOWN_PERSONAL = EVENT_TYPES["page.viewed"].personal | {"properties"}
