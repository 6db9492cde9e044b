"""From a raw event to one of the log: shape, channel, direction, defaults, limits."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from services.intake.domain.model import (
    DEPTH_MAX,
    EVENT_BYTES_MAX,
    ID_CHARS_MAX,
    KEY_CHARS_MAX,
    TYPE_CHARS_MAX,
    Raw,
    Source,
)
from services.intake.domain.reasons import EXPLANATIONS, Reason
from tests.unit.intake.arriving import accepted, parked, raw

WHO = {"userId": "1"}


def data(sent: dict[str, Any], source: Source | None = None, **fields: Any) -> dict[str, Any]:
    return accepted(raw({**WHO, **sent}, **fields), source or Source("shop")).event.data


def nested(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("sent", "of_type", "source", "channel"),
    [
        ({"channel": "Call Center", "properties": {"channel": "web"}}, "note.added", "store", "call"),
        ({"channel": "kiosk", "properties": {"channel": "call_center"}}, "note.added", "store", "call"),
        ({}, "page.viewed", "store", "web"),
        ({}, "screen.viewed", "store", "app"),
        ({}, "call.held", "store", "call"),
        ({}, "note.added", "store", "store"),
        ({}, "note.added", None, "other"),
        ({"properties": {"channel": "sms"}}, "preference.stated", None, "other"),
    ],
)
def test_the_channel_is_the_first_that_is_named(
    sent: dict[str, Any], of_type: str, source: str | None, channel: str
) -> None:
    assert data(sent, Source("shop", channel=source), type=of_type)["channel"] == channel


def test_a_channel_we_do_not_know_is_kept_as_it_was_sent() -> None:
    assert data({"channel": "kiosk"})["original"]["channel"] == "kiosk"


@pytest.mark.parametrize(
    ("sent", "of_type", "direction"),
    [
        ({}, "page.viewed", "inbound"),
        ({}, "message.sent", "outbound"),
        ({"direction": "OUTBOUND"}, "call.held", "outbound"),
        ({"direction": "sideways"}, "message.sent", "outbound"),
        ({}, "Signed Contract", "inbound"),
    ],
)
def test_the_direction_is_the_events_or_its_types(sent: dict[str, Any], of_type: str, direction: str) -> None:
    assert data(sent, type=of_type)["direction"] == direction


def test_a_source_settles_what_the_event_leaves_open() -> None:
    source = Source("shop", currency="CZK", country="CZ", timezone="Europe/Prague")
    made = data({"properties": {"order_id": "1", "total": 5}}, source, type="order.completed")
    assert made["properties"] == {"order_id": "1", "total": 5, "currency": "CZK"}
    assert (made["country"], made["timezone"], made["business_namespace"]) == ("CZ", "Europe/Prague", "shop")
    assert "incomplete" not in made


def test_the_event_is_heard_before_its_source() -> None:
    source = Source("shop", currency="CZK", timezone="Europe/Prague", business_namespace="group")
    sent = {"timezone": "UTC", "properties": {"order_id": "1", "total": 5, "currency": "EUR"}}
    made = data(sent, source, type="order.completed")
    assert made["timezone"] == "UTC"
    assert made["properties"]["currency"] == "EUR"
    assert made["business_namespace"] == "group"


def test_an_upstream_cannot_choose_its_business_namespace() -> None:
    assert "business_namespace" not in data({"business_namespace": "theirs"})
    sent = {"business_namespace": "theirs", "properties": {"order_id": "1"}}
    assert data(sent)["business_namespace"] == "shop"


def test_an_incomplete_event_is_accepted_and_says_what_it_lacks() -> None:
    made = accepted(raw({**WHO, "incomplete": ["lies"]}, type="order.cancelled"))
    assert made.incomplete == ("order_id",)
    assert made.event.data["incomplete"] == ["order_id"]


def test_fields_of_another_shape_are_kept_apart_and_never_misread() -> None:
    made = data({"traits": "Ann", "context": [1], "actor": 3, "conversation_id": {"a": 1}, "locale": 5})
    assert made["unread"] == {"traits": "Ann", "context": [1], "actor": 3, "conversation_id": {"a": 1}}
    assert made["locale"] == "5"
    assert made["properties"] == {}


def test_what_we_do_not_know_is_kept() -> None:
    made = data({"weather": "rain", "properties": {"path": "/", "mood": {"a": [1, None]}}})
    assert made["weather"] == "rain"
    assert made["properties"]["mood"] == {"a": [1, None]}


def test_what_was_sent_is_never_changed_in_place() -> None:
    sent = {
        **WHO,
        "channel": "kiosk",
        "properties": {"order_id": "1"},
        "context": {"a": 1},
        "original": {"b": 2},
    }
    before = {**sent, "properties": {"order_id": "1"}, "context": {"a": 1}, "original": {"b": 2}}
    accepted(raw(sent, type="order.completed", time="x", sent_at="y", subject="s"), Source("s", currency="EUR"))
    assert sent == before


@pytest.mark.parametrize(
    ("sent", "name"),
    [("", "shop"), ("shop", "shop"), ("till", "shop/till"), ("shop/till", "shop/till")],
)
def test_a_cloudevents_source_goes_below_the_registered_one(sent: str, name: str) -> None:
    assert accepted(raw(source=sent)).event.source == name


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"id": None}, "no_id"),
        ({"id": "  "}, "no_id"),
        ({"id": True}, "no_id"),
        ({"id": "x" * (ID_CHARS_MAX + 1)}, "id_too_long"),
        ({"id": "a\0b"}, "nul_in_text"),
        ({"id": "a\ud800"}, "lone_surrogate"),
        ({"type": ""}, "bad_type"),
        ({"type": None}, "bad_type"),
        ({"type": 5}, "bad_type"),
        ({"type": "a\nb"}, "bad_type"),
        ({"type": "a\ud800"}, "bad_type"),
        ({"type": "x" * (TYPE_CHARS_MAX + 1)}, "bad_type"),
        ({"source": "a\nb"}, "bad_source"),
        ({"source": "x" * 300}, "bad_source"),
        ({"extensions": {"a": "\0"}}, "nul_in_text"),
        ({"extensions": {"a": "\ud800"}}, "lone_surrogate"),
        ({"time": "\0"}, "nul_in_text"),
        ({"time": "\ud800"}, "lone_surrogate"),
        ({"subject": nested(40)}, "too_deep"),
    ],
)
def test_bad_attributes_are_parked_with_their_reason(fields: dict[str, Any], reason: str) -> None:
    assert parked(raw(**fields)) == reason


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"a": "x\0"}, "nul_in_text"),
        ({"a\0": 1}, "nul_in_text"),
        ({"a": ["\udfff"]}, "lone_surrogate"),
        ({"\ud800": 1}, "lone_surrogate"),
        ({"k" * (KEY_CHARS_MAX + 1): 1}, "key_too_long"),
        ({"a": nested(DEPTH_MAX)}, "too_deep"),
        ({"a": nested(10_000)}, "too_deep"),
        ({"a": Decimal("1e400")}, "number_out_of_range"),
        ({"a": Decimal("-1e9999999")}, "number_out_of_range"),
        ({"a": 10**400}, "number_out_of_range"),
        ({"a": float("inf")}, "number_out_of_range"),
        ({"a": float("nan")}, "number_out_of_range"),
        ({"a": "x" * EVENT_BYTES_MAX}, "event_too_large"),
        ({"a": {1, 2}}, "not_a_json_value"),
        ({5: 1}, "not_a_json_value"),
    ],
)
def test_bad_content_is_parked_with_its_reason(properties: dict[Any, Any], reason: str) -> None:
    assert parked(raw({**WHO, "properties": properties})) == reason


@pytest.mark.parametrize("sent", [None, "text", 5, [1], True])
def test_data_must_be_an_object(sent: Any) -> None:
    assert parked(Raw(id="1", type="a", data=sent)) == "data_not_an_object"


def test_an_event_just_within_the_limits_is_taken() -> None:
    sent = {**WHO, "properties": {"path": "/", "k" * KEY_CHARS_MAX: nested(DEPTH_MAX - 4), "big": 10**300}}
    event = accepted(raw(sent, id="x" * ID_CHARS_MAX, type="y" * TYPE_CHARS_MAX)).event
    assert event.data["properties"] == sent["properties"]


def test_hostile_text_is_stored_as_it_came() -> None:
    hostile = "'; DROP TABLE x; --\r\n<script>{{7*7}}"
    assert data({"properties": {"path": hostile}})["properties"]["path"] == hostile


def test_every_reason_is_explained_in_one_line() -> None:
    assert set(EXPLANATIONS) == {str(reason) for reason in Reason}
    assert all("\n" not in text and text.endswith(".") for text in EXPLANATIONS.values())


@pytest.mark.parametrize(
    ("of_type", "properties"),
    [
        ("message.replied", {"text": "Yes", "reply_to": "m1"}),
        ("call.held", {"call_id": "k1"}),
        ("meeting.held", {"subject": "Shoes", "meeting_id": "t1"}),
        ("feedback.given", {"text": "Good", "response_id": "r1"}),
        ("ticket.opened", {"subject": "Sole", "ticket_id": "7"}),
    ],
)
def test_what_names_a_talk_is_unique_in_the_business_namespace(of_type: str, properties: dict[str, Any]) -> None:
    source = Source("desk", business_namespace="group")
    assert data({"properties": properties}, source, type=of_type)["business_namespace"] == "group"


@pytest.mark.parametrize("field", ["conversation_id", "reply_to"])
def test_a_talk_named_among_the_common_fields_is_so_too(field: str) -> None:
    assert data({field: "c1"}, type="note.added")["business_namespace"] == "shop"
