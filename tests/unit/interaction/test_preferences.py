"""Preferences: stated field by field, ended by the day, and inferred from responses where nothing is stated."""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.answers.preferences import answered, best_hours
from schemas.envelope import Event
from services.interaction.domain import pressure
from services.interaction.domain.facts import Fact
from services.interaction.domain.preferences import preferences, say
from tests.unit.interaction.hearing import ODD, POLICY, apart, at, event, facts, us


def stated(day: float = 0, topic: Any = "offers", record: str = "a", **fields: Any) -> Event:
    """A preference."""
    return event("preference.stated", {"topic": topic, **fields}, day=day, record=record)


def opened(day: float, channel: str = "email", record: str = "a", **properties: Any) -> Event:
    """A message opened; each day another one."""
    sent = {"message_id": f"m{day}", **properties}
    return event("message.opened", sent, day=day, record=record, channel=channel)


def heard(*events: Event) -> list[Fact]:
    """What the events say of preferences and responses."""
    return facts(say, *events) + facts(pressure.say, *events)


def shown(*events: Event, day: float = 100) -> dict[str, Any]:
    """The public shape on a day."""
    return answered(preferences(heard(*events), POLICY), us(day))


def test_a_stated_preference_is_shown_with_all_its_fields() -> None:
    one = stated(1, channel="email", frequency="weekly", format="html", language="en", quiet_hours={"from": "20:00"})
    assert shown(one) == {
        "offers": {
            "channel": "email", "frequency": "weekly", "format": "html", "language": "en",
            "quiet_hours": {"from": "20:00"}, "stated": True, "since": at(1), "evidence_count": 1, "source": "shop",
            "event_id": one.event_id, "origin_record": "a",
        }
    }  # fmt: skip


def test_a_word_replaces_the_fields_it_names_and_leaves_the_others() -> None:
    found = shown(stated(1, frequency="weekly", channel="email"), stated(2, frequency="daily", channel=None))[
        "offers"
    ]
    assert (found["frequency"], found["channel"], found["since"]) == ("daily", "email", at(2))
    assert found["evidence_count"] == 2


def test_the_latest_word_of_any_record_counts_and_a_split_gives_back_the_other() -> None:
    both = heard(stated(1, record="a", frequency="weekly"), stated(2, record="b", frequency="daily"))
    assert answered(preferences(both, POLICY), us(9))["offers"]["frequency"] == "daily"
    alone = answered(preferences(apart(both, "a"), POLICY), us(9))["offers"]
    assert (alone["frequency"], alone["origin_record"], alone["evidence_count"]) == ("weekly", "a", 1)


def test_a_word_that_ended_gives_way_to_what_was_said_before() -> None:
    events = stated(1, frequency="weekly"), stated(2, frequency="never", until=at(10), format="text")
    assert [shown(*events, day=day)["offers"]["frequency"] for day in (9, 10)] == ["never", "weekly"]
    assert shown(*events, day=10)["offers"]["format"] is None


def test_a_topic_of_which_every_word_ended_is_not_shown() -> None:
    assert shown(stated(1, frequency="weekly", until="2026-03-05"), day=3) == {}
    assert shown(stated(1, frequency="weekly", until="whenever"), day=3)["offers"]["frequency"] == "weekly"


@pytest.mark.parametrize("topic", [None, "", "  ", {}, [1]])
def test_without_a_topic_it_says_nothing(topic: Any) -> None:
    assert heard(stated(1, topic=topic, frequency="weekly")) == []


def test_without_a_field_it_says_nothing() -> None:
    assert heard(stated(1), stated(2, channel=5, frequency={}, quiet_hours=[], value="")) == []


