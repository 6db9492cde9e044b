"""Feedback: asked, answered, followed up; scores on their scales; counts that add up."""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.interaction.domain.facts import Fact
from services.interaction.domain.feedback import LISTED_MAX, detractors, feedback, say, summary, told
from services.interaction.domain.policy import read_policy
from services.interaction.domain.scores import figures, total, totals
from tests.unit.interaction.hearing import ODD, POLICY, SHIPPED, apart, at, event, facts
from tests.unit.interaction.surveying import answer, answered_him, asked, closed, nps, only, shown


def test_nothing_said_is_counted_as_nothing() -> None:
    found = shown()
    assert (found["surveys"], found["asked"], found["response_rate"]) == ([], 0, None)
    assert found["nps"] == {
        "promoters": 0, "passives": 0, "detractors": 0, "count": 0, "mean": None, "score": None,
    }  # fmt: skip


def test_an_answer_is_shown_with_its_question() -> None:
    one = nps(2, 3, text="Waited too long.", topic="Delivery")
    assert only(asked(1), one) == {
        "survey_id": "nps", "response_id": "r1", "asked_at": at(1), "expires_at": None, "answered_at": at(2),
        "score": 3, "scale": "nps", "category": "detractor", "flags": [], "topic": "delivery", "tone": "negative",
        "text": "Waited too long.", "product_id": None, "declined": False, "follow_up": "open", "channel": "other",
        "event_id": one.event_id, "origin_record": "a",
    }  # fmt: skip


def test_a_survey_asked_and_not_answered_is_asked() -> None:
    item = only(asked(1))
    assert (item["asked_at"], item["answered_at"], item["follow_up"]) == (at(1), None, None)
    assert shown(asked(1), asked(2))["asked"] == 1


def test_an_answer_may_come_before_its_question_or_without_it() -> None:
    assert only(nps(1, 9), asked(2))["asked_at"] == at(2)
    assert only(nps(1, 9))["asked_at"] is None
    found = shown(nps(1, 9))
    assert (found["asked"], found["answered"], found["response_rate"]) == (0, 1, None)


def test_without_a_response_id_an_answer_belongs_to_the_latest_open_asking_of_its_survey() -> None:
    events = asked(1, None), asked(3, "r3"), nps(4, 9, None, survey_id="nps"), nps(5, 8, None, survey_id="nps")
    items = shown(*events, asked(6, None))["surveys"]
    assert [(i["asked_at"], i["score"]) for i in items] == [(at(6), None), (at(1), 8), (at(3), 9)]


def test_an_answer_of_no_survey_answers_none() -> None:
    found = shown(asked(1, None), answer(2, None, score=5, scale="stars", product_id="P"))
    assert (found["asked"], found["answered"], found["answered_of_asked"], found["response_rate"]) == (
        1,
        1,
        0,
        "0.00",
    )


def test_the_rate_is_of_those_asked() -> None:
    found = shown(asked(1, "r1"), asked(1.1, "r2"), asked(1.2, "r3"), nps(2, 9, "r1"), nps(3, 9, "other"))
    assert (found["answered"], found["answered_of_asked"], found["response_rate"]) == (2, 1, "0.33")


def test_a_refusal_is_no_answer_and_is_kept() -> None:
    found = shown(asked(1), answer(2, declined=True))
    assert (found["declined"], found["answered"], found["surveys"][0]["declined"]) == (1, 0, True)
    assert only(asked(1), answer(2, declined=True), nps(3, 9))["declined"] is False


def test_the_latest_answer_on_a_scale_counts_once() -> None:
    found = shown(nps(1, 2), nps(3, 9), nps(2, 5))
    assert (found["nps"]["count"], found["nps"]["promoters"], found["surveys"][0]["score"]) == (1, 1, 9)


def test_one_reply_may_answer_on_several_scales_and_its_text_goes_with_each() -> None:
    found = shown(nps(1, 9), answer(2, score=4, scale="csat"), answer(3, text="Great"))
    assert [(i["scale"], i["score"], i["text"]) for i in found["surveys"]] == [
        ("csat", 4, "Great"), ("nps", 9, "Great"),
    ]  # fmt: skip
    assert found["answered"] == 1


