"""Surveys asked, answers, and the steps of a follow-up, as interaction's tests hear them."""

from __future__ import annotations

from typing import Any

from schemas.envelope import Event
from services.interaction.domain.feedback import feedback, say
from tests.unit.interaction.hearing import POLICY, event, facts


def asked(day: float, response: Any = "r1", survey: Any = "nps", record: str = "a", **common: Any) -> Event:
    """A survey asked."""
    sent = {"survey_id": survey, "question_id": "nps", **({} if response is None else {"response_id": response})}
    return event("survey.asked", sent, day=day, record=record, direction="outbound", **common)


def answer(day: float, response: Any = "r1", record: str = "a", source: str = "shop", **properties: Any) -> Event:
    """Feedback given."""
    sent = {**({} if response is None else {"response_id": response}), **properties}
    return event("feedback.given", sent, day=day, record=record, source=source)


def nps(day: float, score: Any, response: Any = "r1", record: str = "a", **properties: Any) -> Event:
    """A score from 0 to 10."""
    return answer(day, response, record, score=score, scale="nps", **properties)


def closed(day: float, response: Any = "r1", event_type: str = "ticket.closed", source: str = "desk") -> Event:
    """The help desk's last word on a reply."""
    return event(event_type, {"ticket_id": "t", "response_id": response}, day=day, source=source)


def answered_him(day: float, response: Any = "r1", event_type: str = "message.sent") -> Event:
    """Our word to him on a reply."""
    return event(event_type, {"response_id": response}, day=day, direction="outbound")


def shown(*events: Event) -> dict[str, Any]:
    """The public shape."""
    return feedback(facts(say, *events), POLICY)


def only(*events: Event) -> dict[str, Any]:
    """The one item of it."""
    (item,) = shown(*events)["surveys"]
    assert isinstance(item, dict)
    return item