def test_topics_keep_their_names_and_lose_their_case() -> None:
    assert list(shown(stated(1, topic="Order_Updates", value=True), stated(2, topic=" News  letter", value=1))) == [
        "news letter", "order_updates",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"from": "20:00", "to": "08:00"}, {"from": "20:00", "to": "08:00"}),
        ([{"from": 20, "to": 8.5}], [{"from": 20, "to": "8.5"}]),
        ("nights", "nights"),
        (True, True),
        ({"from": "\x00 20:00 \ud800"}, {"from": "20:00"}),
        ({"x" * 2_000: 1}, None),
        ([[[[[[1]]]]]], None),
        ("x" * 30_000, None),
        ([0] * 1_000, None),
    ],
)
def test_quiet_hours_are_kept_in_any_small_shape(sent: Any, kept: Any) -> None:
    found = shown(stated(1, frequency="weekly", quiet_hours=sent))["offers"]
    assert found["quiet_hours"] == kept


def test_a_channel_has_one_name() -> None:
    assert shown(stated(1, channel="Phone"))["offers"]["channel"] == "call"
    assert shown(stated(1, channel="carrier pigeon"))["offers"]["channel"] == "carrier_pigeon"


def test_best_channel_and_hour_are_inferred_from_enough_responses_with_counts() -> None:
    events = [opened(1.4), opened(2.4), opened(3.5), opened(4.1, channel="push"), opened(5.1, channel="push")]
    found = shown(*events)["contact"]
    assert found == {
        "channel": "email", "frequency": None, "format": None, "language": None, "quiet_hours": None, "hour": 9,
        "stated": False, "since": at(1.4), "evidence_count": 3, "inferred": ["channel", "hour"],
        "counts": {"responses": 3, "at_hour": 2},
    }  # fmt: skip
    assert best_hours(preferences(heard(*events), POLICY)) == {"email": 9}


def test_too_few_responses_infer_nothing() -> None:
    assert shown(opened(1), opened(2)) == {}


def test_a_message_counts_once_however_often_it_was_opened() -> None:
    assert shown(*(opened(day, message_id="m") for day in range(9))) == {}


def test_what_a_machine_opened_infers_nothing() -> None:
    assert shown(*(opened(day, machine_open=True) for day in range(9))) == {}


def test_clicks_replies_and_talks_of_the_customer_count_and_ours_do_not() -> None:
    staff = {"kind": "staff"}
    events = [
        event("message.clicked", {"message_id": "m"}, day=1, channel="chat"),
        event("message.replied", {"text": "hello"}, day=2, channel="chat"),
        event("conversation.message", {"conversation_id": "c", "text": "hello"}, day=3, channel="chat"),
        event("conversation.message", {"text": "hello"}, day=4, channel="sms", direction="outbound"),
        event("conversation.message", {"text": "hello"}, day=5, channel="sms", actor=staff),
        event("message.replied", {"text": "hello"}, day=6, channel="sms", actor=staff),
    ]
    assert shown(*events)["contact"]["evidence_count"] == 3
    assert shown(*events)["contact"]["channel"] == "chat"


def test_equal_channels_are_taken_by_name_and_equal_hours_the_earlier() -> None:
    events = [opened(day + 0.5, channel=c) for c in ("sms", "email") for day in (1, 2, 3)]
    named = [event("message.opened", {"message_id": f"{e.id}{e.data['channel']}"}, day=n, channel=e.data["channel"])
             for n, e in enumerate(events)]  # fmt: skip
    assert shown(*named)["contact"]["channel"] == "email"
    assert shown(opened(1.5), opened(2.25), opened(3.75))["contact"]["hour"] == 6


@pytest.mark.parametrize(
    ("zone", "hour"),
    [("Europe/Berlin", 1), ("America/New_York", 19), ("UTC", 0), ("Mars/Base", 0), ("America", 0),
     ("../etc/passwd", 0), ("/etc/localtime", 0), ("x" * 300, 0), ("\x00", 0), (7, 0), (None, 0), ({}, 0)],
)  # fmt: skip
def test_the_hour_is_of_the_zone_the_event_names_else_utc(zone: Any, hour: int) -> None:
    events = [
        event("message.opened", {"message_id": f"m{n}"}, day=n, channel="email", timezone=zone) for n in range(3)
    ]
    assert shown(*events)["contact"]["hour"] == hour


