"""An event taken back, perhaps replaced by another.

Owns this type's properties; every service undoes what the retracted event did there.
"""

from __future__ import annotations

from schemas.events.common import Properties
from schemas.events.fields import Id, PersonalText, Text
from schemas.events.kinds import EventType


class EventRetracted(Properties):
    """The event (`source`, `id`) is void; `replaced_by` is the id of the one that stands for it."""

    source: Text = None
    id: Id = None
    reason: PersonalText = None
    replaced_by: Id = None


TYPES: tuple[EventType, ...] = (
    EventType("event.retracted", EventRetracted, ("identity", "interaction", "value", "treatment"), ("id", "source")),
)
