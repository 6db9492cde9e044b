"""The event as services see it: CloudEvents attributes plus `data`, and how an event is known.

Owns the shape of one event of the log. Reading and writing bytes is codec.py; types are schemas/events.
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec

EVENT_NAMESPACE = uuid.UUID("6f1d1f0a-3b57-5c1e-9d2e-0c360c360c36")
EVENT_IDS_REMEMBERED_MAX = 8_192
"""Several parts of a service ask for the id of one event, within one batch."""
_NAMESPACE_BYTES = EVENT_NAMESPACE.bytes
_UUID_FREE_BITS = ~(0xF << 76) & ~(0x3 << 62) & (2**128 - 1)
_UUID_V5_BITS = (5 << 76) | (2 << 62)

CHANNELS: tuple[str, ...] = (
    "web", "app", "email", "sms", "push", "call", "store", "chat", "mail", "social", "partner", "import",
    "other",
)  # fmt: skip
INBOUND, OUTBOUND = "inbound", "outbound"


class Event(msgspec.Struct, frozen=True):
    """One valid event of the log.

    `id` and `source` are the sender's; `record_id` is the log's key; `time` is corrected and plausible;
    `received` is intake's arrival time; `clamped` says that `time` is not the sender's.
    `data` holds identifiers, traits, channel, direction, properties and the common fields.
    """

    id: str
    source: str
    type: str
    time: datetime
    record_id: str
    received: datetime
    data: dict[str, Any] = {}
    clamped: bool = False
    extensions: dict[str, str] = {}

    @property
    def event_id(self) -> str:
        """The event's own identity, the same for every copy: UUIDv5 of source and id."""
        return event_id(self.source, self.id)


@lru_cache(maxsize=EVENT_IDS_REMEMBERED_MAX)
def event_id(source: str, sent_id: str) -> str:
    """UUIDv5 of (source, id) as text: known to every service without talking to another.

    RFC 9562, section 5.5, written out: the library's own objects cost ten times as much on the hot path.
    """
    digest = hashlib.sha1(_NAMESPACE_BYTES + f"{source}\x1f{sent_id}".encode(), usedforsecurity=False).digest()
    number = int.from_bytes(digest[:16], "big") & _UUID_FREE_BITS | _UUID_V5_BITS
    h = f"{number:032x}"
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """Whole µs since 1970, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_at(time_us: int) -> datetime:
    """The moment of µs since 1970, in UTC."""
    return _EPOCH + time_us * _MICROSECOND


def rfc3339(moment: datetime) -> str:
    """RFC 3339 in UTC with a Z; microseconds only when there are some."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_rfc3339(text: str) -> datetime:
    """A moment in UTC. Raises ValueError when it is not RFC 3339 or has no zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time needs a zone")
    return moment.astimezone(UTC)