def test_what_is_stated_beats_what_is_inferred_field_by_field() -> None:
    seen = [opened(1.5), opened(2.5), opened(3.5)]
    sms = shown(*seen, stated(4, topic="contact", channel="sms"))["contact"]
    assert (sms["channel"], sms["stated"], sms["inferred"]) == ("sms", True, [])
    assert "hour" not in sms
    same = shown(*seen, stated(4, topic="contact", channel="email"))["contact"]
    assert (same["channel"], same["hour"], same["inferred"]) == ("email", 12, ["hour"])
    other = shown(*seen, stated(4, topic="contact", language="de"))["contact"]
    assert (other["channel"], other["language"], other["inferred"]) == ("email", "de", ["channel", "hour"])
    assert other["stated"] is True


@pytest.mark.parametrize("odd", ODD)
def test_odd_values_never_raise(odd: Any) -> None:
    names = ("topic", "channel", "frequency", "format", "language", "quiet_hours", "value", "until")
    events = [event("preference.stated", {"topic": "t", "frequency": "f", name: odd}, day=1) for name in names]
    events += [event("preference.stated", odd), event("preference.stated", dict.fromkeys(names, odd), channel=odd)]
    for one in events:
        told = preferences(heard(one), POLICY)
        assert len(orjson.dumps([told, answered(told, us(1))])) < 20_000


STATED = st.builds(
    lambda day, topic, record, name, value, ends: stated(
        day, topic, record, **{name: value}, **({} if ends is None else {"until": at(ends)})
    ),
    st.integers(0, 9), st.sampled_from(["offers", "contact"]), st.sampled_from("ab"),
    st.sampled_from(["channel", "frequency"]), st.sampled_from(["x", "y"]), st.none() | st.integers(0, 20),
)  # fmt: skip
OPENED = st.builds(opened, st.integers(0, 9), st.sampled_from(["email", "sms"]), st.sampled_from("ab"))
SAID = st.lists(STATED | OPENED, max_size=15, unique_by=lambda e: (e.record_id, e.event_id)).map(lambda e: heard(*e))


@given(SAID, st.randoms(use_true_random=False))
def test_any_order_with_copies_tells_the_same(said: list[Fact], order: random.Random) -> None:
    again = said + said[:3]
    order.shuffle(again)
    assert orjson.dumps(preferences(again, POLICY)) == orjson.dumps(preferences(said, POLICY))


@given(SAID, st.integers(0, 25))
def test_each_field_is_the_latest_word_that_holds(said: list[Fact], day: int) -> None:
    found = answered(preferences(said, POLICY), us(day))
    for topic in ("offers", "contact"):
        for name in ("channel", "frequency"):
            words = [f for f in said if f.kind == "preference" and f.key == topic and name in f.body["fields"]]
            holding = [f for f in words if f.body.get("until_us", us(99)) > us(day)]
            latest = max(holding, key=lambda f: f.rank, default=None)
            shown_now = found.get(topic, {})
            if name not in shown_now.get("inferred", ()):
                assert shown_now.get(name) == (None if latest is None else latest.body["fields"][name])


@given(SAID)
def test_records_united_and_taken_apart_have_exactly_their_own(said: list[Fact]) -> None:
    united = apart(said, "b") + apart(said, "a")
    assert preferences(united, POLICY) == preferences(said, POLICY)
    for record, other in ("ab", "ba"):
        told = preferences(apart(united, record), POLICY)
        assert told == preferences(apart(said, record), POLICY)
        assert not {f.event_id for f in apart(said, other)} & set(orjson.dumps(told).decode().split('"'))


@given(SAID, st.data())
def test_a_fact_left_out_was_never_said(said: list[Fact], data: st.DataObject) -> None:
    if said:
        out = data.draw(st.sampled_from(said))
        assert out.event_id not in orjson.dumps(preferences([f for f in said if f != out], POLICY)).decode()
