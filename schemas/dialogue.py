"""What passed between us and a customer, as his document shows it: talks, promises, feedback, needs, consents.

Owns these shapes and which of their fields are personal. How told words end and age is schemas/answers.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel

from schemas.personal import PERSONAL


class InteractionItem(BaseModel):
    """One line of the newest ten; its title holds nothing personal."""

    event_id: str
    time: str
    channel: str
    direction: str
    type: str
    title: str
    source: str


class Saying(BaseModel):
    """What was said last in a conversation: customer, staff, bot, system or us."""

    by: str
    text: Annotated[str | None, PERSONAL] = None
    at: str


class OpenConversation(BaseModel):
    """A conversation that is not closed; `state`: open, waiting_for_us or waiting_for_customer."""

    conversation_id: str
    state: str
    channels: list[str]
    topic: Annotated[str | None, PERSONAL] = None
    opened_at: str
    last_at: str
    last_said: Saying | None = None
    tone: str | None = None


class OpenPromise(BaseModel):
    """A promise not yet kept or broken; whether it is overdue at the moment of the answer."""

    promise_id: str
    text: Annotated[str | None, PERSONAL] = None
    due_at: str | None = None
    by: Annotated[str | None, PERSONAL] = None
    state: str
    overdue: bool


class LastScore(BaseModel):
    """The last score on one scale."""

    score: int | str | None
    at: str
    category: str | None


class LastFeedback(BaseModel):
    """The last answer to a survey, without its text."""

    survey_id: str | None
    response_id: str | None
    asked_at: str | None
    expires_at: str | None
    answered_at: str | None
    score: int | str | None
    scale: str | None
    category: str | None
    flags: list[str]
    topic: str | None
    tone: str | None
    product_id: str | None
    declined: bool
    follow_up: str | None
    channel: str
    event_id: str
    origin_record: str


class FeedbackTold(BaseModel):
    """Feedback in short: the last score of each scale, counts, and follow-ups that wait."""

    nps: LastScore | None = None
    csat: LastScore | None = None
    ces: LastScore | None = None
    stars: LastScore | None = None
    open_follow_ups: int
    asked: int
    answered: int
    declined: int
    last_asked_at: str | None
    last: LastFeedback | None


class Pressure(BaseModel):
    """How often a channel reached out to the customer, and whether he tires; `response_rate` is a decimal."""

    touches_7d: int
    touches_30d: int
    last_touch_at: str | None
    last_response_at: str | None
    response_rate: str | None
    fatigued: bool


class ServiceUsed(BaseModel):
    """A service the customer used, and whether he does again and again."""

    service_id: str | None
    name: str | None
    uses: int
    last_at: str
    recurring: bool


class Interaction(BaseModel):
    """What passed between us and the customer; parts of which nothing was said are empty or null."""

    first_at: str
    last_at: str
    count: int
    by_channel: dict[str, int]
    by_type: dict[str, int]
    last: list[InteractionItem]
    open_conversations: list[OpenConversation]
    promises: list[OpenPromise]
    feedback: FeedbackTold | None
    pressure: dict[str, Pressure]
    services: list[ServiceUsed]


class Need(BaseModel):
    """What the customer needs: `stated` by him or `observed`; surer near 1. Evidence: how often, in which way."""

    need: Annotated[str, PERSONAL]
    label: Annotated[str, PERSONAL]
    kind: str
    recurring: bool
    confidence: float
    since: str
    evidence: dict[str, int | str]
    importance: str | None = None
    by_when: str | None = None
    event_id: str | None = None


class Preference(BaseModel):
    """How the customer wants to be told about a topic. `stated` is false where it is inferred from responses.

    `inferred` names the fields that are, `counts` the responses behind them.
    """

    channel: str | None = None
    frequency: str | None = None
    format: str | None = None
    language: str | None = None
    quiet_hours: Annotated[Any, PERSONAL] = None
    value: Annotated[Any, PERSONAL] = None
    hour: int | None = None
    stated: bool
    since: str
    evidence_count: int
    source: str | None = None
    event_id: str | None = None
    origin_record: str | None = None
    inferred: list[str] | None = None
    counts: dict[str, int] | None = None


class ConsentWord(BaseModel):
    """The word that counts, and the record it was said under; a state that ended is `unknown`."""

    state: str
    since: str
    expires_at: str | None
    text_version: str | None
    source: str
    event_id: str
    origin_record: str
    list_id: str | None = None
    method: str | None = None
    legal_basis: str | None = None


class Consent(ConsentWord):
    """What the customer allows for a purpose. `channels`: exactly those in this state, null for all; a withdrawal
    under any of his records wins. `by_channel` has each one's state, `all` of those not named.
    """

    channels: list[str] | None
    by_channel: dict[str, ConsentWord]