def test_an_answer_through_the_profile_api_belongs_to_the_asking_it_names() -> None:
    own = answer(2, source="customer360", score=9, scale="nps")
    assert shown(asked(1), own)["answered_of_asked"] == 1
    other = answer(2, source="another", score=9, scale="nps")
    assert shown(asked(1), other)["answered_of_asked"] == 0


def test_the_section_tells_no_text() -> None:
    found = told(facts(say, asked(1), nps(2, 3, text="Secret words"), answer(3, "r2", score=5, scale="csat")), POLICY)
    assert "Secret" not in orjson.dumps(found).decode()
    assert found["nps"] == {"score": 3, "at": at(2), "category": "detractor"}
    assert (found["csat"]["score"], found["ces"], found["open_follow_ups"]) == (5, None, 1)
    assert (found["asked"], found["answered"], found["last_asked_at"]) == (1, 2, at(1))
    assert (found["last"]["scale"], found["last"]["score"]) == ("csat", 5)
    assert told([], POLICY)["last"] is None


def test_counts_are_by_month_and_add_up_over_customers() -> None:
    one = summary(facts(say, asked(1), nps(40, 9)), POLICY)
    assert list(one) == ["2026-03", "2026-04"]
    assert (one["2026-03"]["asked"], one["2026-03"]["answered_of_asked"]) == (1, 1)
    assert one["2026-04"]["scores"] == {"nps": {"promoter": 1, "thousandths": 9_000}}
    other = summary(facts(say, nps(41, 0, record="b")), POLICY)
    both = totals([one, other])
    assert figures(both["2026-04"])["nps"]["score"] == 0
    assert figures(total(both.values()))["nps"]["count"] == 2


def test_of_very_many_replies_the_newest_are_listed_and_all_are_counted() -> None:
    found = shown(*(nps(n, 9, f"r{n}") for n in range(LISTED_MAX + 5)))
    assert (len(found["surveys"]), found["nps"]["count"]) == (LISTED_MAX, LISTED_MAX + 5)
    assert found["surveys"][0]["response_id"] == f"r{LISTED_MAX + 4}"


@pytest.mark.parametrize("odd", ODD)
def test_odd_values_never_raise(odd: Any) -> None:
    names = ("survey_id", "response_id", "score", "scale", "text", "topic", "answer", "declined", "expires_at")
    for event_type in ("survey.asked", "feedback.given", "ticket.closed", "conversation.closed", "message.sent"):
        events = [event(event_type, {"survey_id": "nps", "text": "t", name: odd}, day=1) for name in names]
        events += [event(event_type, odd), event(event_type, dict.fromkeys(names, odd), direction="outbound")]
        for one in events:
            said = facts(say, one)
            assert len(orjson.dumps([feedback(said, POLICY), told(said, POLICY), summary(said, POLICY)])) < 20_000


IDS, DAYS, RECORDS = st.none() | st.sampled_from(["r1", "r2"]), st.integers(0, 60), st.sampled_from("ab")
EVENTS = (
    st.builds(asked, DAYS, IDS, st.just("nps"), RECORDS) | st.builds(nps, DAYS, st.integers(-1, 11), IDS, RECORDS)
    | st.builds(lambda day, r, of: answer(day, r, of, survey_id="nps", score=4, scale="csat"), DAYS, IDS, RECORDS)
    | st.builds(lambda day, r: answer(day, r, declined=True), DAYS, IDS)
    | st.builds(closed, DAYS, st.sampled_from(["r1", "r2"]))
    | st.builds(answered_him, DAYS, st.sampled_from(["r1", "r2"]))
)  # fmt: skip
SAID = st.lists(EVENTS, max_size=15, unique_by=lambda e: (e.record_id, e.event_id)).map(lambda e: facts(say, *e))


