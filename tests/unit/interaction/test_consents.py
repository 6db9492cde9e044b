"""Consents: the latest word of a record, the most restrictive of several, and what a day changes."""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.answers.consents import ALL, answered
from schemas.envelope import CHANNELS, Event
from services.interaction.domain.consents import consents, say
from services.interaction.domain.facts import Fact
from tests.unit.interaction.hearing import ODD, apart, at, event, facts, us


def granted(day: float = 0, record: str = "a", purpose: str = "marketing", **properties: Any) -> Event:
    """A grant."""
    sent = {"purpose": purpose, **properties}
    return event("consent.granted", sent, day=day, record=record, sent_id=f"g{day}{record}{purpose}")


def withdrawn(day: float = 0, record: str = "a", purpose: str = "marketing", **properties: Any) -> Event:
    """A withdrawal."""
    sent = {"purpose": purpose, **properties}
    return event("consent.withdrawn", sent, day=day, record=record, sent_id=f"w{day}{record}{purpose}")


def complained(day: float, record: str = "a", channel: str = "email", message_id: Any = "m1") -> Event:
    """A complaint about a message."""
    return event("message.complained", {"message_id": message_id}, day=day, record=record, channel=channel)


def sent(day: float, purpose: Any, record: str = "a", message_id: str = "m1") -> Event:
    """A message on its way."""
    properties = {"message_id": message_id, "purpose": purpose}
    return event("message.sent", properties, day=day, record=record, channel="email", direction="outbound")


def shown(*events: Event, day: float = 100) -> dict[str, Any]:
    """The public shape on a day."""
    return answered(consents(facts(say, *events)), us(day))


def states(*events: Event, day: float = 100, purpose: str = "marketing") -> dict[str, str]:
    """The state of each channel."""
    return {name: word["state"] for name, word in shown(*events, day=day)[purpose]["by_channel"].items()}


def test_nothing_said_is_no_purpose() -> None:
    assert shown() == {}
    assert shown(event("page.viewed", {"purpose": "marketing"})) == {}


def test_a_grant_is_shown_with_its_source_text_and_time() -> None:
    one = granted(1, channels=["sms", "email"], text_version="2026-01", method="checkbox", legal_basis="consent")
    found = shown(one)["marketing"]
    assert found.pop("by_channel").keys() == {"email", "sms"}
    assert found == {
        "state": "granted", "channels": ["email", "sms"], "since": at(1), "text_version": "2026-01", "source": "shop",
        "event_id": one.event_id, "origin_record": "a", "expires_at": None, "method": "checkbox",
        "legal_basis": "consent",
    }  # fmt: skip


def test_without_channels_it_is_on_all() -> None:
    found = shown(granted(1))["marketing"]
    assert (found["state"], found["channels"], list(found["by_channel"])) == ("granted", None, [ALL])


def test_a_word_on_all_channels_covers_what_was_said_before_it() -> None:
    assert states(granted(1, channels=["email"]), withdrawn(2)) == {ALL: "withdrawn"}
    assert states(withdrawn(1, channels=["email"]), granted(2)) == {ALL: "granted"}


def test_a_later_word_on_one_channel_overrides_that_channel() -> None:
    events = withdrawn(1), granted(2, channels=["email"])
    assert states(*events) == {ALL: "withdrawn", "email": "granted"}
    found = shown(*events)["marketing"]
    assert (found["state"], found["channels"], found["since"]) == ("granted", ["email"], at(2))


def test_a_withdrawal_on_one_channel_is_shown_and_the_others_stay_granted() -> None:
    events = granted(1), withdrawn(2, channels=["email"])
    found = shown(*events)["marketing"]
    assert (found["state"], found["channels"], found["since"]) == ("withdrawn", ["email"], at(2))
    assert states(*events) == {ALL: "granted", "email": "withdrawn"}


def test_channels_in_a_state_are_listed_when_others_differ() -> None:
    found = shown(granted(1, "a"), withdrawn(1, "b"), granted(2, "b", channels=["email", "sms"]))["marketing"]
    assert (found["state"], found["channels"]) == ("granted", ["email", "sms"])
    later = shown(withdrawn(1, channels=["email"]), granted(2, channels=["email"]), withdrawn(3), granted(4, "b"))
    assert (later["marketing"]["state"], later["marketing"]["channels"]) == ("withdrawn", None)
    most = shown(withdrawn(2), granted(3, channels=["email"]), withdrawn(4, channels=["sms"]))["marketing"]
    assert (most["state"], most["channels"]) == ("withdrawn", sorted({*CHANNELS} - {"email"}))


def test_a_withdrawal_wins_over_a_later_grant_of_another_record() -> None:
    found = shown(withdrawn(1, "a"), granted(2, "b"))["marketing"]
    assert (found["state"], found["origin_record"], found["since"]) == ("withdrawn", "a", at(1))


