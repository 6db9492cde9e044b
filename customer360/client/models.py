"""What calls answer with, as Python sees it. Fields that a newer service adds are kept, not refused.

Owns the shapes the client reads; the document's parts are schemas/sections.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from schemas.dialogue import Consent, Interaction, Need, Preference
from schemas.sections import Contact, GroupPart, Identity, Meta, SegmentPart, Value


class _Told(BaseModel):
    """An answer."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)


class Customer(_Told):
    """One customer's document; a part that was not asked for, is missing or withheld is None (see `meta`)."""

    requested_id: str
    customer_id: str
    identity: Identity | None = None
    contact: Contact | None = None
    interaction: Interaction | None = None
    value: Value | None = None
    needs: list[Need] | None = None
    preferences: dict[str, Preference] | None = None
    consents: dict[str, Consent] | None = None
    groups: list[GroupPart] | None = None
    segments: list[SegmentPart] | None = None
    treatment: dict[str, Any] | None = None
    meta: Meta


class Candidate(_Told):
    """A customer a shared value may mean."""

    customer_id: str
    name: str | None
    last_seen: str | None
    weight: int


class LookedUp(_Told):
    """Whose an identifier is; `customer_id` is None where nobody's, everybody's or several people's."""

    type: str
    value: str
    normalised: str
    customer_id: str | None
    ambiguous: bool
    generic: bool
    candidates: list[Candidate]
    customer: Customer | None = None


class Found(_Told):
    """A customer as lists show him."""

    customer_id: str
    name: str | None
    status: str
    emails: list[str]
    phones: list[str]
    tier: str | None
    last_seen: str | None


class Member(Found):
    """A customer in a segment, and since when."""

    since: str


class TimelineItem(_Told):
    """One event of a customer's history."""

    event_id: str
    time: str
    channel: str
    direction: str
    type: str
    title: str
    summary: str | None
    source: str
    record_id: str
    actor: dict[str, Any] | None = None
    properties: dict[str, Any] | None = None


class Said(_Told):
    """A command taken as an event; from `position` on answers know it."""

    event_id: str
    position: str


class Erasure(_Told):
    """The receipt of an erasure: `asked`, `told` to the log, `done` when every service has forgotten."""

    erasure_id: str
    customer_id: str
    state: str
    records: int
    requested_at: str
    done_at: str | None = None


class Export(_Told):
    """The receipt of a copy; what is `done` is read with `exported`."""

    export_id: str
    customer_id: str
    state: str
    requested_at: str
    expires_at: str | None = None


class Segment(_Told):
    """A segment as it was set last; `size`: how many are in it."""

    segment_id: str
    name: str
    version: int
    where: dict[str, Any]
    size: int
    within: str | None = None
    description: str | None = None


class Why(_Told):
    """Whether a customer is in a segment, condition by condition."""

    customer_id: str
    segment_id: str
    member: bool
    conditions: dict[str, Any]
    since: str | None = None


class Path(_Told):
    """Why two identifiers are, or are not, one customer."""

    same_customer: bool
    why: str
    start: dict[str, Any] = Field(alias="from")
    to: dict[str, Any]
    because: str | None = None


class Webhook(_Told):
    """An endpoint that is told of changes; its `secret` is there when it was made, and never again."""

    webhook_id: str
    url: str
    types: list[str]
    state: str
    cursor: str
    waiting: int
    dead: int
    secret: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One event of a stream. `cursor`: from there on a stream goes on after it; `event` is the CloudEvent."""

    cursor: str
    type: str
    event: dict[str, Any]

    @property
    def customer_id(self) -> str:
        """Whom it is of."""
        return str(self.event["subject"])

    @property
    def data(self) -> dict[str, Any]:
        """What changed."""
        found: dict[str, Any] = self.event["data"]
        return found
