"""The nouns of intake: a source, an arrival, a raw event, and what becomes of it.

Owns shapes and limits only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from schemas.envelope import Event
from services.intake.domain.reasons import Reason

EVENT_BYTES_MAX = 32 * 1024
IDENTIFIER_VALUES_MAX = 50
DEPTH_MAX = 32
KEY_CHARS_MAX = 256
ID_CHARS_MAX = 256
TYPE_CHARS_MAX = 256
SOURCE_CHARS_MAX = 256
ATTRIBUTES_MAX = 32
ATTRIBUTE_NAME_CHARS_MAX = 64
ATTRIBUTE_CHARS_MAX = 1024
SKEW_MIN_S = 60
FUTURE_MAX_S = 300
YEAR_MIN = 1990


@dataclass(frozen=True, slots=True)
class Source:
    """Settings of a registered source.

    `identifier_namespace`: type → namespace, `{"user_id": "shop2"}` turns `user_id` into `user_id.shop2`.
    `business_namespace`: where its order numbers and the like are unique; the source's name by default.
    `subject_type`: the identifier type of a CloudEvent's `subject`; without it a subject identifies nobody.
    `events_per_s`: how many events it may send, on average; None: as many as it likes.
    `may`: what it has leave for, of permissions.PERMISSIONS; nothing by default.
    `app_ids`: apps whose trackers send for it without a key, as Snowplow's do; the ids are known to everybody.
    """

    name: str
    identifier_namespace: Mapping[str, str] = field(default_factory=dict)
    business_namespace: str | None = None
    channel: str | None = None
    currency: str | None = None
    country: str | None = None
    timezone: str | None = None
    subject_type: str | None = None
    events_per_s: int | None = None
    may: tuple[str, ...] = ()
    app_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Received:
    """When and for which source something arrived; `arrival` has a zone.

    `plan`: what the source promised to send (plans.Plan), or None.
    """

    arrival: datetime
    source: Source
    plan: Any = None


@dataclass(frozen=True, slots=True)
class Raw:
    """One event as it was read, in our words but not yet checked.

    `source` is the CloudEvent's own, "" for Segment; `data` is in the shape of events; `sent_at` and `time`
    are as sent; `channel` and `direction` are what the mapping says; `mapping` is name and version; `call` is by
    which call of which family of clients it came (`segment/track`), None where it came in our own words.
    """

    id: Any
    type: Any
    data: dict[str, Any]
    source: str = ""
    time: Any = None
    sent_at: Any = None
    subject: Any = None
    channel: str | None = None
    direction: str | None = None
    mapping: str | None = None
    call: str | None = None
    extensions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Accepted:
    """An event for the log, the required fields it lacks, and (type, rule) of its plan that it breaks."""

    event: Event
    incomplete: tuple[str, ...]
    broken: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Parked:
    """What could not be taken: a code of `reasons.Reason`, and where; never what a person wrote."""

    reason: str
    detail: str = ""
    broken: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Suppressed:
    """An event of somebody who was erased: it is counted, and kept nowhere."""

    event_type: str
    event_id: str
    broken: tuple[tuple[str, str], ...] = ()


Taken = Accepted | Parked | Suppressed
"""What becomes of an event at the door."""


class Refused(ValueError):
    """Raised inside the domain for one event; `accept` and the readers turn it into Parked."""

    def __init__(self, reason: Reason, detail: str = "", broken: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(reason)
        self.parked = Parked(str(reason), detail, broken)
