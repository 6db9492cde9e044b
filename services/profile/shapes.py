"""Requests and answers of the profile API that are not the document itself, for reading and for OpenAPI.

Owns their fields and limits.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.identifiers import VALUE_CHARS_MAX
from schemas.sections import CustomerDocument, Value, WorthElsewhere
from services.runtime.waiting import WAIT_MS_MAX

LOOKUP_IDENTIFIERS_MAX = 1_000
TYPE_CHARS_MAX = 64
IDENTIFIER_CHARS_MAX = TYPE_CHARS_MAX + 1 + VALUE_CHARS_MAX


class Asked(BaseModel):
    """One identifier asked for."""

    type: Annotated[str, Field(min_length=1, max_length=TYPE_CHARS_MAX)]
    value: Annotated[str, Field(max_length=VALUE_CHARS_MAX)]


class LookupRequest(BaseModel):
    """1 to 1,000 identifiers; `include` adds these parts of each customer found."""

    model_config = ConfigDict(extra="forbid")

    identifiers: Annotated[list[Asked], Field(min_length=1, max_length=LOOKUP_IDENTIFIERS_MAX)]
    include: list[str] = Field(default_factory=list)
    min_position: str | None = None
    wait_ms: Annotated[int, Field(ge=0, le=WAIT_MS_MAX)] = 1_000


class Candidate(BaseModel):
    """A customer a shared value may mean."""

    customer_id: str
    name: str | None
    last_seen: str | None
    weight: int


class LookedUp(BaseModel):
    """Whose one identifier is; `customer_id` is null when unknown, generic or ambiguous."""

    type: str
    value: str
    normalised: str
    customer_id: str | None
    ambiguous: bool
    generic: bool
    candidates: list[Candidate]
    customer: CustomerDocument | None = None


class LookupAnswer(BaseModel):
    """Results in the order asked."""

    results: list[LookedUp]


class Actor(BaseModel):
    """Who acted, as the event says: kind customer, staff, bot or system; more where the source sent more."""

    model_config = ConfigDict(extra="allow")

    kind: str | None = None
    id: str | None = None
    name: str | None = None


class Withdrawal(BaseModel):
    """By which event this one was taken back, when and why, and what stands for it; null what is not known."""

    event_id: str | None
    at: str | None
    reason: str | None
    replaced_by: str | None


class IdentityLine(BaseModel):
    """What made a line of identity: the event and what it was evidence of, an operator's reason and who he is.

    `customer_id`: the other customer; of a merge the id that was given up. Null where both records are this customer.
    """

    customer_id: str | None
    because: Literal["seen_together", "alias", "same_asserted", "different_asserted"]
    event_id: str
    reason: str | None
    actor: str | None


class TimelineItem(BaseModel):
    """One event of the history, or with include=decisions a line of identity, whose channel is `internal`.

    `withdrawn`: it was taken back, told with include=corrections. `replaces`: events that were taken back and that
    this one stands for. `takes_back`, `replaced_by`: what an event.retracted names.
    """

    event_id: str
    time: str
    channel: str
    direction: str
    type: str
    title: str
    summary: str | None
    source: str
    actor: Actor | None
    record_id: str
    withdrawn: Withdrawal | None = None
    replaces: list[str] | None = None
    takes_back: str | None = None
    replaced_by: str | None = None
    decision: IdentityLine | None = None
    properties: dict[str, Any] | None = None


class TimelineAnswer(BaseModel):
    """Newest first; ask again with `cursor=next_cursor` for older ones."""

    items: list[TimelineItem]
    next_cursor: str | None


class OrderItem(BaseModel):
    """An order, invoice or subscription charge; `told_otherwise` counts further sendings of the same one."""

    kind: str
    namespace: str
    id: str
    ordered_at: str
    status: Literal["waiting", "open", "returned", "never"]
    currency: str
    net: str
    refunds: str
    record_id: str
    areas: list[str]
    told_otherwise: int
    flags: list[str]


class TierStep(BaseModel):
    """A grade he came into on a day, by silence or a booking (null: his first), by the policy in force."""

    grade: str
    since: str
    because: Literal["silence", "booking"] | None


class ValueMeta(BaseModel):
    """What the answer lacks because it did not come in time: `value.next`."""

    missing: list[str]


class ValueAnswer(Value):
    """What a customer is worth, with the newest 100 orders (`orders_total` counts all) and 50 changes of his tier."""

    customer_id: str
    requested_id: str
    orders: list[OrderItem]
    orders_total: int
    tier_history: list[TierStep]
    meta: ValueMeta


class Total(WorthElsewhere):
    """Everybody's money in one currency."""

    margin_estimated: bool


class TotalsAnswer(BaseModel):
    """The book of all customers, of the business days from `from` to before `to`."""

    model_config = ConfigDict(populate_by_name=True)

    since: Annotated[str | None, Field(alias="from")]
    to: str | None
    totals: list[Total]


class GradeTotal(BaseModel):
    """A grade: from which revenue, or worth of what is to come, on, what it is for, who is in it."""

    grade: str
    revenue_from: str | None
    clv_from: str | None
    purpose: str
    customers: int
    revenue: str
    orders: int


class TiersAnswer(BaseModel):
    """The grades, the highest first, in the reporting currency."""

    currency: str
    policy_number: int
    model_version: int | None
    grades: list[GradeTotal]


class Problems(BaseModel):
    """Problem details (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
