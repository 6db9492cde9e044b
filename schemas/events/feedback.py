"""What somebody was asked and told us: surveys, feedback, needs; services used; notes taken.

Owns these types' properties; what has been asked and answered is remembered by the interaction service.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from schemas.envelope import OUTBOUND
from schemas.events.common import Properties
from schemas.events.conversations import Question
from schemas.events.fields import Flag, Id, Moment, Number, PersonalText, Text
from schemas.events.kinds import EventType
from schemas.personal import PERSONAL


class SurveyAsked(Properties):
    """Questions put to somebody."""

    survey_id: Id = None
    question_id: Id = None
    questions: list[Question | str] | None = None
    response_id: Id = None
    expires_at: Moment = None
    trigger: Text = None


class FeedbackGiven(Properties):
    """A score, a text or an answer; `declined` is an answer too: it must not be asked again."""

    score: Number = None
    scale: Literal["nps", "csat", "ces", "stars"] | None = None
    text: PersonalText = None
    survey_id: Id = None
    question_id: Id = None
    answer: Annotated[Any, PERSONAL] = None
    response_id: Id = None
    topic: Text = None
    product_id: Id = None
    declined: Flag = None


class NeedStated(Properties):
    """Something somebody says he needs."""

    need: PersonalText = None
    importance: Text = None
    by_when: Text = None
    recurring: Flag = None
    answer: Annotated[Any, PERSONAL] = None
    question_id: Id = None
    until: Moment = None


class ServiceUsed(Properties):
    """Use of a service or feature."""

    service_id: Id = None
    name: Text = None
    quantity: Number = None
    unit: Text = None
    duration_s: Number = None
    project_id: Id = None
    recurring: Flag = None


class NoteAdded(Properties):
    """A note somebody of ours wrote."""

    text: PersonalText = None
    topic: Text = None
    visibility: Text = None


ASKED = ("question_id|questions", "survey_id")
SAID = ("score+scale|text|answer|declined",)

TYPES: tuple[EventType, ...] = (
    EventType("survey.asked", SurveyAsked, ("interaction",), ASKED, OUTBOUND),
    EventType("feedback.given", FeedbackGiven, ("interaction", "value"), SAID),
    EventType("need.stated", NeedStated, ("interaction", "value"), ("need",)),
    EventType("service.used", ServiceUsed, ("interaction", "value"), ("service_id|name",)),
    EventType("note.added", NoteAdded, ("interaction",), ("text",)),
)
