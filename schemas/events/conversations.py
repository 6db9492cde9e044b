"""Talks with somebody: calls, meetings, chats, tickets, and the promises made in them.

Owns these types' properties. Promises inside a call become promises in the interaction service, not here.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from schemas.envelope import OUTBOUND
from schemas.events.common import Properties, Shape
from schemas.events.fields import Flag, Id, Moment, Number, PersonalText, Text
from schemas.events.kinds import EventType
from schemas.personal import PERSONAL


class Promise(Shape):
    """Something promised in a talk."""

    promise_id: Id = None
    text: PersonalText = None
    due_at: Moment = None
    by: Text = None


class Question(Shape):
    """Something asked in a talk, with the answer when there was one."""

    question_id: Id = None
    text: PersonalText = None
    answer: PersonalText = None


class CallHeld(Properties):
    """A phone call, held or missed."""

    call_id: Id = None
    started_at: Moment = None
    duration_s: Number = None
    outcome: Literal["answered", "missed", "voicemail", "abandoned"] | None = None
    summary: PersonalText = None
    topics: list[str] | None = None
    promises: list[Promise] | None = None
    questions: list[Question] | None = None
    queue: Text = None
    wait_s: Number = None
    resolved: Flag = None
    sentiment: Number = None
    recording_url: PersonalText = None


class MeetingHeld(Properties):
    """A meeting and what came of it."""

    summary: PersonalText = None
    subject: PersonalText = None
    meeting_id: Id = None
    started_at: Moment = None
    duration_s: Number = None
    participants: Annotated[list[Any] | None, PERSONAL] = None
    promises: list[Promise] | None = None
    decisions: Annotated[list[Any] | None, PERSONAL] = None
    documents: Annotated[list[Any] | None, PERSONAL] = None


class ConversationMessage(Properties):
    """One message of a chat; who wrote it is the event's direction and actor."""

    conversation_id: Id = None
    text: PersonalText = None
    message_id: Id = None
    reply_to: Id = None
    sentiment: Number = None
    attachments: Annotated[list[Any] | None, PERSONAL] = None


class Conversation(Properties):
    """A conversation opened or closed."""

    conversation_id: Id = None
    topic: Text = None
    outcome: Text = None
    duration_s: Number = None
    csat: Number = None


class Ticket(Properties):
    """A case at the help desk."""

    ticket_id: Id = None
    subject: PersonalText = None
    text: PersonalText = None
    kind: Literal["question", "request", "complaint", "fault"] | None = None
    priority: Text = None
    status: Text = None
    conversation_id: Id = None
    order_id: Id = None
    resolution: PersonalText = None
    reopened: Flag = None


class PromiseEvent(Properties):
    """A promise made, kept or broken."""

    promise_id: Id = None
    text: PersonalText = None
    due_at: Moment = None
    conversation_id: Id = None
    owner: PersonalText = None


TALK = ("interaction",)
CASE = ("interaction", "value")

TYPES: tuple[EventType, ...] = (
    EventType("call.held", CallHeld, ("identity", *CASE), channel="call"),
    EventType("meeting.held", MeetingHeld, TALK, ("summary|subject",)),
    EventType("conversation.message", ConversationMessage, ("identity", *TALK), ("conversation_id", "text")),
    EventType("conversation.opened", Conversation, TALK, ("conversation_id",)),
    EventType("conversation.closed", Conversation, TALK, ("conversation_id",)),
    EventType("ticket.opened", Ticket, CASE, ("ticket_id", "subject")),
    EventType("ticket.updated", Ticket, CASE, ("ticket_id",)),
    EventType("ticket.closed", Ticket, CASE, ("ticket_id",)),
    EventType("promise.made", PromiseEvent, TALK, ("promise_id", "text"), OUTBOUND),
    EventType("promise.kept", PromiseEvent, TALK, ("promise_id",), OUTBOUND),
    EventType("promise.broken", PromiseEvent, TALK, ("promise_id",), OUTBOUND),
)
