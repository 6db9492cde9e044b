"""Shapes of how a customer's records came together: the order in which they join, and what was decided when.

Owns these models; links and records themselves are identity_shapes.py.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.profile.identity_shapes import IdentityLink, NamedRecord


class JoiningStep(BaseModel):
    """One link that joined two parts, in the order in which links are taken: the strongest first.

    `a_records`, `b_records`: how many records the parts of its two ends had until then. `hanging`: how many records
    nothing else holds to the rest, counted on the smaller side; 0 where other links lead round this one.
    """

    number: int
    link: IdentityLink
    a_records: int
    b_records: int
    hanging: int
    weakest: bool


class HowAnswer(BaseModel):
    """How a customer's records become one; of the steps at most 100 are told, and `totals` counts them all.

    `weakest` is the last step; `hinge` the one on which most records hang, null where no single link's removal would
    part them.
    """

    customer_id: str
    requested_id: str
    steps: list[JoiningStep]
    weakest: JoiningStep | None
    hinge: JoiningStep | None
    totals: dict[str, int]
    why: str
    masked: list[str]


class JoiningReason(BaseModel):
    """The evidence that weighed most for a record when it joined, and the record it was then linked to (`with`).

    `bits` is of likeness. `reason` and `actor` are an operator's, while his word is not taken back.
    """

    model_config = ConfigDict(populate_by_name=True)

    kind: Literal["seen_together", "alias", "same_asserted", "similar"]
    with_: Annotated[NamedRecord, Field(alias="with")]
    event_id: str | None
    source: str | None
    bits: float | None
    reason: str | None
    actor: str | None


class JoinedRecord(NamedRecord):
    """A record that came, the customer it was of (null where it was new), and why it is here."""

    model_config = ConfigDict(populate_by_name=True)

    from_: Annotated[str | None, Field(alias="from")]
    because: JoiningReason | None


class LeftRecord(NamedRecord):
    """A record that went, the customer it is of now, and the constraint that parts them; null where nothing links it
    to the rest any more.
    """

    to: str | None
    constraint: str | None


class RefusedPair(BaseModel):
    """A link that does not join, and the constraint."""

    records: list[NamedRecord]
    constraint: str


class Decision(BaseModel):
    """`version` counts a stream's decisions, `at` is the log's time of the event that led to it; `total` counts what
    its lists, of which each tells at most 100, speak of.
    """

    version: int
    at: str
    total: int


class FoundedDecision(Decision):
    """There is more to tell of the customer than that it is this one record."""

    decision: Literal["founded"]
    records: list[NamedRecord]


class JoinedDecision(Decision):
    """Records came to the customer."""

    decision: Literal["joined"]
    records: list[JoinedRecord]


class LeftDecision(Decision):
    """Records went to other customers."""

    decision: Literal["left"]
    records: list[LeftRecord]


class RefusedDecision(Decision):
    """Links were refused; to those in `lifted` no constraint applies any more."""

    decision: Literal["refused"]
    refused: list[RefusedPair]
    lifted: list[list[NamedRecord]]


class GenericDecision(Decision):
    """Records are seen with too many people to say who somebody is; those in `cleared` are so no more."""

    decision: Literal["generic"]
    records: list[NamedRecord]
    cleared: list[NamedRecord]


AnyDecision = Annotated[
    FoundedDecision | JoinedDecision | LeftDecision | RefusedDecision | GenericDecision,
    Field(discriminator="decision"),
]


class HistoryAnswer(BaseModel):
    """What was decided about a customer, newest first. `of`: the id under which it was decided, today's unless a
    former one was asked for; `former`: the customer's other ids under which anything was.
    """

    customer_id: str
    requested_id: str
    of: str
    former: list[str]
    decisions: list[AnyDecision]
    next_cursor: str | None
    totals: dict[str, int]
    why: str
    masked: list[str]
