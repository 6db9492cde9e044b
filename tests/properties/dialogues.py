"""What may be said in talks: one small order, asked about, promised, rated and complained of."""

from __future__ import annotations

from typing import Any

DIALOGUES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("conversation.message", "chat", {"conversation_id": "c1", "text": "Where is my parcel?", "sentiment": -0.5}),
    ("conversation.closed", "chat", {"conversation_id": "c1"}),
    ("ticket.opened", "email", {"ticket_id": "t1", "subject": "Parcel", "conversation_id": "c1"}),
    ("ticket.closed", "email", {"ticket_id": "t1", "resolution": "Found it", "response_id": "a1"}),
    ("call.held", "call", {"summary": "He asked for it", "topics": ["Parcel"], "promises": [{"text": "call back"}]}),
    ("promise.made", "call", {"promise_id": "p1", "text": "send it again", "due_at": "2026-04-01T00:00:00Z"}),
    ("promise.kept", "email", {"promise_id": "p1"}),
    ("consent.granted", "web", {"purpose": "marketing"}),
    ("consent.granted", "web", {"purpose": "marketing", "channels": ["email"], "expires_at": "2026-05-01T00:00:00Z"}),
    ("consent.withdrawn", "web", {"purpose": "marketing", "channels": ["email"]}),
    ("preference.stated", "app", {"topic": "news", "frequency": "weekly", "question_id": "often"}),
    ("preference.stated", "app", {"topic": "news", "channel": "sms", "until": "2026-04-01T00:00:00Z"}),
    ("message.sent", "email", {"message_id": "m1", "purpose": "news"}),
    ("message.clicked", "email", {"message_id": "m1"}),
    ("message.complained", "email", {"message_id": "m1"}),
    ("survey.asked", "email", {"survey_id": "nps", "response_id": "a1", "question_id": "nps"}),
    (
        "feedback.given",
        "email",
        {"survey_id": "nps", "response_id": "a1", "score": 3, "scale": "nps", "text": "slow"},
    ),
    ("need.stated", "chat", {"need": "running shoes", "question_id": "need", "answer": "shoes"}),
    ("service.used", "store", {"service_id": "repair"}),
    ("search.performed", "web", {"query": "running shoes"}),
)
"""(type, channel, properties) of what is said in talks, allowed, preferred, asked, answered and needed."""
