"""Corrections: which event was taken back by which, why, and what stands for it.

Owns reading them out of events and how a timeline shows them. That what is taken back counts no more is
services/runtime/withdrawing.py's. Pure.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from schemas.envelope import Event, rfc3339
from schemas.events.fields import text_of
from schemas.events.retraction import RETRACTED, named_by


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
    target, replacement = named_by(event.data)
    if target is None:
        return None
    reason = text_of(event.data.get("properties", {}).get("reason"))
    return Correction(target, event.event_id, event.record_id, event.time, reason, replacement)


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
