"""Corrections: which event was taken back by which, why, and what stands for it.

Owns reading them out of events and how a timeline shows them. That what is taken back counts no more is
services/runtime/withdrawing.py's. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from schemas.envelope import Event, event_id, rfc3339
from schemas.events.fields import text_of

RETRACTED = "event.retracted"


class Correction(msgspec.Struct, frozen=True):
    """The event `event_id` of `record_id` took back `target`; `replacement` stands for it. All are event ids."""

    target: str
    event_id: str
    record_id: str
    time: datetime
    reason: str | None
    replacement: str | None


def correction(event: Event) -> Correction | None:
    """What an event takes back; None when it is no retraction or names nothing."""
    if event.type != RETRACTED:
        return None
    target, replacement = named(event.data)
    if target is None:
        return None
    reason = text_of(event.data.get("properties", {}).get("reason"))
    return Correction(target, event.event_id, event.record_id, event.time, reason, replacement)


def named(data: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Ids of the event that a retraction names and of the one that replaces it, which is of the same source."""
    properties = data.get("properties", {})
    source, sent_id, by = (text_of(properties.get(name)) for name in ("source", "id", "replaced_by"))
    if not source or not sent_id:
        return None, None
    return event_id(source, sent_id), event_id(source, by) if by else None


def withdrawn(found: Correction | None) -> dict[str, Any]:
    """How the event taken back says so; all null for one taken back before corrections were kept."""
    if found is None:
        return {"event_id": None, "at": None, "reason": None, "replaced_by": None}
    return {
        "event_id": found.event_id,
        "at": rfc3339(found.time),
        "reason": found.reason,
        "replaced_by": found.replacement,
    }
