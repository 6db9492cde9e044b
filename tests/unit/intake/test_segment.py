"""Segment's calls: mapped by the table, nothing lost, one bad message never spoils a batch."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.codec import Unreadable
from schemas.digest import body_digest
from schemas.envelope import Event
from services.intake.domain.mapping import read_table, shipped
from services.intake.domain.model import Parked, Raw
from services.intake.domain.segment import read_calls, write_key_of
from tests.unit.intake.arriving import accepted, leaves

WHO = {"userId": "1", "messageId": "m1", "timestamp": "2026-03-02T09:15:00Z"}


def event(message: dict[str, Any], call: str | None = None) -> Event:
    (raw,) = read_calls({**WHO, **message}, call)
    return accepted(raw).event


def track(name: str, **properties: Any) -> Event:
    return event({"type": "track", "event": name, "properties": properties})


@pytest.mark.parametrize(
    ("call", "body", "event_type"),
    [
        ("identify", {"traits": {"name": "Ann"}}, "contact.identified"),
        ("i", {"traits": {"name": "Ann"}}, "contact.identified"),
        ("page", {"name": "Home"}, "page.viewed"),
        ("p", {}, "page.viewed"),
        ("s", {"name": "Home"}, "screen.viewed"),
        ("alias", {"previousId": "a"}, "alias.asserted"),
        ("g", {"groupId": "5", "traits": {"name": "Acme"}}, "group.identified"),
        ("group", {"groupId": "5"}, "group.joined"),
        ("t", {"event": "Order Completed"}, "order.completed"),
        ("track", {"event": "order_completed"}, "order.completed"),
        ("track", {"event": "Call Center Contact Ended"}, "call.held"),
        ("track", {"event": "Signed Contract"}, "Signed Contract"),
        (None, {"type": "Page"}, "page.viewed"),
    ],
)
def test_calls_become_our_types(call: str | None, body: dict[str, Any], event_type: str) -> None:
    assert event(body, call).type == event_type


def test_a_mapped_event_names_its_origin_and_mapping() -> None:
    made = track("Order Completed", order_id="1")
    assert made.data["original"]["event"] == "Order Completed"
    assert made.extensions["c360mapping"] == shipped("segment").version == "segment/1"
    assert "c360mapping" not in track("Signed Contract").extensions


def test_camel_case_is_renamed_where_we_know_the_name_and_kept_elsewhere() -> None:
    made = track("Order Completed", orderId="1", mySize="42", products=[{"productId": "P", "myColor": "red"}])
    assert made.data["properties"] == {
        "order_id": "1",
        "mySize": "42",
        "products": [{"product_id": "P", "myColor": "red"}],
    }


def test_our_own_name_wins_and_the_other_is_kept() -> None:
    made = track("Email Opened", email_id="theirs", message_id="ours")
    assert made.data["properties"] == {"email_id": "theirs", "message_id": "ours"}


@pytest.mark.parametrize(
    ("name", "sent", "expected"),
    [
        ("Email Opened", {"email_id": "m", "email_subject": "Hi"}, {"message_id": "m", "subject": "Hi"}),
        ("Product Reviewed", {"rating": 5, "review_body": "x"}, {"score": 5, "text": "x", "scale": "stars"}),
        ("Live Chat Message Sent", {"message_body": "x"}, {"text": "x"}),
        ("Promotion Clicked", {"promotion_id": "t"}, {"treatment_id": "t", "outcome": "accepted"}),
        ("Coupon Applied", {"coupon_id": "c"}, {"coupon": "c"}),
        ("Trial Started", {"trial_plan_name": "p"}, {"plan": "p"}),
    ],
)
def test_specified_properties_get_our_names(name: str, sent: dict[str, Any], expected: dict[str, Any]) -> None:
    assert track(name, **sent).data["properties"] == expected


def test_live_chat_sent_is_by_the_customer_and_received_is_by_us() -> None:
    sent = track("Live Chat Message Sent", conversation_id="c", message_body="x")
    received = track("Live Chat Message Received", conversation_id="c", message_body="x", agent_id="g")
    assert (sent.data["direction"], received.data["direction"]) == ("inbound", "outbound")
    assert received.data["actor"] == {"kind": "staff", "id": "g"}
    assert sent.data["channel"] == received.data["channel"] == "chat"


def test_a_page_takes_what_it_lacks_from_its_context() -> None:
    page = {"url": "https://x.com/a", "path": "/a", "title": "A"}
    made = event({"name": "Home", "category": "Docs", "context": {"page": page}}, "page")
    assert made.data["properties"] == {"name": "Home", "category": "Docs", **page}
    assert made.data["channel"] == "web"


def test_a_users_group_comes_from_the_context_of_b2b_calls() -> None:
    made = event({"type": "track", "event": "Account Added User", "context": {"groupId": "5"}})
    assert made.type == "group.joined"
    assert made.data["identifiers"]["group_id"] == ["5"]


def test_a_category_of_consent_is_an_event_of_its_own() -> None:
    context = {"consent": {"categoryPreferences": {"ads": False, "stats": True}}}
    message = {**WHO, "type": "track", "event": "Segment Consent Preference Updated", "context": context}
    made = [accepted(raw).event for raw in read_calls(message)]
    assert [(e.type, e.data["properties"]["purpose"]) for e in made] == [
        ("consent.withdrawn", "ads"),
        ("consent.granted", "stats"),
    ]
    assert len({e.id for e in made}) == 2
    assert [accepted(raw).event.id for raw in read_calls(message)] == [e.id for e in made]


@pytest.mark.parametrize("name", [*shipped("segment").events, "Signed Contract"])
def test_mapping_loses_nothing(name: str) -> None:
    properties = {
        **{f"own{i}": f"P{i}" for i in range(3)},
        **{key: f"V-{key}" for key in ("id", "productId", "email_id", "rating", "type", "agent_id", "first_name")},
    }
    message = {
        **WHO,
        "type": "track",
        "event": name,
        "properties": properties,
        "context": {"ip": "C1", "campaign": {"name": "C2"}},
        "integrations": {"All": "I1"},
        "channel": "X1",
        "version": "X2",
        "name": "X3",
        "previousId": "X4",
    }
    (raw,) = read_calls(message)
    made = accepted(raw).event
    assert leaves(message) - {"track", "m1", WHO["timestamp"]} <= leaves(made.data) | {made.type}


def test_properties_of_another_shape_are_kept() -> None:
    made = event({"properties": "odd", "context": ["odd too"], "name": "Home"}, "page")
    assert made.data["unread"] == {"properties": "odd", "context": ["odd too"]}
    assert made.data["properties"] == {"name": "Home"}


def test_a_write_key_is_found_and_never_kept() -> None:
    body = {**WHO, "type": "page", "name": "a", "writeKey": "SECRET"}
    assert write_key_of(body) == "SECRET"
    assert write_key_of({"batch": [body]}) == "SECRET"
    assert write_key_of({"batch": body}) is write_key_of([body]) is write_key_of({"writeKey": 5}) is None
    assert "SECRET" not in json.dumps(accepted(read_calls(body)[0]).event.data)


def test_one_bad_message_of_a_batch_is_parked_beside_the_good_ones() -> None:
    batch = [
        {**WHO, "type": "page"},
        5,
        {"type": "dance"},
        {"type": "track"},
        {"type": "track", "event": "a\nb"},
    ]
    events = read_calls({"batch": batch}, "batch")
    assert [e.reason if isinstance(e, Parked) else "good" for e in events] == [
        "good",
        "not_an_object",
        "bad_call",
        "bad_type",
        "bad_type",
    ]


@pytest.mark.parametrize(("body", "reason"), [([], "not_an_object"), ({}, "no_batch"), ({"batch": {}}, "no_batch")])
def test_a_body_that_is_no_batch_is_refused(body: Any, reason: str) -> None:
    with pytest.raises(Unreadable) as raised:
        read_calls(body, "b")
    assert raised.value.reason == reason


def test_a_batch_lends_its_context_and_sent_at() -> None:
    body = {
        "sentAt": "s",
        "context": {"a": 1, "b": 1},
        "batch": [{**WHO, "type": "page", "context": {"b": 2}}],
    }
    (raw,) = read_calls(body, "b")
    assert isinstance(raw, Raw)
    assert raw.sent_at == "s"
    assert raw.data["context"] == {"a": 1, "b": 2}


def test_a_message_without_id_is_the_same_event_when_sent_again() -> None:
    message = {"type": "track", "event": "A", "userId": "1", "properties": {"b": 1, "a": [1.5]}}
    first = event({**message, "messageId": None, "sentAt": "2026-03-02T09:15:01Z"})
    again = event(
        {
            **dict(reversed(message.items())),
            "messageId": "",
            "sentAt": "2026-03-02T09:15:09Z",
            "writeKey": "k",
        }
    )
    other = event({**message, "messageId": None, "properties": {"b": 2}})
    assert first.id == again.id != other.id
    assert body_digest(first) == body_digest(again)


def test_an_id_is_not_shared_by_two_users() -> None:
    message = {"type": "track", "event": "A", "messageId": None}
    assert event({**message, "userId": "1"}).id != event({**message, "userId": "2"}).id


def test_what_went_through_segment_is_not_corrected_again() -> None:
    hours_ago = {"sentAt": "2026-03-02T05:00:00Z", "receivedAt": "2026-03-02T05:00:01Z"}
    made = event({"type": "page", "name": "a", "timestamp": "2026-03-02T04:59:00Z", **hours_ago})
    assert made.time.isoformat() == "2026-03-02T04:59:00+00:00"


@pytest.mark.parametrize("row", ["{type: no.such}", "{type: page.viewed, colour: red}", "{}"])
def test_a_table_with_a_wrong_row_is_refused(row: str) -> None:
    with pytest.raises(ValueError, match="Page"):
        read_table(f"name: x\nversion: 1\ncalls: {{}}\nevents:\n  Page: {row}\n")
