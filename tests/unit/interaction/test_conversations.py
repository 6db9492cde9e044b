"""Where a conversation stands and what is shown of it; neither order, copies nor other records change it."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import Event
from services.interaction.domain.conversations import EVENTS_SHOWN_MAX, ITEMS_SHOWN_MAX, conversations, shown
from services.interaction.domain.promises import due, promises
from tests.unit.interaction.talking import (
    DAY_US,
    EVENTS,
    NOON_US,
    answer,
    at,
    call,
    event,
    facts,
    message,
    talk,
    talks,
)


def test_a_chat_is_shown_in_the_public_shape() -> None:
    asked = message("Where is my parcel?", id="1", more={"sentiment": -0.5})
    assert talk(event("conversation.opened", {"conversation_id": "c1", "topic": "delivery"}, id="0"), asked) == {
        "conversation_id": "c1",
        "state": "waiting_for_us",
        "channels": ["chat"],
        "topic": "delivery",
        "opened_at": at(),
        "last_at": at(),
        "last_said": {"by": "customer", "text": "Where is my parcel?", "at": at()},
        "open_points": [{"text": "Where is my parcel?", "since": at(), "event_id": asked.event_id}],
        "promises": [],
        "asked": [],
        "tone": "negative",
        "score": "-0.5",
        "event_ids": [e.event_id for e in sorted([event("x", id="0"), asked], key=lambda e: e.event_id)],
    }


def test_it_waits_for_whoever_did_not_speak_last() -> None:
    opened = event("conversation.opened", {"conversation_id": "c1"}, id="0")
    asked, answered = message("Where?", id="1", minutes=1), answer("Here.", id="2", minutes=2)
    assert talk(opened)["state"] == "open"
    assert talk(opened, asked)["state"] == "waiting_for_us"
    assert talk(opened, asked, answered)["state"] == "waiting_for_customer"
    assert talk(opened, asked, answered)["open_points"] == []


def test_words_of_a_system_answer_nobody() -> None:
    notice = message("We got your message", id="2", minutes=1, actor={"kind": "system"}, direction="outbound")
    assert talk(message("Where?", id="1"), notice)["state"] == "waiting_for_us"


def test_a_closing_closes_what_came_before_and_a_later_word_opens_it() -> None:
    closed = event("conversation.closed", {"conversation_id": "c1"}, id="9", minutes=5)
    assert talk(message("Where?", id="1"), closed)["state"] == "closed"
    later = talk(message("Where?", id="1"), closed, message("Still nothing", id="2", minutes=6))
    assert later["state"] == "waiting_for_us"
    assert [p["text"] for p in later["open_points"]] == ["Still nothing"]


def test_of_one_moment_the_closing_counts() -> None:
    for ids in (("1", "2"), ("2", "1")):
        closed = event("conversation.closed", {"conversation_id": "c1"}, id=ids[1])
        assert talk(message("Bye", id=ids[0]), closed)["state"] == "closed"


def test_a_closing_before_its_opening_leaves_it_open() -> None:
    closed = event("conversation.closed", {"conversation_id": "c1"}, id="1")
    assert talk(closed, event("conversation.opened", {"conversation_id": "c1"}, id="2", minutes=1))["state"] == "open"


def test_a_closing_whose_opening_is_unknown_is_closed() -> None:
    found = talk(event("conversation.closed", {"conversation_id": "c1"}))
    assert (found["state"], found["last_said"], found["opened_at"]) == ("closed", None, at())


def test_a_message_that_is_only_sent_opens_nothing_again() -> None:
    closed = event("conversation.closed", {"conversation_id": "c1"}, id="2", minutes=1)
    sent = event(
        "message.sent", {"message_id": "m1", "subject": "How was it?"}, id="3", minutes=2, conversation_id="c1"
    )
    assert talk(message("Hi", id="1"), closed, sent)["state"] == "closed"


def test_a_closed_chat_with_an_open_ticket_is_not_closed() -> None:
    ticket = event("ticket.opened", {"ticket_id": "T", "subject": "Sole", "conversation_id": "c1"}, id="1")
    closed = event("conversation.closed", {"conversation_id": "c1"}, id="2", minutes=1)
    found = talk(ticket, closed)
    assert found["state"] == "waiting_for_us"
    assert found["open_points"] == [{"text": "Sole", "since": at(), "event_id": ticket.event_id}]


def test_a_reopened_ticket_waits_for_us() -> None:
    ticket = event("ticket.opened", {"ticket_id": "T", "subject": "Sole"}, id="1")
    closed = event("ticket.closed", {"ticket_id": "T", "resolution": "New pair"}, id="2", minutes=1)
    again = event("ticket.updated", {"ticket_id": "T", "reopened": True}, id="3", minutes=2)
    found = talk(ticket, closed, again)
    assert found["state"] == "waiting_for_us"
    assert found["open_points"] == [{"text": "Sole", "since": at(minutes=2), "event_id": again.event_id}]


def test_a_waiting_ticket_waits_for_the_customer() -> None:
    ticket = event("ticket.opened", {"ticket_id": "T", "subject": "Sole"}, id="1")
    found = talk(ticket, event("ticket.updated", {"ticket_id": "T", "status": "waiting"}, id="2", minutes=1))
    assert found["state"] == "waiting_for_customer"
    assert found["last_said"] == {"by": "customer", "text": "Sole", "at": at()}
    assert [p["text"] for p in found["open_points"]] == ["Sole"]


def test_an_unreached_call_waits_for_the_other_side() -> None:
    for outcome, text in [("missed", "Missed call"), ("abandoned", "Call abandoned"), ("voicemail", "Voicemail")]:
        found = talk(call({"outcome": outcome}))
        assert (found["state"], found["open_points"][0]["text"]) == ("waiting_for_us", text)
        assert found["last_said"] == {"by": "customer", "text": None, "at": at()}
        assert talk(call({"outcome": outcome}, direction="outbound"))["state"] == "waiting_for_customer"


def test_a_resolved_call_is_closed_when_nothing_promised_is_open() -> None:
    one = call({"resolved": True, "promises": [{"promise_id": "p", "text": "Refund"}]}, id="1")
    found = talk(one)
    assert found["state"] == "waiting_for_us"
    assert [p["text"] for p in found["open_points"]] == ["Refund"]
    kept = event("promise.kept", {"promise_id": "p"}, id="2", days=1)
    assert talk(one, kept)["state"] == "closed"
    assert talk(call({"resolved": True}))["state"] == "closed"


def test_an_answered_call_waits_for_us_only_when_it_left_something_to_do() -> None:
    assert talk(call({"resolved": False}))["state"] == "waiting_for_us"
    assert talk(call())["state"] == "waiting_for_customer"
    assert talk(event("meeting.held", {"summary": "Twenty pairs"}))["state"] == "waiting_for_customer"
    promised = {"summary": "Twenty pairs", "promises": ["Offer by Monday"]}
    assert talk(event("meeting.held", promised))["state"] == "waiting_for_us"


def test_a_promise_is_kept_or_broken_whatever_was_heard_first() -> None:
    made = event("promise.made", {"promise_id": "p", "text": "Refund", "due_at": "2026-03-06T17:00:00Z"}, id="1")
    (broken,) = promises(facts(event("promise.broken", {"promise_id": "p"}, id="2", days=-1), made))
    assert (broken.state, broken.text) == ("broken", "Refund")
    words = [event(f"promise.{w}", {"promise_id": "p"}, id=w, days=d) for w, d in [("broken", 5), ("kept", 6)]]
    assert promises(facts(*words, made))[0].state == "kept"
    (unheard,) = promises(facts(words[1]))
    assert (unheard.promise_id, unheard.text, unheard.state) == ("p", None, "kept")


def test_a_promise_belongs_to_the_conversation_it_was_made_in() -> None:
    made = event("promise.made", {"promise_id": "p", "text": "Refund", "conversation_id": "c1"}, id="2", minutes=1)
    found = talk(message("Where?", id="1"), made)
    assert found["promises"] == [{"promise_id": "p", "text": "Refund", "due_at": None, "by": "us", "state": "open"}]
    closed = event("conversation.closed", {"conversation_id": "c1"}, id="3", minutes=2)
    assert [p["text"] for p in talk(message("Where?", id="1"), made, closed)["open_points"]] == ["Refund"]


def test_overdue_is_a_matter_of_the_day() -> None:
    day = {"promise_id": "p", "text": "Refund", "due_at": "2026-03-04T12:00:00Z"}
    made = promises(facts(event("promise.made", day, id="1"), event("promise.made", {"promise_id": "q"}, id="2")))
    assert [p["overdue"] for p in due(made, NOON_US + 2 * DAY_US)] == [False, False]
    assert [p["overdue"] for p in due(made, NOON_US + 2 * DAY_US + 1)] == [True, False]


def test_questions_are_shown_with_the_answer_wherever_it_came() -> None:
    one = call({"questions": [{"question_id": "size", "text": "Which size?"}, {"text": "When?", "by": "customer"}]})
    given_later = event("feedback.given", {"question_id": "size", "answer": "43"}, id="2", days=1)
    found = talk(one, given_later)
    assert found["asked"] == [
        {"question": "Which size?", "answer": "43", "at": at()},
        {"question": "When?", "answer": None, "at": at()},
    ]
    assert [p["text"] for p in found["open_points"]] == ["When?"]


def test_all_questions_since_our_last_word_are_open() -> None:
    said = [
        message(text, id=str(n), minutes=n) for n, text in enumerate(["Hi?", "Size 43?", "I mean blue", "Thanks"])
    ]
    assert [p["text"] for p in talk(*said)["open_points"]] == ["Hi?", "Size 43?", "Thanks"]
    assert [p["text"] for p in talk(*said[:2], answer("Yes", id="9", minutes=1.5), *said[2:])["open_points"]] == [
        "Thanks"
    ]


def test_tone_is_the_customer_s_latest_and_the_score_the_mean() -> None:
    bad, good = (message("x", id=str(n), minutes=n, more={"sentiment": s}) for n, s in enumerate([-1, 0.5]))
    ours = answer("y", id="9", minutes=9, more={"sentiment": -1})
    found = talk(bad, good, ours)
    assert (found["tone"], found["score"]) == ("positive", "-0.25")


def test_words_give_a_tone_where_no_sentiment_was_sent() -> None:
    said = facts(message("I am ANGRY, really angry. Thanks!"))
    assert conversations(said)[0].tone is None
    (found,) = conversations(said, {"angry": -900, "thanks": 300})
    assert (found.tone, found.score) == ("negative", "-0.5")


def test_a_clock_two_days_ahead_is_taken_as_it_is() -> None:
    ahead, now = message("Hello?", id="1", days=2), answer("Yes", id="2", minutes=1)
    assert talk(ahead, now)["state"] == "waiting_for_us"
    assert talk(ahead, now)["last_at"] == at(days=2)


def test_one_id_with_other_bodies_on_two_records_is_two_words() -> None:
    one, other = message("One", record="r1"), message("Other", record="r2")
    assert talk(one, other)["last_said"]["text"] == "Other"
    assert talk(one, other)["event_ids"] == [one.event_id]


def test_lists_hold_the_newest_only() -> None:
    many = [message(f"{n}?", id=str(n), minutes=n) for n in range(EVENTS_SHOWN_MAX + 5)]
    found = talk(*many)
    assert found["event_ids"] == [e.event_id for e in many[5:]]
    assert len(found["open_points"]) == ITEMS_SHOWN_MAX
    assert found["open_points"][-1]["text"] == f"{EVENTS_SHOWN_MAX + 4}?"


def test_the_conversation_with_the_latest_word_comes_first() -> None:
    found = talks(message("a", id="1"), message("b", id="2", minutes=1, conversation="c2"))
    assert [c["conversation_id"] for c in found] == ["c2", "c1"]


@given(EVENTS, st.randoms(use_true_random=False))
def test_order_and_copies_make_no_difference(events: list[Event], order: random.Random) -> None:
    said = facts(*events)
    first = conversations(said)
    shuffled = [*said, *said[: len(said) // 2]]
    order.shuffle(shuffled)
    assert conversations(shuffled) == first


@given(EVENTS)
def test_records_taken_apart_have_exactly_their_own(events: list[Event]) -> None:
    united = facts(*events)
    of_each = {r: conversations(facts(*(e for e in events if e.record_id == r))) for r in ("r1", "r2")}
    assert conversations(united) == conversations(reversed(united))
    assert {r: conversations(f for f in united if f.record_id == r) for r in of_each} == of_each


@given(EVENTS.filter(bool), st.integers(0))
def test_what_is_taken_back_was_never_said(events: list[Event], which: int) -> None:
    taken = events[which % len(events)]
    left = [f for f in facts(*events) if f.event_id != taken.event_id]
    assert conversations(left) == conversations(facts(*(e for e in events if e is not taken)))


@given(EVENTS)
def test_a_conversation_that_is_closed_leaves_only_promises(events: list[Event]) -> None:
    for one in map(shown, conversations(facts(*events))):
        if one["state"] == "closed":
            assert len(one["open_points"]) <= sum(p["state"] == "open" for p in one["promises"])
        assert one["opened_at"] <= one["last_at"]