def test_a_record_that_grants_again_no_longer_withdraws() -> None:
    found = shown(withdrawn(1, "a"), granted(2, "b"), granted(3, "a"))["marketing"]
    assert (found["state"], found["origin_record"], found["since"]) == ("granted", "a", at(3))


def test_a_withdrawal_of_one_channel_by_one_record_leaves_what_another_granted_on_others() -> None:
    assert states(granted(1, "a"), withdrawn(0, "b", channels=["sms"])) == {ALL: "granted", "sms": "withdrawn"}


def test_a_split_restores_what_each_record_had_with_its_origin() -> None:
    both = facts(say, granted(2, "a", text_version="7"), withdrawn(1, "b"))
    assert answered(consents(both), us(9))["marketing"]["origin_record"] == "b"
    alone = answered(consents(apart(both, "a")), us(9))["marketing"]
    assert (alone["state"], alone["origin_record"], alone["text_version"]) == ("granted", "a", "7")
    assert alone == shown(granted(2, "a", text_version="7"))["marketing"]


def test_an_expired_grant_is_unknown_from_its_last_moment_on() -> None:
    one = granted(1, expires_at=at(10))
    assert shown(one, day=9.99)["marketing"]["state"] == "granted"
    after = shown(one, day=10)["marketing"]
    assert (after["state"], after["channels"], after["expires_at"]) == ("unknown", None, at(10))


def test_an_expired_grant_leaves_the_grant_of_another_record() -> None:
    events = granted(1, "a"), granted(2, "b", expires_at=at(10))
    before, after = (shown(*events, day=day)["marketing"] for day in (9, 11))
    assert (before["state"], before["origin_record"]) == ("granted", "b")
    assert (after["state"], after["origin_record"], after["since"]) == ("granted", "a", at(1))


def test_of_one_record_the_latest_grant_counts_even_when_it_ends_sooner() -> None:
    assert states(granted(1), granted(2, expires_at=at(3)), day=4) == {ALL: "unknown"}


def test_a_withdrawal_never_ends() -> None:
    assert states(withdrawn(1, expires_at=at(2))) == {ALL: "withdrawn"}


@pytest.mark.parametrize("ends", ["soon", 5, {}, "2026-13-01", "2026-03-09T00:00:00"])
def test_a_grant_whose_end_cannot_be_read_has_ended_at_once(ends: Any) -> None:
    assert states(granted(1, expires_at=ends), day=1) == {ALL: "unknown"}


def test_a_date_alone_ends_with_its_first_moment() -> None:
    one = granted(1, expires_at="2026-03-12")
    assert [states(one, day=day)[ALL] for day in (9.9, 10)] == ["granted", "unknown"]


def test_channels_may_be_one_text_and_have_other_names() -> None:
    assert states(granted(1, channels="Phone; E-Mail, sms")) == {c: "granted" for c in ("call", "email", "sms")}
    assert states(withdrawn(1, channels=["fax", "EMAIL ", 7])) == {"email": "withdrawn", "fax": "withdrawn"}
    assert states(granted(1, channels=["*"])) == {ALL: "granted"}


@pytest.mark.parametrize("channels", [[], "", 5, {"email": True}, [None, {}], ["x"] * 51])
def test_channels_that_cannot_be_read_grant_nothing_and_withdraw_all(channels: Any) -> None:
    assert shown(granted(1, channels=channels)) == {}
    assert states(granted(1), withdrawn(2, channels=channels)) == {ALL: "withdrawn"}


def test_a_purpose_is_one_whatever_its_case_and_spaces() -> None:
    assert states(
        granted(1, purpose=" Order  Updates"), withdrawn(2, purpose="order updates"), purpose="order updates"
    )
    assert list(shown(granted(1, purpose="order_updates"))) == ["order_updates"]


def test_a_long_purpose_is_cut_the_same_way_in_grant_and_withdrawal() -> None:
    (found,) = shown(granted(1, purpose="p" * 30_000), withdrawn(2, purpose="P" * 30_000)).values()
    assert found["state"] == "withdrawn"


def test_a_complaint_withdraws_the_purpose_of_its_message_in_any_order() -> None:
    later = complained(2), granted(0, purpose="service"), sent(5, "Service")
    assert states(*later, purpose="service") == {ALL: "granted", "email": "withdrawn"}
    assert "marketing" not in shown(*later)
    assert shown(*later)["service"]["method"] == "complaint"


def test_a_complaint_about_a_message_of_no_known_purpose_is_about_marketing() -> None:
    assert states(granted(0), complained(2)) == {ALL: "granted", "email": "withdrawn"}
    assert states(complained(2), sent(1, None), sent(1, "service", message_id="other")) == {"email": "withdrawn"}
    assert states(complained(2, message_id={"a": 1}, channel="web")) == {"email": "withdrawn"}


def test_a_complaint_about_a_text_message_withdraws_that_channel() -> None:
    assert states(granted(0), complained(2, channel="sms")) == {ALL: "granted", "sms": "withdrawn"}


