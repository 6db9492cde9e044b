"""An event taken back, perhaps replaced by another.

Owns this type's properties and which events they name; every service undoes what the retracted event did there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.envelope import event_id
from schemas.events.common import Properties
from schemas.events.fields import Id, PersonalText, Text, text_of
from schemas.events.kinds import EventType

RETRACTED = "event.retracted"


class EventRetracted(Properties):
    """The event (`source`, `id`) is void; `replaced_by` is the id of the one that stands for it."""

    source: Text = None
    id: Id = None
    reason: PersonalText = None
    replaced_by: Id = None


TYPES: tuple[EventType, ...] = (
    EventType(RETRACTED, EventRetracted, ("identity", "interaction", "value", "treatment"), ("id", "source")),
)


def named_by(data: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Ids of the event a retraction takes back and of what replaces it, of the same source; None: none named."""
    properties = data.get("properties", {})
    source, sent_id, by = (text_of(properties.get(name)) for name in ("source", "id", "replaced_by"))
    if not source or not sent_id:
        return None, None
    return event_id(source, sent_id), event_id(source, by) if by else None
