"""Requests and answers of the profile API that are not the document itself, for reading and for OpenAPI.

Owns their fields and limits.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from schemas.identifiers import VALUE_CHARS_MAX
from services.runtime.waiting import WAIT_MS_MAX

LOOKUP_IDENTIFIERS_MAX = 1_000
TYPE_CHARS_MAX = 64


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


class Problems(BaseModel):
    """Problem details (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
