"""What apps say of a customer over the profile API: events, preferences, consents; and what they may not say."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from schemas.envelope import event_id
from tests.support.doors import Doors, Named, Source


@pytest.fixture
def ann(doors: Doors, web: Source, own: Named) -> str:
    """A customer with an account and an e-mail."""
    ids = {"user_id": own("ann"), "email": f"{own('ann')}@mail.example"}
    event = {"type": "contact.identified", "identifiers": ids, "traits": {"firstName": "Ann"}}
    return doors.customer_of("user_id", own("ann"), doors.send(web, event))


def say(
    doors: Doors, path: str, body: Any, *, method: str = "POST", headers: dict[str, str] | None = None
) -> httpx.Response:
    given = {"Authorization": f"Bearer {doors.key('events:write')}", **(headers or {})}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    given["Content-Type"] = "application/json"
    return doors.http.request(method, f"{doors.copy.profile}/v1/customers/{path}", content=content, headers=given)


def taken(response: httpx.Response) -> str:
    """The position after what was said."""
    assert response.status_code == 202, response.text
    assert set(response.json()) == {"event_id", "position"}
    assert response.headers["C360-Position"] == response.json()["position"]
    return str(response.json()["position"])


def test_an_event_is_kept_under_the_customers_founder(doors: Doors, ann: str) -> None:
    said = {
        "type": "call.held",
        "channel": "call",
        "direction": "inbound",
        "actor": {"kind": "staff", "id": "op-3", "name": "Olga"},
        "conversation_id": "c-7",
        "properties": {"summary": "asked for a quote", "outcome": "answered", "duration_s": 120.50},
    }
    position = taken(say(doors, f"{ann}/events", said))
    item = doors.timeline(ann, position, include="properties")[0]
    assert (item["type"], item["channel"], item["direction"], item["source"], item["record_id"]) == (
        "call.held", "call", "inbound", "customer360", ann,
    )  # fmt: skip
    assert item["actor"] == said["actor"]
    assert item["properties"] == said["properties"]


def test_a_type_nobody_registered_is_history_under_its_name(doors: Doors, ann: str) -> None:
    position = taken(say(doors, f"{ann}/events", {"type": "loan.application_rejected", "properties": {"sum": 7}}))
    assert doors.timeline(ann, position)[0]["type"] == "loan.application_rejected"


def test_said_again_under_its_key_it_is_the_same_event(doors: Doors, ann: str, own: Named) -> None:
    said = {"type": "note.added", "properties": {"text": "x"}}
    answers = [say(doors, f"{ann}/events", said, headers={"Idempotency-Key": own("k")}) for _ in range(2)]
    answers.append(say(doors, f"{ann}/events", {**said, "id": own("k")[:-1] + "x"}))
    positions = [taken(answer) for answer in answers]
    assert answers[0].json()["event_id"] == answers[1].json()["event_id"] == event_id("customer360", own("k"))
    notes = [i for i in doors.timeline(ann, positions[-1]) if i["type"] == "note.added"]
    assert len(notes) == 2
    other = say(doors, f"{ann}/events", {**said, "properties": {"text": "y"}}, headers={"Idempotency-Key": own("k")})
    assert (other.status_code, other.json()["type"]) == (400, "bad-request")
    both = say(doors, f"{ann}/events", {**said, "id": "a"}, headers={"Idempotency-Key": "b"})
    assert "id:" in both.json()["detail"]


def test_amounts_are_kept_as_they_were_written(doors: Doors, ann: str, own: Named) -> None:
    body = (
        b'{"type": "order.completed", "properties": {"order_id": "%b", "currency": "EUR",'
        b' "subtotal": 123456789012.3400, "note": 0.1}}' % own("o").encode()
    )
    position = taken(say(doors, f"{ann}/events", body))
    value = doors.ask(f"/v1/customers/{ann}/value", min_position=position, wait_ms=10_000).json()
    assert value["orders"][0]["net"] == "123456789012.34"


def test_an_old_id_speaks_of_todays_customer(doors: Doors, web: Source, ann: str, own: Named) -> None:
    cookie = {"anonymous_id": own("cookie")}
    viewed = {"type": "page.viewed", "identifiers": cookie, "properties": {"path": "/"}}
    former = doors.customer_of("anonymous_id", own("cookie"), doors.send(web, viewed))
    linked = {"type": "contact.identified", "identifiers": {**cookie, "user_id": own("ann")}}
    position = doors.send(web, linked)
    assert doors.profile(former, position)["customer_id"] == ann
    position = taken(say(doors, f"{former}/events", {"type": "note.added", "properties": {"text": "x"}}))
    assert doors.timeline(ann, position)[0]["record_id"] == ann


@pytest.mark.feature("T3")
def test_a_preference_is_put_by_its_topic_and_a_consent_by_its_purpose(doors: Doors, ann: str) -> None:
    wanted = {"channel": "sms", "frequency": "weekly", "actor": {"kind": "customer"}}
    taken(say(doors, f"{ann}/preferences/offers", wanted, method="PUT"))
    granted = {"state": "granted", "channels": ["email"], "text_version": "2026-01"}
    position = taken(say(doors, f"{ann}/consents/newsletter", granted, method="PUT"))
    document = doors.profile(ann, position)
    offers = document["preferences"]["offers"]
    assert (offers["channel"], offers["frequency"], offers["stated"]) == ("sms", "weekly", True)
    consent = document["consents"]["newsletter"]
    assert (consent["state"], consent["channels"], consent["text_version"]) == ("granted", ["email"], "2026-01")
    position = taken(say(doors, f"{ann}/consents/newsletter", {"state": "withdrawn"}, method="PUT"))
    assert doors.profile(ann, position)["consents"]["newsletter"]["state"] == "withdrawn"


NOTE = {"type": "note.added", "properties": {"text": "x"}}


@pytest.mark.parametrize(
    ("body", "status", "kind", "named"),
    [
        (b"", 400, "bad-request", "body"),
        (b"{", 400, "bad-request", "body"),
        (b"[]", 400, "bad-request", "body"),
        (b'{"type": "note.added", "properties": {"text": NaN}}', 400, "bad-request", "body"),
        (b"[" * 10_000, 400, "bad-request", "body"),
        ({}, 400, "bad-request", "body.type"),
        ({**NOTE, "type": "Note Added"}, 400, "bad-request", "type"),
        ({**NOTE, "type": 7}, 400, "bad-request", "body.type"),
        ({**NOTE, "surprise": 1}, 400, "bad-request", "body.surprise"),
        ({**NOTE, "channel": "telepathy"}, 400, "bad-request", "body.channel"),
        ({**NOTE, "direction": "up"}, 400, "bad-request", "body.direction"),
        ({**NOTE, "actor": {"kind": "dog"}}, 400, "bad-request", "body.actor.kind"),
        ({**NOTE, "properties": []}, 400, "bad-request", "body.properties"),
        ({**NOTE, "time": "yesterday"}, 400, "bad-request", "time"),
        ({**NOTE, "id": ""}, 400, "bad-request", "body.id"),
        ({"type": "note.added"}, 422, "incomplete", "text"),
        ({"type": "feedback.given", "properties": {"score": "many", "text": "x"}}, 400, "bad-request", "score"),
        ({**NOTE, "properties": {"text": "a\0b"}}, 400, "bad-request", "NUL"),
        (b'{"type": "note.added", "properties": {"text": "\\ud800"}}', 400, "bad-request", ""),
        ({**NOTE, "properties": {"text": "x" * 40_000}}, 400, "bad-request", "32 KB"),
        ({"type": "event.retracted", "properties": {"source": "web", "id": "1"}}, 403, "not-permitted", "type"),
        ({"type": "contact.removed"}, 403, "not-permitted", "type"),
        ({"type": "identity.same_asserted"}, 403, "not-permitted", "/v1/identity/assertions"),
        ({"type": "group.joined", "properties": {"group_id": "g"}}, 403, "not-permitted", "group"),
    ],
    ids=lambda v: str(v)[:40],
)  # fmt: skip
def test_what_cannot_be_taken_is_refused_with_the_field_named(
    doors: Doors, ann: str, body: Any, status: int, kind: str, named: str
) -> None:
    response = say(doors, f"{ann}/events", body)
    assert (response.status_code, response.json()["type"]) == (status, kind), response.text
    assert named in response.json()["detail"]


@pytest.mark.parametrize(
    ("path", "body", "status", "named"),
    [
        ("preferences/offers", {}, 422, "channel or frequency"),
        ("preferences/offers", {"channel": "telepathy"}, 400, "body.channel"),
        ("preferences/offers", {"channel": "sms", "until": "soon"}, 400, "until"),
        ("preferences/offers", {"colour": "red"}, 400, "body.colour"),
        ("consents/news", {}, 400, "body.state"),
        ("consents/news", {"state": "maybe"}, 400, "body.state"),
        ("consents/news", {"state": "granted", "channels": []}, 400, "body.channels"),
        ("consents/news", {"state": "granted", "channels": ["x"]}, 400, "body.channels"),
        ("consents/news", {"state": "granted", "expires_at": "never"}, 400, "expires_at"),
    ],
)  # fmt: skip
def test_a_short_form_that_cannot_be_taken_says_why(
    doors: Doors, ann: str, path: str, body: Any, status: int, named: str
) -> None:
    response = say(doors, f"{ann}/{path}", body, method="PUT")
    assert response.status_code == status, response.text
    assert named in response.json()["detail"]


def test_of_nobody_nothing_is_said(doors: Doors) -> None:
    response = say(doors, "00000000-0000-0000-0000-000000000007/events", NOTE)
    assert (response.status_code, response.json()["type"]) == (404, "unknown-customer")
