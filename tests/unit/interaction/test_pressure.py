"""Contact pressure: touches and responses by channel, windows, rates, and who is fatigued."""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.answers.pressure import answered
from schemas.envelope import Event
from services.interaction.domain.facts import Fact
from services.interaction.domain.pressure import TIMES_MAX, pressure, say
from tests.unit.interaction.hearing import ODD, POLICY, apart, at, event, facts, us


def sent(day: float, message: Any = None, record: str = "a", channel: str = "email") -> Event:
    """A message of ours."""
    properties = {} if message is None else {"message_id": message}
    return event("message.sent", properties, day=day, record=record, channel=channel, direction="outbound")


def opened(day: float, message: Any = None, record: str = "a", channel: str = "email", **properties: Any) -> Event:
    """A message opened."""
    named = {} if message is None else {"message_id": message}
    return event("message.opened", {**named, **properties}, day=day, record=record, channel=channel)


def call(day: float, direction: str, **properties: Any) -> Event:
    """A call."""
    return event("call.held", properties, day=day, channel="call", direction=direction)


def shown(*events: Event, day: float = 10) -> dict[str, Any]:
    """The public shape on a day."""
    return answered(pressure(facts(say, *events), POLICY), us(day))


def test_nothing_sent_is_no_channel() -> None:
    assert shown() == {}


def test_windows_end_now() -> None:
    found = shown(sent(1), sent(2.9), sent(3.1), sent(9), day=10)["email"]
    assert (found["touches_7d"], found["touches_30d"], found["last_touch_at"]) == (2, 4, at(9))
    assert shown(sent(1), day=40)["email"]["touches_30d"] == 0


def test_a_touch_that_a_wrong_clock_dates_later_is_in_the_window() -> None:
    found = shown(sent(12), day=10)["email"]
    assert (found["touches_7d"], found["last_touch_at"]) == (1, at(12))


def test_messages_calls_and_surveys_of_ours_are_touches() -> None:
    found = shown(
        sent(1, "m"), sent(2, "m", channel="sms"), call(1, "outbound"),
        event("survey.asked", {"survey_id": "s", "question_id": "q"}, day=3, channel="app", direction="outbound"),
        event("conversation.message", {"text": "hello"}, day=4, channel="chat", direction="outbound"),
        event("message.sent", {"message_id": "in"}, day=4, channel="social", direction="inbound"),
    )  # fmt: skip
    assert {channel: answer["touches_30d"] for channel, answer in found.items()} == {"app": 1, "call": 1, "email": 1}


def test_a_message_sent_under_one_id_twice_is_one_touch_at_its_first_time() -> None:
    assert shown(sent(1, "m"), sent(2, "m", record="b"))["email"]["last_touch_at"] == at(1)
    assert shown(sent(1), sent(2))["email"]["touches_30d"] == 2


def test_the_response_rate_counts_messages_by_their_ids() -> None:
    found = shown(sent(1, "m1"), sent(2, "m2"), sent(3, "m3"), opened(4, "m1"), opened(5, "m1"), opened(6, "m1"))
    assert found["email"]["response_rate"] == "0.33"
    assert found["email"]["last_response_at"] == at(4)


def test_a_response_may_come_before_its_message_and_on_another_channel() -> None:
    found = shown(opened(1, "m1", channel="web"), sent(2, "m1"))
    assert list(found) == ["email"]
    assert found["email"]["response_rate"] == "1.00"


def test_responses_that_name_no_message_we_know_count_as_touches_answered_but_never_beyond_them() -> None:
    assert shown(sent(1), sent(2), opened(3))["email"]["response_rate"] == "0.50"
    assert shown(sent(1), opened(2), opened(3), opened(4, "unknown"))["email"]["response_rate"] == "1.00"
    assert shown(sent(1, "m1"), sent(2, "m2"), opened(3, "m1"), opened(4))["email"]["response_rate"] == "1.00"


def test_without_a_touch_there_is_no_rate() -> None:
    found = shown(opened(3))["email"]
    assert (found["response_rate"], found["last_touch_at"], found["fatigued"]) == (None, None, False)


def test_what_a_machine_opened_is_no_response() -> None:
    assert shown(sent(1, "m"), opened(2, "m", machine_open=True))["email"]["last_response_at"] is None


def test_a_call_he_took_is_a_touch_with_its_response() -> None:
    found = shown(call(1, "outbound", outcome="answered", call_id=7), call(2, "outbound", outcome="missed"))["call"]
    assert (found["touches_30d"], found["response_rate"], found["last_response_at"]) == (2, "0.50", at(1))


def test_a_call_of_his_is_a_sign_of_life_and_no_answer() -> None:
    found = shown(call(1, "outbound"), call(2, "inbound"))["call"]
    assert (found["response_rate"], found["last_response_at"]) == ("0.00", at(2))


def test_feedback_answers_the_survey_it_names() -> None:
    asked = event(
        "survey.asked", {"survey_id": "s", "response_id": "r"}, day=1, channel="email", direction="outbound"
    )
    given_back = event("feedback.given", {"score": 9, "scale": "nps", "response_id": "r"}, day=2, channel="web")
    assert shown(asked, given_back)["email"]["response_rate"] == "1.00"


