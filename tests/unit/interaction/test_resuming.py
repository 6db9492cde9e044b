"""What a person or a bot needs to go on, and what is told of it, which no day changes."""

from __future__ import annotations

import json
import random

from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import Event
from services.interaction.domain.facts import Fact
from services.interaction.domain.resuming import OPEN_TOLD_MAX, PROMISES_TOLD_MAX, resume, told
from tests.unit.interaction.talking import DAY_US, EVENTS, NOW_US, answer, at, call, event, facts, message


def said_so_far() -> list[Fact]:
    """A chat that waits for us, a call with promises and a question, a preference."""
    return facts(
        event("conversation.opened", {"conversation_id": "c1", "topic": "delivery"}, id="0"),
        message("Where is my parcel?", id="1", minutes=1, locale="en-GB", more={"sentiment": -0.5}),
        answer("It left on Monday.", id="2", minutes=2),
        message("It is not here.", id="3", minutes=3),
        call(
            {
                "summary": "Wants size 43.",
                "promises": [{"text": "Refund", "due_at": "2026-03-04T12:00:00Z"}, "Call back"],
                "questions": [{"question_id": "size", "text": "Which size?", "answer": "43"}],
            },
            id="4",
            days=-1,
        ),
        event("preference.stated", {"topic": "service", "channel": "email", "language": "de"}, id="5", days=-2),
    )


def test_it_says_where_we_left_off() -> None:
    found = resume(said_so_far(), NOW_US)
    assert found["summary"].split("\n") == [
        "Waiting for us since 2026-03-02: delivery (chat)",
        "staff, 2026-03-02: It left on Monday.",
        "customer, 2026-03-02: It is not here.",
        "Open: It is not here.",
        "Promised: Refund, due 2026-03-04 (overdue); Call back",
    ]
    assert [p["text"] for p in found["open_points"]] == ["It is not here.", "Call back", "Refund"]
    assert [(p["text"], p["overdue"]) for p in found["promises_due"]] == [("Refund", True), ("Call back", False)]
    assert found["do_not_ask"] == [
        {"question_id": "size", "question": "Which size?", "answer": "43", "because": "answered", "at": at(days=-1)}
    ]
    names = ("language", "preferred_channel", "tone", "since", "greeting_name", "ask_next")
    assert [found[name] for name in names] == ["de", "email", "negative", at(minutes=3), None, []]


def test_conversations_on_the_channel_come_first_and_nothing_is_hidden() -> None:
    found = resume(said_so_far(), NOW_US, "call")
    assert found["summary"].startswith("Waiting for us since 2026-03-01 (call)")
    assert [p["text"] for p in found["open_points"]] == ["Call back", "Refund", "It is not here."]
    assert found["since"] == at(minutes=3)
    assert resume(said_so_far(), NOW_US, "sms") == resume(said_so_far(), NOW_US)


def test_without_a_word_nothing_is_known() -> None:
    assert resume([], NOW_US, "call") == {
        "summary": "",
        "greeting_name": None,
        "open_points": [],
        "promises_due": [],
        "do_not_ask": [],
        "ask_next": [],
        "language": None,
        "preferred_channel": None,
        "tone": None,
        "since": None,
    }
    assert told([]) == {"open_conversations": [], "promises": [], "answers": {}}


def test_when_all_is_closed_the_last_talk_is_summed_up() -> None:
    closed = event("conversation.closed", {"conversation_id": "c1"}, id="2", minutes=1)
    found = resume(facts(message("Thanks", id="1"), closed), NOW_US)
    assert found["summary"] == "Closed since 2026-03-02 (chat)\ncustomer, 2026-03-02: Thanks"
    assert (found["open_points"], found["since"]) == ([], None)


def test_a_promise_outside_any_conversation_is_an_open_point() -> None:
    made = event("promise.made", {"promise_id": "p", "text": "Refund"})
    found = resume(facts(made), NOW_US)
    assert found["open_points"] == [{"text": "Refund", "since": at(), "event_id": made.event_id}]
    assert found["summary"] == "Promised: Refund"


def test_language_is_what_he_stated_until_it_ends_else_that_of_his_last_word() -> None:
    stated = {"topic": "offers", "language": "de", "until": "2026-03-03T00:00:00Z"}
    said = facts(
        message("Hi", locale="fr_FR", id="1"),
        answer("Hello", locale="en", id="2", minutes=1),
        event("preference.stated", stated, id="3"),
    )
    assert resume(said, NOW_US - 3 * DAY_US)["language"] == "de"
    assert resume(said, NOW_US)["language"] == "fr-FR"


def test_a_preference_of_one_field_leaves_the_others() -> None:
    first = event("preference.stated", {"topic": "offers", "channel": "email", "language": "de"}, id="1")
    then = event("preference.stated", {"topic": "service", "channel": "call"}, id="2", minutes=1)
    found = resume(facts(first, then), NOW_US)
    assert (found["language"], found["preferred_channel"]) == ("de", "call")


