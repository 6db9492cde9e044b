"""What streams and webhooks tell: the data of each type of event, for AsyncAPI and for tests.

Owns their fields; what is told when is domain/changing.py and domain/occasions.py. Nothing in it is personal.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.profile.domain import changing

Grade = Literal["A", "B", "C", "D"] | None
Sections = Annotated[list[str], Field(description="Services whose part of the customer changed")]
Parts = Annotated[list[str], Field(description="Parts of the customer's document that may read otherwise now")]
Cause = Annotated[
    Literal["replay"] | None, Field(description="`replay`: told because what a service derived was made anew")
]


class Told(BaseModel):
    """Of which customer, at which version of him. A type may tell more one day; whoever reads leaves it be."""

    model_config = ConfigDict(extra="allow")

    customer_id: UUID
    version: Annotated[int, Field(ge=0, description="Grows with each change of this customer")]


class Changed(Told):
    """A customer came to be, or changed."""

    type: Literal["customer.created", "customer.updated"]
    sections: Sections = []
    changed: Parts = []
    cause: Cause = None


class Split(Told):
    """He goes on, less the records of customers who came out of him."""

    type: Literal["customer.split"]
    came_out_of: Annotated[UUID, Field(alias="from", description="Himself")]
    into: Annotated[list[UUID], Field(min_length=1, description="Who came out of him")]
    sections: Sections = []
    changed: Parts = []
    cause: Cause = None


class Merged(Told):
    """He is gone, and his id answers with another customer: one who was there (merged), or himself (id_changed)."""

    type: Literal["customer.merged", "customer.id_changed"]
    gone: Annotated[list[UUID], Field(alias="from", min_length=1)]
    into: UUID
    cause: Cause = None


class Removed(Told):
    """He is gone, and nobody answers for his id: what was said of him was taken back."""

    type: Literal["customer.removed"]
    cause: Cause = None


class Erased(Told):
    """He was erased: nobody answers for his id any more, and whoever keeps anything of him has to forget it too."""

    type: Literal["customer.erased"]
    cause: Cause = None


class TierChanged(Told):
    """His grade is another; null: he has none."""

    was: Annotated[Grade, Field(alias="from")]
    to: Grade


class SegmentMoved(Told):
    """He is now in a segment, or no longer."""

    segment_id: str


class PromiseDue(Told):
    """What was promised to him, or by him, was to be kept by now, and nobody said that it was."""

    promise_id: str
    due_at: datetime
    by: str | None = None
    conversation_id: str | None = None


class Detractor(Told):
    """An answer of his says that he is not content. `follow_up`: where taking it up stands."""

    event_id: UUID
    time: datetime
    survey_id: str | None = None
    response_id: str | None = None
    scale: str | None = None
    score: int | str | None = None
    follow_up: str | None = None


class Defected(Told):
    """He left: he said so, or ended what bound him."""

    state: str
    since: str | None = None
    cause: str | None = None


class StreamEnded(BaseModel):
    """The last frame of a stream that we end. With `after` as its cursor another goes on where this one was."""

    reason: Literal["slow-reader", "customer-gone", "key-ended", "unavailable"]
    after: str


DATA: Mapping[str, type[Told]] = {
    changing.CREATED: Changed,
    changing.UPDATED: Changed,
    changing.SPLIT: Split,
    changing.MERGED: Merged,
    changing.ID_CHANGED: Merged,
    changing.REMOVED: Removed,
    changing.ERASED: Erased,
    changing.TIER_CHANGED: TierChanged,
    changing.ENTERED: SegmentMoved,
    changing.LEFT: SegmentMoved,
    changing.PROMISE_DUE: PromiseDue,
    changing.DETRACTOR: Detractor,
    changing.DEFECTED: Defected,
}
"""Type → the model of its data."""
