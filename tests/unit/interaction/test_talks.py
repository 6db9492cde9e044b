"""What events say of talks: turns, openings, closings, promises, questions; and that no sender makes it fail."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import Event
from services.interaction.domain.facts import TEXT_CHARS_MAX
from services.interaction.domain.questions import TYPES as QUESTION_TYPES
from services.interaction.domain.talks import TYPES, say
from tests.unit.interaction.talking import EVENTS, at, call, event, facts, message

EVERY_TYPE = sorted({*TYPES, *QUESTION_TYPES})


def body(one: Event, kind: str = "turn") -> dict[str, Any]:
    """The body of the one fact of that kind."""
    (found,) = [said for fact_kind, _, said in say(one) if fact_kind == kind]
    return found


def kinds(one: Event) -> list[str]:
    """The kinds of what the event says."""
    return [kind for kind, _, _ in say(one)]


def test_a_message_is_a_turn_of_its_conversation() -> None:
    ((kind, key, said),) = say(message("Where is my parcel?", locale="en_GB.UTF-8", more={"sentiment": -0.25}))
    assert (kind, key) == ("turn", "conversation:shop:c1")
    assert said == {
        "what": "message",
        "by": "customer",
        "threads": ["conversation:shop:c1"],
        "text": "Where is my parcel?",
        "conversation_id": "c1",
        "tone": -250,
        "locale": "en-GB",
    }


def test_a_conversation_may_be_named_among_the_common_fields() -> None:
    assert say(call(conversation_id="c1"))[0][1] == "conversation:shop:c1"


def test_ids_are_those_of_the_business_namespace() -> None:
    assert say(message("Hi", business_namespace="b:1"))[0][1] == "conversation:b%3A1:c1"


def test_a_call_without_ids_is_a_talk_of_its_own() -> None:
    one = call()
    assert say(one)[0][1] == f"event:{one.event_id}"
    assert "threads" not in body(one)


def test_a_turn_names_every_thread_it_could_belong_to() -> None:
    one = event("message.replied", {"message_id": "m2", "reply_to": "m1", "text": "Yes"}, conversation_id="c1")
    assert body(one)["threads"][:3] == ["conversation:shop:c1", "message:shop:m2", "message:shop:m1"]


def test_who_wrote_is_the_actor_before_the_direction() -> None:
    assert body(message("Hi"))["by"] == "customer"
    assert body(message("Hi", actor={"kind": "bot"}))["by"] == "bot"
    assert body(message("Hi", direction="outbound"))["by"] == "us"
    assert body(message("Hi", direction="outbound", actor={"kind": "staff"}))["by"] == "staff"


def test_who_took_a_call_did_not_make_it() -> None:
    assert body(call(actor={"kind": "staff"}))["by"] == "customer"
    assert body(call(actor={"kind": "staff"}, direction="outbound"))["by"] == "staff"


def test_a_ticket_is_opened_and_says_its_subject() -> None:
    one = event("ticket.opened", {"ticket_id": "T-1", "subject": "Sole came off", "conversation_id": "c1"})
    assert kinds(one) == ["opened", "turn"]
    assert body(one)["text"] == "Sole came off"
    assert body(one, "opened")["threads"] == ["conversation:shop:c1", "ticket:shop:T-1"]


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"status": "closed"}, ["closed"]),
        ({"status": "Solved", "resolution": "New pair"}, ["turn", "closed"]),
        ({"reopened": True}, ["opened"]),
        ({"status": "waiting"}, ["turn"]),
        ({"priority": "high"}, []),
        ({"text": "Any news?"}, ["turn"]),
    ],
)
def test_a_ticket_s_update_says_what_its_status_means(properties: dict[str, Any], said: list[str]) -> None:
    assert kinds(event("ticket.updated", {"ticket_id": "T-1", **properties})) == said


def test_a_promise_in_a_call_is_named_after_its_event_and_place() -> None:
    promises = [{"text": " "}, {"text": "Call back"}, "Send it", {"promise_id": 7, "due_at": "2026-03-06"}, 5]
    one = call({"promises": promises})
    said = [(key, b["promise_id"]) for kind, key, b in say(one) if kind == "promise"]
    derived = [f"{one.event_id}.{place}" for place in (1, 2)]
    assert said == [*((f"event:{name}", name) for name in derived), ("shop:7", "7")]


def test_a_derived_promise_is_named_from_anywhere() -> None:
    made = call({"promises": [{"text": "Call back"}]})
    ((_, _, _), (_, key, promise)) = say(made)
    kept = event("promise.kept", {"promise_id": promise["promise_id"]}, source="customer360")
    assert say(kept)[0][1] == key


def test_a_day_alone_is_due_by_its_end() -> None:
    made = event("promise.made", {"promise_id": "p", "text": "Refund", "due_at": "2026-03-06"})
    to_the_second = event("promise.made", {"promise_id": "p", "text": "Refund", "due_at": "2026-03-06 23:59:59Z"})
    assert say(made) == say(to_the_second)


def test_a_promise_by_the_customer_is_his() -> None:
    made = event("promise.made", {"promise_id": "p", "text": "I send a photo"}, direction="inbound")
    assert say(made)[0][2]["by"] == "customer"


def test_questions_of_a_call_are_ours_unless_the_customer_asked() -> None:
    asked = [{"question_id": "size", "answer": 43}, {"text": "When?", "by": "customer"}, {"answer": "x"}, None]
    said = [(key, b) for kind, key, b in say(call({"questions": asked})) if kind == "question"]
    assert said == [
        ("id:size", {"question_id": "size", "answer": 43}),
        ("text:when", {"question": "When?", "by": "customer"}),
    ]


def test_an_event_that_lacks_what_its_type_requires_says_nothing() -> None:
    assert say(message("Hi", incomplete=["conversation_id"])) == []
    assert say(message("  ")) == []
    assert say(event("ticket.closed")) == []
    assert say(event("conversation.closed")) == []
    assert say(event("promise.kept")) == []
    assert say(event("message.replied", {"message_id": "m1"})) == []


def test_other_types_say_nothing() -> None:
    assert say(event("page.viewed", {"conversation_id": "c1", "question_id": "q"})) == []
    assert say(event("note.added", {"text": "Rude", "conversation_id": "c1"})) == []


def test_a_sentiment_of_another_scale_says_nothing() -> None:
    assert "tone" not in body(message("Hi", more={"sentiment": 87}))
    assert "tone" not in body(message("Hi", more={"sentiment": "good"}))


def test_long_texts_are_cut_and_control_characters_are_gone() -> None:
    text = body(message("<script>\x00\x1b[31m" + "a" * 30_000))["text"]
    assert len(text) == TEXT_CHARS_MAX
    assert text.startswith("<script>")
    assert all(c.isprintable() for c in text)
    assert say(message("\x00\x01")) == []


def test_ids_that_are_too_long_name_nothing() -> None:
    one = message("Hi", conversation="c" * 300)
    assert say(one)[0][1] == f"event:{one.event_id}"
    assert "conversation_id" not in body(one)


@given(EVENTS)
def test_bodies_are_small_json_without_floats(events: list[Event]) -> None:
    for fact in facts(*events):
        written = json.dumps(fact.body)
        assert len(fact.body.get("text", "")) <= TEXT_CHARS_MAX
        assert json.loads(written, parse_float=pytest.fail) == fact.body


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.decimals(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
FIELDS = (
    "text", "conversation_id", "promises", "questions", "question_id", "ticket_id", "promise_id", "topics",
    "sentiment", "reply_to", "answer", "due_at", "survey_id", "message_id", "status", "need", "score",
)  # fmt: skip


@given(st.sampled_from(EVERY_TYPE), st.dictionaries(st.sampled_from(FIELDS), JSON), JSON, JSON)
def test_nothing_that_is_sent_makes_it_fail(kind: str, properties: dict[str, Any], one: Any, other: Any) -> None:
    common = {"actor": one, "locale": other, "conversation_id": other, "traits": one, "context": one}
    for fact_kind, key, said in say(event(kind, properties, **common)):
        assert fact_kind
        assert key
        json.dumps(said)


def test_properties_that_are_no_object_say_nothing() -> None:
    assert say(event("conversation.message", ["text"])) == []
    assert kinds(event("call.held", "text")) == ["turn"]


def test_an_event_from_before_is_shown_by_its_own_time() -> None:
    (fact,) = facts(message("Hi", days=-1))
    assert fact.at == at(days=-1)
