"""Shapes of what is answered about identity: evidence, paths, pairs to review, operators' words.

Owns these models; how records came together is history_shapes.py, the other answers' are shapes.py.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from schemas.sections import IdentityRecord
from services.profile.shapes import Asked
from services.runtime.waiting import WAIT_MS_MAX

REASON_CHARS_MAX = 2_000
ACTOR_CHARS_MAX = 256


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

    `constraint`, of a refused one: `exclusive:TYPE`, `limit:TYPE`, `different` where an operator said so,
    `dissimilar`, or `held`: so much hangs on both sides that an operator is to look at it first.
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


class BriefReason(BaseModel):
    """The evidence that weighed most for a record, and the record it was then linked to (`with`)."""

    model_config = ConfigDict(populate_by_name=True)

    kind: Literal["seen_together", "alias", "same_asserted", "similar"]
    with_: Annotated[str, Field(alias="with")]
    event_id: str | None
    source: str | None
    bits: float | None = None


class BriefRecord(BaseModel):
    """A record that came (`from` whom, `because` of what) or went (`to` whom, by which `constraint`)."""

    model_config = ConfigDict(populate_by_name=True)

    record_id: str
    from_: Annotated[str | None, Field(alias="from")] = None
    because: BriefReason | None = None
    to: str | None = None
    constraint: str | None = None


class BriefRefusal(BaseModel):
    """Two records whose link does not join them, and why."""

    records: list[str]
    constraint: str


class BriefDecision(BaseModel):
    """What was decided, without names; …/identity/history tells it with them."""

    decision: Literal["founded", "joined", "left", "refused", "generic"]
    at: str
    records: list[str | BriefRecord] = Field(default_factory=list)
    refused: list[BriefRefusal] = Field(default_factory=list)
    lifted: list[list[str]] = Field(default_factory=list)
    cleared: list[str] = Field(default_factory=list)


class IdentityAnswer(BaseModel):
    """What holds a customer together; of each list at most 100 are told, and `totals` counts them all."""

    customer_id: str
    requested_id: str
    status: str
    records: list[IdentityRecord]
    links: list[IdentityLink]
    assertions: list[IdentityAssertion]
    refusals: list[IdentityRefusal]
    decisions: list[BriefDecision]
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

    `because`, where they are not: an operator said `different`, `exclusive` values, more of a type than the `limit`,
    a large join that is `held` for review, what was said of them is `dissimilar`, a `generic` value between them,
    refused links at `others` on the way, or `nothing` connects them.
    """

    model_config = ConfigDict(populate_by_name=True)

    start: Annotated[OwnedRecord, Field(alias="from")]
    to: OwnedRecord
    same_customer: bool
    path: list[PathStep]
    cut: IdentityLink | None
    refused: list[IdentityLink]
    because: Literal["different", "exclusive", "limit", "held", "dissimilar", "generic", "others", "nothing"] | None
    why: str
    masked: list[str]


class DoubtfulPair(BaseModel):
    """Two records of two customers that are alike by themselves, without what both were seen with."""

    a: OwnedRecord
    b: OwnedRecord
    likeness: Likeness


class LargeSide(OwnedRecord):
    """A record of a large customer, and how many records that has."""

    records: int


class HeldJoin(BaseModel):
    """A join of two large customers that waits for an operator's "same" (`held`), or the strongest pair that was cut
    because too many records hung together (`oversized`).
    """

    a: LargeSide
    b: LargeSide
    constraint: Literal["held", "oversized"]


class ReviewAnswer(BaseModel):
    """Pairs to look at, by ids; before the first of them, the joins that are held."""

    held: list[HeldJoin]
    pairs: list[DoubtfulPair]
    next_cursor: str | None
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
    """The event that says it, and the position from which answers know it.

    `contradicts`: operators' words that this one denies, the latest first: of a pair the later word stands, on other
    pairs they keep holding or parting. Null while identity cannot be asked.
    """

    event_id: str
    position: str
    contradicts: list[IdentityAssertion] | None
    masked: list[str]
