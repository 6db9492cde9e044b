"""Shapes of what is answered about talks: conversations, where they resume, what was asked, feedback.

Owns these models and which of their fields are personal; what the document shows of them is schemas/dialogue.py.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from schemas.dialogue import LastFeedback, OpenConversation, OpenPromise
from schemas.personal import PERSONAL
from schemas.sections import Question


class OpenPoint(BaseModel):
    """Something that waits for an answer or an act."""

    text: Annotated[str | None, PERSONAL] = None
    since: str
    event_id: str


class PromiseMade(BaseModel):
    """A promise; `state`: open, kept or broken."""

    promise_id: str
    text: Annotated[str | None, PERSONAL] = None
    due_at: str | None
    by: Annotated[str | None, PERSONAL] = None
    state: str


class AskedInTalk(BaseModel):
    """A question asked in a conversation, with its answer if there was one."""

    question: Annotated[str | None, PERSONAL] = None
    answer: Annotated[Any, PERSONAL] = None
    at: str | None


class ConversationShown(OpenConversation):
    """A conversation over all its channels; `score`: mean sentiment from -1 to 1, as a decimal."""

    open_points: list[OpenPoint]
    promises: list[PromiseMade]
    asked: list[AskedInTalk]
    score: str | None
    event_ids: list[str]


class ConversationsAnswer(BaseModel):
    """A customer's conversations, the newest first."""

    conversations: list[ConversationShown]
    totals: dict[str, int]
    masked: list[str]


class NotToAsk(BaseModel):
    """A question that was answered, declined, or asked lately."""

    question_id: str | None
    question: Annotated[str | None, PERSONAL] = None
    answer: Annotated[Any, PERSONAL] = None
    because: str
    at: str | None


class ResumeAnswer(BaseModel):
    """Where we left off: what is open, promised and not to be asked again, in one look."""

    summary: Annotated[str, PERSONAL]
    greeting_name: Annotated[str | None, PERSONAL] = None
    open_points: list[OpenPoint]
    promises_due: list[OpenPromise]
    do_not_ask: list[NotToAsk]
    ask_next: list[Question]
    language: str | None
    preferred_channel: str | None
    tone: str | None
    since: str | None
    masked: list[str]


class KnownQuestion(BaseModel):
    """What is known of one question. `because`: never_asked, answered, declined, asked_recently or expired."""

    question_id: str | None
    question: Annotated[str | None, PERSONAL] = None
    known: bool
    answer: Annotated[Any, PERSONAL] = None
    at: str | None
    source: str | None
    channel: str | None
    expires_at: str | None
    declined: bool
    asked_at: str | None
    asked: list[str]
    ask_again: bool
    because: str


class KnownAnswer(KnownQuestion):
    """One question."""

    masked: list[str]


class KnownQuestionsAnswer(BaseModel):
    """All questions, those spoken of last first."""

    questions: list[KnownQuestion]
    masked: list[str]


class GivenFeedback(LastFeedback):
    """One answer to a survey on one scale, or that it was asked and not answered."""

    text: Annotated[str | None, PERSONAL] = None


class OfScale(BaseModel):
    """Scores of one scale by category; of nps `score` is promoters less detractors in per cent."""

    count: int
    mean: str | None
    score: int | None = None
    promoters: int | None = None
    passives: int | None = None
    detractors: int | None = None
    positive: int | None = None
    neutral: int | None = None
    negative: int | None = None


class FeedbackFigures(BaseModel):
    """What surveys came to; `response_rate`: of those asked, as a decimal."""

    nps: OfScale
    csat: OfScale
    ces: OfScale
    stars: OfScale
    asked: int
    answered: int
    answered_of_asked: int
    declined: int
    response_rate: str | None


class FeedbackAnswer(FeedbackFigures):
    """One customer's feedback, the newest first."""

    surveys: list[GivenFeedback]
    masked: list[str]


class FeedbackOfMonth(FeedbackFigures):
    """What surveys came to in one month, YYYY-MM."""

    month: str


class FeedbackTotalsAnswer(BaseModel):
    """Everybody's feedback over time; `from`, `to` as asked, the latter exclusive."""

    by_month: list[FeedbackOfMonth]
    total: FeedbackFigures


class FeedbackOfSome(BaseModel):
    """What surveys came to in one month, YYYY-MM; null what too few customers stand behind."""

    month: str
    nps: OfScale | None
    csat: OfScale | None
    ces: OfScale | None
    stars: OfScale | None
    asked: int | None
    answered: int | None
    answered_of_asked: int | None
    declined: int | None
    response_rate: str | None


class SegmentFeedbackAnswer(BaseModel):
    """The feedback of a segment's members of today over time; `total` adds up what the months show.

    Without `profile:pii` figures that fewer than five customers stand behind are null, listed in `masked`, and in no
    total.
    """

    model_config = ConfigDict(populate_by_name=True)

    segment_id: str
    members: int
    since: Annotated[str | None, Field(alias="from")]
    to: str | None
    by_month: list[FeedbackOfSome]
    total: FeedbackFigures
    masked: list[str]
