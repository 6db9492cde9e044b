"""Requests and answers of the profile API that are not the document itself, for reading and for OpenAPI.

Owns their fields and limits.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from schemas.identifiers import VALUE_CHARS_MAX
from schemas.sections import IdentityRecord, Value, WorthElsewhere
from services.runtime.waiting import WAIT_MS_MAX

LOOKUP_IDENTIFIERS_MAX = 1_000
TYPE_CHARS_MAX = 64
IDENTIFIER_CHARS_MAX = TYPE_CHARS_MAX + 1 + VALUE_CHARS_MAX
REASON_CHARS_MAX = 2_000
ACTOR_CHARS_MAX = 256


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
    customer: dict[str, Any] | None = None


class LookupAnswer(BaseModel):
    """Results in the order asked."""

    results: list[LookedUp]


class TimelineItem(BaseModel):
    """One event of the history."""

    event_id: str
    time: str
    channel: str
    direction: str
    type: str
    title: str
    summary: str | None
    source: str
    actor: dict[str, Any] | None
    record_id: str
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


class ValueAnswer(Value):
    """What a customer is worth, with the newest 100 orders; `orders_total` counts all."""

    customer_id: str
    requested_id: str
    orders: list[OrderItem]
    orders_total: int


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
    """A grade: from which revenue on, what it is for, who is in it."""

    grade: str
    revenue_from: str | None
    purpose: str
    customers: int
    revenue: str
    orders: int


class TiersAnswer(BaseModel):
    """The grades, the highest first, in the reporting currency."""

    currency: str
    policy_number: int
    grades: list[GradeTotal]


class NamedRecord(BaseModel):
    """A record by id and name."""

    record_id: str
    type: str
    value: str


class Likeness(BaseModel):
    """How alike two records are: bits, the level of each compared field, and what both were seen with."""

    bits: float
    levels: dict[str, str]
    shared: list[str]


class IdentityLink(BaseModel):
    """One piece of evidence that two records are one, and what became of it; `source` is null for an operator's word.
    What is `similar` was named by no event: it has no source, time or event either, and its `likeness`.

    `constraint`, of a refused one: `exclusive:TYPE`, `different` where an operator said so, or `dissimilar`.
    """

    a: NamedRecord
    b: NamedRecord
    kind: Literal["seen_together", "alias", "same_asserted", "similar"]
    weight: int
    first_seen: str | None
    source: str | None
    event_id: str | None
    likeness: Likeness | None
    state: Literal["joins", "supports", "refused", "generic"]
    constraint: str | None


class IdentityRefusal(IdentityLink):
    """A refused link, and the other customer it leads to."""

    customer_id: str


class IdentityAssertion(BaseModel):
    """The operators' word that stands for a pair."""

    a: NamedRecord
    b: NamedRecord
    kind: Literal["same", "different"]
    reason: str
    actor: str
    time: str | None
    event_id: str


class IdentityAnswer(BaseModel):
    """What holds a customer together; of each list at most 100 are told, and `totals` counts them all."""

    customer_id: str
    requested_id: str
    status: str
    records: list[IdentityRecord]
    links: list[IdentityLink]
    assertions: list[IdentityAssertion]
    refusals: list[IdentityRefusal]
    decisions: list[dict[str, Any]]
    totals: dict[str, int]
    masked: list[str]


class OwnedRecord(NamedRecord):
    """A record and whose it is."""

    customer_id: str


class PathStep(BaseModel):
    """A record on the way, and the link it was reached by; null for the first."""

    record: NamedRecord
    via: IdentityLink | None


class PathAnswer(BaseModel):
    """Why two records are one customer (`path`, and `cut`: the link whose removal parts them), or are not.

    `because`, where they are not: an operator said `different`, `exclusive` values, what was said of them is
    `dissimilar`, a `generic` value between them,
    refused links at `others` on the way, or `nothing` connects them.
    """

    model_config = ConfigDict(populate_by_name=True)

    start: Annotated[OwnedRecord, Field(alias="from")]
    to: OwnedRecord
    same_customer: bool
    path: list[PathStep]
    cut: IdentityLink | None
    refused: list[IdentityLink]
    because: Literal["different", "exclusive", "dissimilar", "generic", "others", "nothing"] | None
    why: str
    masked: list[str]


class AssertedBy(BaseModel):
    """Who said it; without one it is the API key's name."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str | None, Field(min_length=1, max_length=ACTOR_CHARS_MAX)] = None
    name: Annotated[str | None, Field(min_length=1, max_length=ACTOR_CHARS_MAX)] = None


class AssertionRequest(BaseModel):
    """An operator's word on two records, and why."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["same", "different"]
    records: Annotated[list[Asked], Field(min_length=2, max_length=2)]
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=REASON_CHARS_MAX)]
    actor: AssertedBy | None = None
    min_position: str | None = None
    wait_ms: Annotated[int, Field(ge=0, le=WAIT_MS_MAX)] = 1_000


class AssertionAnswer(BaseModel):
    """The event that says it, and the position from which answers know it."""

    event_id: str
    position: str


class Problems(BaseModel):
    """Problem details (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