@given(SAID, st.randoms(use_true_random=False))
def test_any_order_with_copies_tells_the_same(said: list[Fact], order: random.Random) -> None:
    again = said + said[:3]
    order.shuffle(again)
    assert orjson.dumps(feedback(again, POLICY)) == orjson.dumps(feedback(said, POLICY))
    assert (summary(again, POLICY), told(again, POLICY)) == (summary(said, POLICY), told(said, POLICY))


@given(SAID)
def test_every_answer_is_in_one_reply_and_counts_hold_each_other(said: list[Fact]) -> None:
    found = feedback(said, POLICY)
    assert found["answered_of_asked"] <= min(found["asked"], found["answered"])
    assert found["asked"] <= sum(f.kind == "asked" for f in said)
    assert found["answered"] + found["declined"] <= sum(f.kind == "feedback" for f in said)
    counted = sum(item["category"] is not None for item in found["surveys"])
    assert counted == sum(found[scale]["count"] for scale in ("nps", "csat", "ces", "stars"))


@given(SAID, SAID)
def test_counts_of_customers_add_in_any_grouping(one: list[Fact], other: list[Fact]) -> None:
    a, b = summary(one, POLICY), summary(other, POLICY)
    assert totals([a, b]) == totals([b, a]) == totals([totals([a]), b])
    assert totals([a]) == a


@given(SAID)
def test_records_united_and_taken_apart_have_exactly_their_own(said: list[Fact]) -> None:
    united = apart(said, "b") + apart(said, "a")
    assert feedback(united, POLICY) == feedback(said, POLICY)
    for record in "ab":
        alone = feedback(apart(united, record), POLICY)
        assert alone == feedback(apart(said, record), POLICY)
        assert {item["origin_record"] for item in alone["surveys"]} <= {record}


@given(SAID, st.data())
def test_a_fact_left_out_was_never_said(said: list[Fact], data: st.DataObject) -> None:
    if said:
        out = data.draw(st.sampled_from(said))
        left = [f for f in said if f != out]
        assert out.event_id not in orjson.dumps([feedback(left, POLICY), told(left, POLICY)]).decode()


def test_who_is_a_detractor_is_told_with_all_answers_of_the_response_and_without_a_text() -> None:
    low, corrected = nps(2, 9, text="fine"), nps(3, 4, text="No.")
    (found,) = detractors(facts(say, asked(1), low, corrected, nps(4, 7, "r2")), POLICY)
    assert found.pop("words") == sorted(f"a:{one.event_id}:nps" for one in (low, corrected))
    assert found == {
        "event_id": corrected.event_id, "survey_id": "nps", "response_id": "r1", "scale": "nps", "score": 4,
        "follow_up": "open", "time": at(3),
    }  # fmt: skip
    followed = detractors(facts(say, corrected, closed(5)), POLICY)
    assert [one["follow_up"] for one in followed] == ["closed"]
    assert detractors(facts(say, answer(1, score=1, scale="csat", survey_id="unknown")), POLICY) == []


def test_other_scales_tell_a_detractor_where_the_policy_follows_up() -> None:
    asks = {"name": "x", "version": 1, "questions": [{"question_id": "q", "text": "x"}], "follow_up": {"below": 3}}
    surveys = {"after": {**asks, "scale": "stars"}, "soft": {**asks, "scale": "nps"}}
    policy = read_policy({**SHIPPED, "surveys": surveys})
    given = [answer(n, f"r{n}", score=n, scale="stars", survey_id="after") for n in (2, 3)]
    kept = [nps(n, n, f"n{n}", survey_id="soft") for n in (5, 7)]
    found = detractors(facts(say, *given, *kept), policy)
    assert [(one["scale"], one["score"], one["follow_up"]) for one in found] == [
        ("nps", 5, None),
        ("stars", 2, "open"),
    ]


@given(SAID, st.randoms(use_true_random=False))
def test_no_answer_belongs_to_two_detractors_whatever_the_order(said: list[Fact], order: random.Random) -> None:
    found = detractors(said, POLICY)
    words = [word for one in found for word in one["words"]]
    assert len(set(words)) == len(words)
    mixed = [*said, *said]
    order.shuffle(mixed)
    assert detractors(mixed, POLICY) == found
