"""The parts of a customer's document, as services tell them and the profile API serves them.

Owns their shapes and which fields are personal. A part a service does not tell yet is null in the document.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from schemas.dialogue import Consent, Interaction, Need, Preference
from schemas.personal import PERSONAL
from schemas.treatments import TreatmentPart
from schemas.worth import Churn, NeedsGroup, Next, Predicted, Strategic


class IdentityRecord(BaseModel):
    """One source identity of the customer; `value` is personal where the type is an address (e-mail, phone)."""

    record_id: str
    type: str
    value: str
    first_seen: str | None = None
    last_seen: str | None = None
    events: int = 0


class Identifier(BaseModel):
    """One identifier that finds the customer."""

    type: str
    value: str
    first_seen: str | None = None
    last_seen: str | None = None
    sources: list[str] = Field(default_factory=list)
    generic: bool = False
    retired: bool = False


class Identity(BaseModel):
    """Who the customer is, by records and identifiers (at most 100 of each are listed)."""

    status: str
    records: list[IdentityRecord]
    identifiers: list[Identifier]
    totals: dict[str, int]


class Email(BaseModel):
    """An e-mail address; `valid` is null until something proved it either way, or nothing has for long.

    `verified_at`: the UTC day of the last proof, as its first moment. `because`: failed, syntax, proved, stale or
    unproved.
    """

    value: Annotated[str, PERSONAL]
    valid: bool | None = None
    verified_at: str | None = None
    because: str | None = None


class ContactIssue(BaseModel):
    """What is wrong with the contact, since when, and the question that would mend it; `rivals` deny `value`."""

    code: str
    value: Annotated[Any, PERSONAL] = None
    since: str | None = None
    ask_for: str
    rivals: Annotated[list[Any], PERSONAL] = Field(default_factory=list)


class Question(BaseModel):
    """What to ask the customer, and why."""

    ask_for: str
    because: str


class Reachable(BaseModel):
    """Whether a channel reaches the customer; what nobody said is null and speaks against nothing."""

    address: Annotated[Any, PERSONAL] = None
    allowed: bool | None = None
    valid: bool | None = None
    fatigued: bool | None = None
    best_hour: int | None = None
    why_not: list[str] = Field(default_factory=list)


class Provenance(BaseModel):
    """Where a trait's best value came from, and what else was said."""

    source: str
    event_id: str
    time: str | None
    rivals: Annotated[list[Any], PERSONAL]


class Contact(BaseModel):
    """How the customer is called and reached; the best value of each trait; what is wrong with it today."""

    name: Annotated[str | None, PERSONAL] = None
    emails: list[Email] = Field(default_factory=list)
    phones: Annotated[list[str], PERSONAL] = Field(default_factory=list)
    addresses: Annotated[list[Any], PERSONAL] = Field(default_factory=list)
    birthday: Annotated[str | None, PERSONAL] = None
    completeness: int = 0
    traits: Annotated[dict[str, Any], PERSONAL] = Field(default_factory=dict)
    provenance: dict[str, Provenance] = Field(default_factory=dict)
    issues: list[ContactIssue] = Field(default_factory=list)
    ask_next: list[Question] = Field(default_factory=list)
    reachable: dict[str, Reachable] = Field(default_factory=dict)


class GroupPart(BaseModel):
    """A group the customer belongs to, and his part in it; one of very many members is not called by name here."""

    group_id: str
    record_id: str
    kind: str | None
    name: Annotated[str | None, PERSONAL]
    role: str | None
    since: str


class Worth(BaseModel):
    """Sums of one currency; `revenue` is net less refunds, amounts are decimals in text.

    `contribution` is margin less cost to serve: below 0 of who costs more than he brings.
    """

    revenue: str
    margin: str
    refunds: str
    cost_to_serve: str
    contribution: str
    orders: int


class WorthOfArea(BaseModel):
    """What was bought of one area."""

    area: str
    revenue: str
    margin: str
    orders: int
    last_at: str | None


class WorthOfMonth(Worth):
    """What was booked in one month, YYYY-MM."""

    month: str


class WorthElsewhere(Worth):
    """What was bought in another currency; nothing is converted."""

    currency: str


class WorthSoFar(Worth):
    """What the customer brought so far. `days`: with an order; margin is estimated where a cost is not known."""

    margin_estimated: bool
    days: int
    first_at: str | None
    last_at: str | None
    average_order: str | None
    by_area: list[WorthOfArea]
    by_period: list[WorthOfMonth]


class TierPurposes(BaseModel):
    """What each axis of a tier asks to be done."""

    grade: str
    actual: str
    strategic: str


class Tier(BaseModel):
    """The customer's grade, what it is for, and the day that brought him into it.

    `was`: the grade before, `because`: silence or a booking; `next_drop_at`: when silence takes the next.
    """

    grade: str
    actual: str
    strategic: str
    since: str | None
    was: str | None
    because: str | None
    purpose: str
    purposes: TierPurposes
    next_drop_at: str | None
    policy_version: int


class Value(BaseModel):
    """What the customer is worth. Parts that nothing tells yet are null."""

    currency: str | None
    as_of: str | None
    actual: WorthSoFar | None
    other_currencies: list[WorthElsewhere] | None
    predicted: Predicted | None
    strategic: Strategic | None
    tier: Tier | None
    churn: Churn | None
    group: NeedsGroup | None
    next: Next | None


class SegmentPart(BaseModel):
    """A segment the customer belongs to, and since when; its version counts the changes of what it asks for."""

    segment_id: str
    name: str
    version: int
    since: str


class Meta(BaseModel):
    """How fresh and how complete the document is."""

    version: int
    updated_at: str | None
    lag_ms: int
    position: str | None
    missing: list[str]
    masked: list[str]
    regrouping: list[str]


class CustomerDocument(BaseModel):
    """One customer. A part that no service has told, or that is withheld, is null and listed in `meta`."""

    requested_id: str
    customer_id: str
    identity: Identity | None
    contact: Contact | None
    interaction: Interaction | None
    value: Value | None
    needs: list[Need] | None
    preferences: dict[str, Preference] | None
    consents: dict[str, Consent] | None
    groups: list[GroupPart] | None
    segments: list[SegmentPart] | None
    treatment: TreatmentPart | None
    meta: Meta


PARTS: tuple[str, ...] = (
    "identity", "contact", "interaction", "value", "needs", "preferences", "consents", "groups", "segments",
    "treatment",
)  # fmt: skip

PERSONAL_IDENTIFIER_TYPES = frozenset({"email", "phone"})
"""Identifiers whose value is an address of a person; the others are pseudonyms."""
