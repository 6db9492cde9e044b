"""Accounts, households and teams: identified, joined, left.

Owns these types' properties. `group_id` leads these events: such a record is a group, never a customer.
"""

from __future__ import annotations

from schemas.events.common import Properties
from schemas.events.fields import Id, Text
from schemas.events.kinds import EventType


class Group(Properties):
    """A group and, when a person's identifier stands in the event, that person's part in it."""

    group_id: Id = None
    kind: Text = None
    role: Text = None
    name: Text = None


TYPES: tuple[EventType, ...] = (
    EventType("group.identified", Group, ("identity",), ("group_id", "traits")),
    EventType("group.joined", Group, ("identity",), ("group_id",)),
    EventType("group.left", Group, ("identity",), ("group_id",)),
)