def test_a_call_and_a_message_with_one_number_are_two() -> None:
    found = shown(sent(1, "7"), call(2, "outbound", outcome="answered", call_id="7"))
    assert (found["email"]["response_rate"], found["call"]["response_rate"]) == ("0.00", "1.00")


def test_more_touches_than_the_limit_without_a_response_tire() -> None:
    limit = POLICY.fatigue_limit("email")
    many = [sent(9 + n / 100, f"m{n}") for n in range(limit.touches + 1)]
    assert shown(*many)["email"]["fatigued"] is True
    assert shown(*many[1:])["email"]["fatigued"] is False
    assert shown(*many, day=9.5 + limit.days)["email"]["fatigued"] is False


def test_a_response_since_the_first_of_them_keeps_him_fresh() -> None:
    limit = POLICY.fatigue_limit("email")
    many = [sent(9 + n / 100, f"m{n}") for n in range(limit.touches + 1)]
    assert shown(*many, opened(9.005, "m0"))["email"]["fatigued"] is False
    assert shown(*many, opened(8.9, "old"))["email"]["fatigued"] is True


def test_a_channel_without_a_limit_of_its_own_has_the_usual_one() -> None:
    assert pressure(facts(say, sent(1, channel="social")), POLICY)["social"]["limit"] == {"touches": 6, "days": 7}


def test_a_split_takes_the_touches_along() -> None:
    both = facts(say, sent(1, "m1", "a"), sent(2, "m2", "b"), opened(3, "m1", "b"))
    assert answered(pressure(both, POLICY), us(5))["email"]["response_rate"] == "0.50"
    alone = answered(pressure(apart(both, "a"), POLICY), us(5))["email"]
    assert (alone["touches_7d"], alone["last_response_at"]) == (1, None)


def test_of_very_many_touches_the_newest_times_are_told_and_all_are_counted() -> None:
    told = pressure(facts(say, *(sent(n / 100, f"m{n}") for n in range(TIMES_MAX + 9))), POLICY)["email"]
    assert (len(told["touched_us"]), told["touches"]) == (TIMES_MAX, TIMES_MAX + 9)
    assert told["touched_us"][0] == us((TIMES_MAX + 8) / 100)


@pytest.mark.parametrize("odd", ODD)
def test_odd_values_never_raise(odd: Any) -> None:
    names = ("message_id", "reply_to", "call_id", "response_id", "outcome", "machine_open")
    types = ("message.sent", "message.opened", "message.clicked", "message.replied", "call.held", "survey.asked",
             "conversation.message", "feedback.given")  # fmt: skip
    for event_type in types:
        for direction in ("inbound", "outbound", odd):
            common: dict[str, Any] = {"channel": odd, "direction": direction, "actor": odd, "reply_to": odd}
            said = facts(say, event(event_type, dict.fromkeys(names, odd), **common), event(event_type, odd, day=1))
            told = pressure(said, POLICY)
            assert len(orjson.dumps([told, answered(told, us(1))])) < 5_000


MESSAGES = st.none() | st.sampled_from(["m1", "m2", "m3"])
SENT = st.builds(sent, st.integers(0, 9), MESSAGES, st.sampled_from("ab"), st.sampled_from(["email", "sms"]))
OPENED = st.builds(opened, st.integers(0, 9), MESSAGES, st.sampled_from("ab"), st.sampled_from(["email", "sms"]))
SAID = st.lists(SENT | OPENED, max_size=15, unique_by=lambda e: (e.record_id, e.event_id)).map(
    lambda events: facts(say, *events)
)


@given(SAID, st.randoms(use_true_random=False))
def test_any_order_with_copies_tells_the_same(said: list[Fact], order: random.Random) -> None:
    again = said + said[:3]
    order.shuffle(again)
    assert orjson.dumps(pressure(again, POLICY)) == orjson.dumps(pressure(said, POLICY))


@given(SAID, st.integers(0, 40))
def test_rates_are_shares_and_windows_hold_each_other(said: list[Fact], day: int) -> None:
    told = pressure(said, POLICY)
    for channel, found in answered(told, us(day)).items():
        assert found["touches_7d"] <= found["touches_30d"] <= told[channel]["touches"]
        assert found["response_rate"] is None or 0 <= float(found["response_rate"]) <= 1
    anonymous = sum(f.kind == "touch" and "of" not in f.body for f in said)
    named = {f.body["of"] for f in said if f.kind == "touch" and "of" in f.body}
    assert sum(t["touches"] for t in told.values()) == anonymous + len(named)


@given(SAID)
def test_records_united_and_taken_apart_have_exactly_their_own(said: list[Fact]) -> None:
    united = apart(said, "b") + apart(said, "a")
    assert pressure(united, POLICY) == pressure(said, POLICY)
    for record in "ab":
        told = pressure(apart(united, record), POLICY)
        assert told == pressure(apart(said, record), POLICY)
        times = {f.time_us for f in apart(said, record)}
        assert all(times.issuperset(t["touched_us"] + t["responded_us"]) for t in told.values())