def test_a_summary_has_five_short_lines_whatever_was_written() -> None:
    wild = "<b>\x00\n" + "é " * 30_000
    said = facts(
        message(wild, id="1", more={"topic": wild}), answer(wild, id="2"), call({"promises": [wild] * 60}, id="3")
    )
    lines = resume(said, NOW_US)["summary"].split("\n")
    assert len(lines) <= 5
    assert all(len(text) <= 120 and text.isprintable() for text in lines)


def test_what_is_told_knows_no_day() -> None:
    found = told(said_so_far())
    assert len(found["open_conversations"]) == 2
    assert found["open_conversations"][0] == {
        "conversation_id": "c1",
        "state": "waiting_for_us",
        "channels": ["chat"],
        "topic": "delivery",
        "opened_at": at(),
        "last_at": at(minutes=3),
        "last_said": {"by": "customer", "text": "It is not here.", "at": at(minutes=3)},
        "tone": "negative",
    }
    assert [(p["text"], p["due_at"]) for p in found["promises"]] == [
        ("Refund", "2026-03-04T12:00:00Z"),
        ("Call back", None),
    ]


def test_what_is_told_is_bounded() -> None:
    many = [message("Hi", id=str(n), conversation=f"c{n}", minutes=n) for n in range(OPEN_TOLD_MAX + 1)]
    promised = [event("promise.made", {"promise_id": str(n)}, id=f"p{n}") for n in range(PROMISES_TOLD_MAX + 1)]
    found = told(facts(*many, *promised))
    assert [len(found[name]) for name in ("open_conversations", "promises")] == [OPEN_TOLD_MAX, PROMISES_TOLD_MAX]
    assert found["open_conversations"][0]["conversation_id"] == f"c{OPEN_TOLD_MAX}"


@given(EVENTS, st.randoms(use_true_random=False), st.sampled_from([None, "chat", "call"]))
def test_order_and_copies_make_no_difference(events: list[Event], order: random.Random, channel: str | None) -> None:
    said = facts(*events)
    shuffled = [*said, *said]
    order.shuffle(shuffled)
    assert json.dumps(resume(shuffled, NOW_US, channel)) == json.dumps(resume(said, NOW_US, channel))
    assert json.dumps(told(shuffled)) == json.dumps(told(said))


@given(EVENTS)
def test_records_taken_apart_have_exactly_their_own(events: list[Event]) -> None:
    united = facts(*events)
    for record in ("r1", "r2"):
        own = facts(*(e for e in events if e.record_id == record))
        assert told(f for f in united if f.record_id == record) == told(own)


@given(EVENTS.filter(bool), st.integers(0))
def test_what_is_taken_back_was_never_said(events: list[Event], which: int) -> None:
    taken = events[which % len(events)]
    left = [f for f in facts(*events) if f.event_id != taken.event_id]
    assert resume(left, NOW_US) == resume(facts(*(e for e in events if e is not taken)), NOW_US)


@given(EVENTS)
def test_open_promises_are_told_and_due_alike(events: list[Event]) -> None:
    said = facts(*events)
    due_now = [{k: v for k, v in p.items() if k != "overdue"} for p in resume(said, NOW_US)["promises_due"]]
    assert due_now == told(said)["promises"]


def test_promises_that_become_due_are_told_with_their_words_and_no_name_of_a_person() -> None:
    made = event(
        "promise.made", {"promise_id": "p", "text": "x", "due_at": "2026-03-04", "owner": "Ms Smith"}, id="1"
    )
    again = event("promise.made", {"promise_id": "p", "by": "customer"}, id="2", source="customer360", minutes=1)
    in_talk = call({"promises": [{"text": "Refund", "due_at": at(days=1)}], "conversation_id": "c"}, id="3")
    some_day = event("promise.made", {"promise_id": "q"}, id="4")
    kept = [event(f"promise.{w}", {"promise_id": "k", "due_at": at(days=1)}, id=w) for w in ("made", "kept")]
    found = {one["promise_id"]: one for one in told(facts(made, in_talk, some_day, *kept))["due"]}
    assert len(found) == 2
    assert found["p"] == {
        "words": ["shop:p"], "promise_id": "p", "due_us": found["p"]["due_us"], "by": "us", "conversation_id": None,
    }  # fmt: skip
    assert found[f"{in_talk.event_id}.0"]["conversation_id"] == "c"
    (both,) = told(facts(made, again))["due"]
    assert (both["words"], both["by"]) == (["customer360:p", "shop:p"], "customer")
    assert "due" not in told(facts(some_day, *kept)), "most customers are told nothing more"
    many = [event("promise.made", {"promise_id": str(n), "due_at": at()}, id=f"p{n}", minutes=n) for n in range(60)]
    assert [one["promise_id"] for one in told(facts(*many))["due"]][::49] == ["10", "59"], "those made last"
