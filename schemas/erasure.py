"""The word that a record's person was erased: what makes services forget, and whoever reads the log again.

Owns its type and form. Nobody can send it: intake writes it into the log when it is asked to. It lies in the record's
own partition, so every reader meets it after all that came before it, and what comes after it does not count: a
rebuild forgets as the live service did.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from schemas.envelope import Event

ERASED = "record.erased"


def erased(record_id: str, name: str, source: str, at: datetime, events: Sequence[str] = ()) -> Event:
    """The word for a record, or for these events of a record that is somebody else's, such as a group's.

    `name` is the erasure's: told twice, the word is one.
    """
    about = hashlib.blake2b(",".join(sorted(events)).encode(), digest_size=8).hexdigest() if events else ""
    data = {"events": sorted(events)} if events else {}
    return Event(f"{name}.{record_id}{about and '.'}{about}", source, ERASED, at, record_id, at, data)


def events_of(word: Event) -> list[str] | None:
    """The events that it erases; None: all there are of its record."""
    events = word.data.get("events")
    return [str(one) for one in events] if isinstance(events, list) else None
