"""Places in a timeline: what stands newest first by (time, id), and the cursor that goes on below one of its lines.

Owns the cursor's form, which every service that tells lines reads and writes.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from schemas.envelope import parse_rfc3339, rfc3339
from schemas.opaque import read_opaque, write_opaque

Place = tuple[datetime, str]
"""Of a line: its time and its id, a UUID as text, which compares as PostgreSQL compares UUIDs."""


def read_cursor(cursor: str) -> Place:
    """Where the page before ended. Raises ValueError."""
    try:
        time, line = read_opaque(cursor)
        return parse_rfc3339(time), str(UUID(line))
    except (TypeError, AttributeError):
        raise ValueError("it is none of ours") from None


def write_cursor(place: Place) -> str:
    """The cursor that goes on after this line."""
    time, line = place
    return write_opaque([rfc3339(time), line])
