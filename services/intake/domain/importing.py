"""Imported bodies into raw events: Segment's batch, or JSON lines of Segment messages and CloudEvents.

Owns telling the two apart, by body. One unreadable line is Parked; only an empty body raises.
"""

from __future__ import annotations

from schemas.codec import Unreadable
from services.intake.domain.cloudevents import is_cloudevent, read_structured
from services.intake.domain.mapping import Table
from services.intake.domain.model import Parked, Raw
from services.intake.domain.reading import read_body
from services.intake.domain.reasons import Reason
from services.intake.domain.segment import read_calls


def read_import(body: bytes, own: Table | None = None) -> list[Raw | Parked]:
    """Raw events of an import; `own` is the source's own table. Raises Unreadable(no_value) for an empty body."""
    if not body.strip():
        raise Unreadable(Reason.NO_VALUE)
    try:
        return _read(body, own)
    except Unreadable as whole:
        lines = [line for line in body.split(b"\n") if line.strip()]
        if len(lines) == 1:
            return [Parked(whole.reason, whole.detail)]
    events: list[Raw | Parked] = []
    for line in lines:
        try:
            events.extend(_read(line, own))
        except Unreadable as broken:
            events.append(Parked(broken.reason, broken.detail))
    return events


def _read(text: bytes, own: Table | None) -> list[Raw | Parked]:
    value = read_body(text)
    return read_structured(value) if type(value) is list or is_cloudevent(value) else read_calls(value, None, own)
