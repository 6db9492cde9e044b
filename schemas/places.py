"""Places in a timeline: what stands newest first by (time, id), and the cursor that goes on below one of its lines.

Owns the cursor's form, which every service that tells lines reads and writes.
"""

from __future__ import annotations

import base64
from datetime import datetime
from uuid import UUID

import orjson

from schemas.envelope import parse_rfc3339, rfc3339

Place = tuple[datetime, str]
"""Of a line: its time and its id, a UUID as text, which compares as PostgreSQL compares UUIDs."""


def read_cursor(cursor: str) -> Place:
    """Where the page before ended. Raises ValueError."""
    try:
        time, line = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return parse_rfc3339(time), str(UUID(line))
    except (TypeError, AttributeError):
        raise ValueError("it is none of ours") from None


def write_cursor(place: Place) -> str:
    """The cursor that goes on after this line."""
    time, line = place
    return base64.urlsafe_b64encode(orjson.dumps([rfc3339(time), line])).rstrip(b"=").decode()