def test_a_grant_after_a_complaint_counts_again_on_the_same_record_only() -> None:
    assert states(complained(1, "a"), granted(2, "a")) == {ALL: "granted"}
    assert states(complained(1, "a"), granted(2, "b"))["email"] == "withdrawn"


def test_a_message_heard_of_on_another_record_tells_the_purpose_until_the_split() -> None:
    both = facts(say, complained(2, "a"), sent(1, "service", "b"))
    assert list(consents(both)) == ["service"]
    assert list(consents(apart(both, "a"))) == ["marketing"]


@pytest.mark.parametrize("odd", ODD)
def test_odd_values_never_raise(odd: Any) -> None:
    for event_type in ("consent.granted", "consent.withdrawn", "message.complained", "message.sent"):
        names = ("purpose", "channels", "expires_at", "text_version", "message_id", "list_id")
        events = [event(event_type, {"purpose": "p", name: odd}) for name in names]
        events += [event(event_type, odd), event(event_type, {name: odd for name in names}, channel=odd)]
        told = consents(facts(say, *events))
        assert len(orjson.dumps([told, answered(told, us(1))])) < 100_000


PURPOSES, SOME = ("marketing", "service"), ("email", "sms")
WORDS = st.builds(
    lambda kind, day, record, purpose, channels, ends: kind(
        day, record, purpose, **({} if channels is None else {"channels": channels}),
        **({} if ends is None else {"expires_at": at(ends)}),
    ),
    st.sampled_from([granted, withdrawn]), st.integers(0, 9), st.sampled_from("abc"), st.sampled_from(PURPOSES),
    st.none() | st.lists(st.sampled_from(SOME), min_size=1, unique=True), st.none() | st.integers(0, 20),
)  # fmt: skip
COMPLAINTS = st.builds(complained, st.integers(0, 9), st.sampled_from("abc"))
MESSAGES = st.builds(sent, st.integers(0, 9), st.sampled_from(PURPOSES), st.sampled_from("abc"))
SAID = st.lists(WORDS | COMPLAINTS | MESSAGES, max_size=12, unique_by=lambda e: (e.record_id, e.event_id)).map(
    lambda events: facts(say, *events)
)


@given(SAID, st.randoms(use_true_random=False))
def test_any_order_with_copies_tells_the_same(said: list[Fact], order: random.Random) -> None:
    again = said + said[:3]
    order.shuffle(again)
    assert orjson.dumps(consents(again)) == orjson.dumps(consents(said))


@given(SAID, st.integers(0, 25))
def test_each_channel_is_what_the_latest_words_of_its_records_come_to(said: list[Fact], day: int) -> None:
    """The rule once more, word for word: for each record its latest word on the channel; the strictest of them."""
    found = answered(consents(said), us(day))
    purposes = {f.key: f.body["purpose"] for f in sorted(said, key=lambda f: f.rank) if f.kind == "purpose_of"}
    for purpose in PURPOSES:
        words = [f for f in said if f.kind == "consent" and f.key == purpose]
        words += [f for f in said if f.kind == "complaint" and purposes.get(f.key, "marketing") == purpose]
        by_channel = found.get(purpose, {"by_channel": {}})["by_channel"]
        for channel in SOME:
            last = {
                f.record_id: f for f in sorted(words, key=lambda f: f.rank) if channel in (f.body["channels"] or SOME)
            }
            ended = {r for r, f in last.items() if f.body.get("expires_us", us(99)) <= us(day)}
            said_of = {"unknown" if r in ended else f.body["state"] for r, f in last.items()}
            strictest = next((s for s in ("withdrawn", "granted", "unknown") if s in said_of), None)
            assert by_channel.get(channel, by_channel.get(ALL, {"state": None}))["state"] == strictest


@given(SAID, st.integers(0, 25))
def test_channels_are_exactly_those_in_the_state_and_the_origin_is_among_the_records(
    said: list[Fact], day: int
) -> None:
    for found in answered(consents(said), us(day)).values():
        by_channel = found["by_channel"]
        for channel in CHANNELS:
            state = by_channel.get(channel, by_channel.get(ALL, {"state": None}))["state"]
            assert (state == found["state"]) == (found["channels"] is None or channel in found["channels"])
        assert found["origin_record"] in {f.record_id for f in said}


@given(SAID)
def test_records_united_and_taken_apart_have_exactly_their_own(said: list[Fact]) -> None:
    united = [fact for record in "cba" for fact in apart(said, record)]
    assert consents(united) == consents(said)
    for record in "abc":
        told = consents(apart(united, record))
        assert told == consents(apart(said, record))
        origins = {w["origin_record"] for t in told.values() for those in t["by_channel"].values() for w in those}
        assert origins <= {record}


@given(SAID, st.data())
def test_a_fact_left_out_was_never_said(said: list[Fact], data: st.DataObject) -> None:
    if said:
        out = data.draw(st.sampled_from(said))
        left = consents([f for f in said if f != out])
        assert out.event_id not in orjson.dumps(left).decode()
