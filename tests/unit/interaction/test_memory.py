"""What was asked and answered is remembered, so that nobody asks twice."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import Event
from services.interaction.domain.memory import ASKED_MAX, ASKED_RECENTLY_DAYS, QUESTIONS_SHOWN_MAX, known
from tests.unit.interaction.talking import DAY_US, EVENTS, NOON_US, NOW_US, at, call, event, facts


def asked(question: str = "size", **said: Any) -> Event:
    """A survey of one question."""
    return event("survey.asked", {"survey_id": "s", "question_id": question}, **{"id": "asked", **said})


def given_answer(value: Any = "43", *, question: str | None = "size", more: Any = None, **said: Any) -> Event:
    """An answer, a day after noon."""
    properties = {"question_id": question, "answer": value, **(more or {})}
    return event("feedback.given", properties, **{"id": "answer", "days": 1, "channel": "email", **said})


def of(question: str, *events: Event, days: float = 3) -> dict[str, Any]:
    """What is known of a question so many days after noon."""
    return known(facts(*events), NOON_US + round(days * DAY_US), question)


def because(question: str, *events: Event, days: float = 3) -> tuple[str, bool]:
    """Why it may, or may not, be asked again."""
    found = of(question, *events, days=days)
    return found["because"], found["ask_again"]


def test_an_answer_is_known_with_its_origin() -> None:
    assert of("size", asked(), given_answer(more={"expires_at": "2027-01-01T00:00:00Z"})) == {
        "question_id": "size",
        "question": "size",
        "known": True,
        "answer": "43",
        "at": at(days=1),
        "source": "shop",
        "channel": "email",
        "expires_at": "2027-01-01T00:00:00Z",
        "declined": False,
        "asked_at": at(),
        "asked": [at()],
        "ask_again": False,
        "because": "answered",
    }


def test_what_nobody_asked_may_be_asked() -> None:
    found = of(" Which size? ")
    assert (found["question"], found["question_id"], found["known"], found["asked"]) == (
        "Which size?",
        None,
        False,
        [],
    )
    assert (found["because"], found["ask_again"]) == ("never_asked", True)
    assert because("") == because("?!") == ("never_asked", True)


def test_the_latest_answer_wins_whatever_was_heard_first() -> None:
    assert of("size", given_answer("44", id="2", days=2), given_answer("43", id="1"))["answer"] == "44"


def test_a_question_without_an_answer_is_not_asked_again_for_a_while() -> None:
    assert because("size", asked(), days=ASKED_RECENTLY_DAYS - 0.1) == ("asked_recently", False)
    assert because("size", asked(), days=ASKED_RECENTLY_DAYS) == ("expired", True)
    assert because("size", asked(days=2), days=0) == ("asked_recently", False)


def test_a_refusal_is_not_asked_again_and_forgets_nothing() -> None:
    refused = event("feedback.given", {"question_id": "size", "declined": True, "answer": "none"}, id="no", days=2)
    assert because("size", asked(), refused, days=400) == ("declined", False)
    found = of("size", given_answer(), refused)
    assert (found["declined"], found["known"], found["answer"]) == (True, True, "43")
    answered = of("size", given_answer(days=3), refused)
    assert (answered["declined"], answered["because"]) == (False, "answered")


def test_an_answer_that_has_expired_may_be_asked_for_again_once() -> None:
    old = given_answer(more={"until": "2026-03-05T00:00:00Z"})
    found = of("size", old, days=3)
    assert (found["known"], found["answer"], found["because"], found["ask_again"]) == (False, "43", "expired", True)
    assert because("size", old, asked(days=3), days=4) == ("asked_recently", False)
    assert because("size", old, days=2) == ("answered", False)


def test_a_question_is_found_by_its_text() -> None:
    one = call({"questions": [{"question_id": "size", "text": "Which size?", "answer": "43"}]})
    assert of("which   SIZE", one)["answer"] == "43"
    assert of("size", one)["question"] == "Which size?"
    assert of("Which sizes?", one)["because"] == "never_asked"


def test_a_question_by_text_is_the_one_asked_by_id() -> None:
    by_text = call({"questions": ["Which size?"]}, id="1")
    by_id = event(
        "survey.asked", {"survey_id": "s", "questions": [{"question_id": "size", "text": "which size"}]}, id="2"
    )
    assert len(known(facts(by_text, by_id), NOW_US)["questions"]) == 1
    assert of("size", by_text, by_id)["asked"] == [at(), at()]


def test_questions_of_several_ids_with_one_text_are_known_by_it_together() -> None:
    ids = [
        event("survey.asked", {"survey_id": s, "questions": [{"question_id": s, "text": "Size?"}]}, id=s)
        for s in "ab"
    ]
    assert of("size", *ids, given_answer(question="a"))["answer"] == "43"
    assert of("b", *ids, given_answer(question="a"))["answer"] is None


def test_marks_of_vowels_tell_words_apart() -> None:
    one = call({"questions": [{"text": "की", "answer": "x"}]})
    assert of("की", one)["known"]
    assert not of("का", one)["known"]


def test_a_question_of_marks_only_is_found_as_it_is_written() -> None:
    one = call({"questions": [{"text": "???", "answer": "x"}]})
    assert (of("???", one)["known"], of("!!!", one)["known"]) == (True, False)


def test_very_long_questions_are_found() -> None:
    text = "Why " * 10_000
    assert of(text, call({"questions": [text]}))["because"] == "asked_recently"


def test_what_the_customer_asked_is_no_memory_of_his_answers() -> None:
    assert known(facts(call({"questions": [{"text": "When?", "by": "customer"}]})), NOW_US) == {"questions": []}


@pytest.mark.parametrize(
    ("kind", "properties", "answer"),
    [
        ("need.stated", {"need": "running shoes"}, "running shoes"),
        ("need.stated", {"need": "running shoes", "answer": True}, True),
        ("preference.stated", {"topic": "offers", "channel": "email"}, "email"),
        (
            "preference.stated",
            {"topic": "offers", "channel": "email", "language": "en"},
            {"channel": "email", "language": "en"},
        ),
        ("intention.stated", {"intention": "buy", "probability": 0.25}, {"intention": "buy", "probability": "0.25"}),
        (
            "wallet.stated",
            {"amount_elsewhere": "1200.00", "currency": "EUR"},
            {"amount_elsewhere": "1200.00", "currency": "EUR"},
        ),
        ("contact.updated", {"answer": "+44 7700 900123"}, "+44 7700 900123"),
        ("contact.updated", {}, "+44 7700 900123"),
        ("feedback.given", {"score": 3, "text": "Slow"}, 3),
        ("feedback.given", {"text": "Slow"}, "Slow"),
    ],
)
def test_answers_come_from_whatever_names_the_question(kind: str, properties: dict[str, Any], answer: Any) -> None:
    one = event(kind, {**properties, "question_id": "q"}, traits={"phone": "+44 7700 900123"})
    assert of("q", one)["answer"] == answer
    assert known(facts(event(kind, properties)), NOW_US) == {"questions": []}


def test_an_answer_to_a_survey_is_that_of_its_one_question() -> None:
    whole = event("feedback.given", {"survey_id": "s", "score": 9}, id="2", days=1)
    assert of("nps", asked("nps"), whole)["answer"] == 9
    two = asked("why", id="other")
    assert of("nps", asked("nps"), two, whole)["answer"] is None
    assert of("s", asked("nps"), two, whole)["answer"] == 9
    refused = event("feedback.given", {"survey_id": "s", "declined": True}, id="3", days=2)
    assert [because(q, asked("nps"), two, refused) for q in ("nps", "why")] == [("declined", False)] * 2


def test_a_survey_that_names_no_question_is_one() -> None:
    one = event("survey.asked", {"survey_id": "s", "questions": [{}]})
    assert because("s", one) == ("asked_recently", False)


def test_all_questions_are_listed_the_newest_first_and_not_too_many() -> None:
    many = [asked(f"q{n}", id=str(n), minutes=n) for n in range(QUESTIONS_SHOWN_MAX + 1)]
    listed = known(facts(*many), NOW_US)["questions"]
    assert [q["question_id"] for q in listed[:2]] == [f"q{QUESTIONS_SHOWN_MAX}", f"q{QUESTIONS_SHOWN_MAX - 1}"]
    assert len(listed) == QUESTIONS_SHOWN_MAX


def test_the_times_it_was_asked_are_the_newest() -> None:
    often = [asked(id=str(n), minutes=n) for n in range(ASKED_MAX + 2)]
    found = of("size", *often)
    assert found["asked"] == [at(minutes=n) for n in reversed(range(2, ASKED_MAX + 2))]
    assert found["asked_at"] == found["asked"][0]


def test_an_answer_is_never_dropped_for_its_size() -> None:
    long = of("size", given_answer(["x" * 1_500] * 20))["answer"]
    assert isinstance(long, str)
    assert len(long) <= 2_000
    assert of("size", given_answer("a\x00b" * 10_000))["known"]
    assert of("size", given_answer({"a": [1.5, None, {"b": {"c": {"d": 1}}}]}))["answer"] == {"a": ["1.5"]}


@pytest.mark.parametrize("nothing", [None, "", "  ", [], {}, [None]])
def test_an_answer_that_says_nothing_is_none(nothing: Any) -> None:
    assert of("size", asked(), given_answer(nothing))["known"] is False


@given(EVENTS, st.randoms(use_true_random=False))
def test_order_copies_and_other_records_make_no_difference(events: list[Event], order: random.Random) -> None:
    said = facts(*events)
    first = known(said, NOW_US)
    shuffled = [*said, *said]
    order.shuffle(shuffled)
    assert known(shuffled, NOW_US) == first
    own = facts(*(e for e in events if e.record_id == "r1"))
    assert known((f for f in shuffled if f.record_id == "r1"), NOW_US) == known(own, NOW_US)


@given(EVENTS)
def test_one_question_is_answered_as_in_the_list(events: list[Event]) -> None:
    said = facts(*events)
    for one in known(said, NOW_US)["questions"]:
        if one["question_id"] is not None:
            assert known(said, NOW_US, one["question_id"]) == one
        assert one["known"] or one["because"] != "answered"
        assert not (one["ask_again"] and one["declined"])
