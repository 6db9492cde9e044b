"""Saying in a line what passed between a customer and us, and many such lines by chance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from hypothesis import strategies as st

from schemas.envelope import Event, microseconds, moment_at, rfc3339
from schemas.events import EVENT_TYPES
from services.interaction.domain.conversations import conversations, shown
from services.interaction.domain.facts import Fact, facts_about
from services.interaction.domain.preferences import say as say_preferences
from services.interaction.domain.talks import say

NOON_US = microseconds(datetime.fromisoformat("2026-03-02T12:00:00Z"))
MINUTE_US = 60_000_000
DAY_US = 86_400_000_000
NOW_US = NOON_US + 3 * DAY_US


def at(minutes: float = 0, days: float = 0) -> str:
    """How the moment so long after noon is shown."""
    return rfc3339(moment_at(NOON_US + round(minutes * MINUTE_US + days * DAY_US)))


def event(
    kind: str,
    properties: Any = None,
    *,
    id: str = "e1",
    minutes: float = 0,
    days: float = 0,
    record: str = "r1",
    source: str = "shop",
    **data: Any,
) -> Event:
    """An event as it comes from the log, some time after noon; a type we know has its usual direction."""
    known = EVENT_TYPES.get(kind)
    moment = moment_at(NOON_US + round(minutes * MINUTE_US + days * DAY_US))
    usual = {"channel": "chat", "direction": known.direction if known else "inbound"}
    return Event(id, source, kind, moment, record, moment, {**usual, "properties": properties or {}, **data})


def facts(*events: Event) -> list[Fact]:
    """All that the events say of talks and preferences."""
    return [fact for one in events for fact in facts_about(one, [*say(one), *say_preferences(one)])]


def talks(*events: Event) -> list[dict[str, Any]]:
    """The conversations they make, as they are shown."""
    return [shown(c) for c in conversations(facts(*events))]


def talk(*events: Event) -> dict[str, Any]:
    """The one conversation they make."""
    (found,) = talks(*events)
    return found


def states(found: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Conversation id → state."""
    return {one["conversation_id"]: one["state"] for one in found}


def message(text: Any, *, conversation: str | None = "c1", **said: Any) -> Event:
    """The customer writes in a chat."""
    return event(
        "conversation.message", {"conversation_id": conversation, "text": text, **said.pop("more", {})}, **said
    )


def answer(text: Any, **said: Any) -> Event:
    """We write in a chat."""
    return message(text, direction="outbound", actor={"kind": "staff"}, **said)


def call(properties: Any = None, **said: Any) -> Event:
    """A call to us, answered."""
    return event("call.held", {"outcome": "answered", **(properties or {})}, **{"channel": "call", **said})


_IDS = st.sampled_from(["1", "2"])
_WORDS = st.sampled_from(["Where is it?", "It comes.", "Thanks", "\x00<b>x</b>", "é" * 3_000, "  ", "43"])
_JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | _WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
_TALKED: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "message.sent": {"message_id": _IDS, "subject": _WORDS, "reply_to": st.none() | _IDS},
    "message.replied": {"message_id": st.none() | _IDS, "reply_to": _IDS, "text": _WORDS, "subject": _WORDS},
    "conversation.message": {"conversation_id": _IDS, "text": _WORDS, "sentiment": st.sampled_from([-1, 0.5, "x"])},
    "conversation.opened": {"conversation_id": _IDS, "topic": st.sampled_from(["size", "Size!", "parcel"])},
    "conversation.closed": {"conversation_id": _IDS},
    "ticket.opened": {"ticket_id": _IDS, "subject": _WORDS, "conversation_id": st.none() | _IDS},
    "ticket.updated": {"ticket_id": _IDS, "status": st.sampled_from(["open", "waiting", "closed", "x"])},
    "ticket.closed": {"ticket_id": _IDS, "resolution": st.none() | _WORDS},
    "call.held": {
        "topics": st.lists(st.sampled_from(["size", "parcel"]), max_size=2),
        "outcome": st.sampled_from(["answered", "missed", "voicemail"]),
        "resolved": st.booleans(),
        "promises": st.lists(st.fixed_dictionaries({"text": _WORDS, "promise_id": st.none() | _IDS}), max_size=2),
        "questions": st.lists(
            st.fixed_dictionaries({"question_id": st.none() | _IDS, "text": _WORDS, "answer": _JUNK}), max_size=2
        ),
    },
    "promise.made": {"promise_id": _IDS, "text": _WORDS, "conversation_id": st.none() | _IDS},
    "promise.kept": {"promise_id": _IDS},
    "promise.broken": {"promise_id": _IDS},
    "survey.asked": {"survey_id": _IDS, "questions": st.lists(_WORDS, max_size=2), "question_id": st.none() | _IDS},
    "feedback.given": {"survey_id": st.none() | _IDS, "question_id": st.none() | _IDS, "declined": st.booleans()},
    "preference.stated": {"topic": _IDS, "language": _WORDS, "question_id": st.none() | _IDS},
}


def _events_of(kind: str) -> st.SearchStrategy[Event]:
    return st.builds(
        lambda properties, junk, **said: event(kind, {**properties, **junk}, **said),
        st.fixed_dictionaries(_TALKED[kind]),
        st.dictionaries(st.sampled_from(sorted(_TALKED[kind])), _JUNK, max_size=1),
        id=st.integers(0, 10**6).map(str),
        minutes=st.integers(0, 20),
        days=st.sampled_from([0, 0, 2, 9]),
        record=st.sampled_from(["r1", "r2"]),
        source=st.sampled_from(["shop", "shop", "customer360"]),
        direction=st.sampled_from(["inbound", "outbound"]),
        actor=st.sampled_from([None, {"kind": "staff"}, {"kind": "system"}, "x"]),
    )


EVENTS = st.lists(
    st.sampled_from(sorted(_TALKED)).flatmap(_events_of), max_size=12, unique_by=lambda e: (e.source, e.id)
)
"""Some events of talks, several of them of one conversation, a few of them broken."""
