"""PostHog's clients send what they always sent, in all the forms they have, and it is in the profile."""

from __future__ import annotations

import base64
import gzip
import json
import uuid
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.support.doors import SUCCESS, Doors, Named, Source


@pytest.fixture(scope="module")
def shop(doors: Doors) -> Source:
    """A shop whose clients are PostHog's."""
    return doors.source("posthog-shop", "--channel", "web", "--currency", "EUR")


def message(user: str, name: str = "Product Viewed", **more: Any) -> dict[str, Any]:
    return {
        "event": name,
        "distinct_id": user,
        "uuid": str(uuid.uuid4()),
        "timestamp": "2026-03-02T09:15:00Z",
        **more,
    }


def post(doors: Doors, path: str, **request: Any) -> httpx.Response:
    return doors.http.post(f"{doors.copy.intake}{path}", **request)


def took(response: httpx.Response) -> str:
    assert (response.status_code, response.json()) == (200, SUCCESS), response.text
    return str(response.headers["C360-Position"])


def types_of(doors: Doors, user: str, position: str) -> list[str]:
    return sorted(item["type"] for item in doors.timeline(doors.customer_of("user_id", user, position)))


@pytest.mark.parametrize("path", ["/batch/", "/batch", "/capture/", "/e/", "/i/v0/e/"])
def test_a_batch_is_taken_at_every_address_with_the_key_in_its_body(
    doors: Doors, shop: Source, own: Named, path: str
) -> None:
    body = {"api_key": shop.write_key, "batch": [message(own("u")), message(own("u"), "$pageview")]}
    assert types_of(doors, own("u"), took(post(doors, path, json=body))) == ["page.viewed", "product.viewed"]


FORMS: dict[str, tuple[Any, dict[str, str]]] = {
    "gzip said": (gzip.compress, {"Content-Encoding": "gzip", "Content-Type": "application/json"}),
    "gzip not said": (gzip.compress, {"Content-Type": "text/plain"}),
    "base64": (base64.b64encode, {"Content-Type": "text/plain"}),
    "a form": (lambda b: b"data=" + quote(b).encode(), {"Content-Type": "application/x-www-form-urlencoded"}),
    "a form of base64": (
        lambda b: b"ip=1&data=" + quote(base64.b64encode(b)).encode(),
        {"Content-Type": "application/x-www-form-urlencoded"},
    ),
    "plain as text": (lambda b: b, {"Content-Type": "text/plain"}),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_bytes_decide_what_a_body_is_wrapped_in(doors: Doors, shop: Source, own: Named, form: str) -> None:
    wrap, headers = FORMS[form]
    inside = message(own("u"), properties={"token": shop.write_key, "product_id": "P-1"})
    body = wrap(json.dumps([inside]).encode())
    response = post(doors, "/e/?compression=x&_=1772442905000", content=body, headers=headers)
    assert types_of(doors, own("u"), took(response)) == ["product.viewed"]


@pytest.mark.feature("I1")
def test_a_visitor_who_logs_in_is_one_customer_with_what_was_set(doors: Doors, shop: Source, own: Named) -> None:
    visitor = {"$device_id": own("a"), "$is_identified": False, "$lib": "web"}
    login = {"$anon_distinct_id": own("a"), "$set": {"firstName": "Ann", "plan": "gold"}, "$lib": "web"}
    batch = [
        message(own("a"), "$pageview", properties=visitor),
        message(own("u"), "$identify", properties=login),
        message(own("u"), "$set_once", **{"$set_once": {"plan": "none", "found_by": "ad"}}),
        message(own("u"), "$create_alias", properties={"distinct_id": own("u"), "alias": own("old")}),
    ]
    position = took(post(doors, "/batch/", json={"api_key": shop.write_key, "batch": batch}))
    customer_id = doors.customer_of("user_id", own("u"), position)
    assert {doors.customer_of(*w) for w in (("anonymous_id", own("a")), ("user_id", own("old")))} == {customer_id}
    traits = doors.profile(customer_id, position)["contact"]["traits"]
    assert {name: traits[name] for name in ("plan", "found_by")} == {"plan": "gold", "found_by": "ad"}
    assert len(doors.timeline(customer_id)) == len(batch)


def test_a_groups_event_makes_no_person(doors: Doors, shop: Source, own: Named) -> None:
    about = {"$group_type": "company", "$group_key": own("acme"), "$group_set": {"name": "Acme"}}
    body = {"api_key": shop.write_key, "batch": [message(own("drawn"), "$groupidentify", properties=about)]}
    position = took(post(doors, "/batch/", json=body))
    found = doors.look_up(("user_id", own("drawn")), ("group_id", own("acme")), position=position)
    assert [one["customer_id"] for one in found] == [None, None]


def test_each_event_of_the_newer_batch_has_its_result(doors: Doors, shop: Source, own: Named) -> None:
    good, bad = message(own("u")), message("", "Nobody's")
    response = post(
        doors,
        "/i/v1/analytics/events",
        json={"created_at": "2026-03-02T09:15:05Z", "batch": [good, bad, {**bad, "uuid": own("x"), "event": None}]},
        headers={"Authorization": f"Bearer {shop.write_key}", "PostHog-Request-Timestamp": "2026-03-02T09:15:05Z"},
    )
    assert response.status_code == 200, response.text
    results = response.json()["results"]
    assert {k: v["result"] for k, v in results.items()} == {
        good["uuid"]: "ok",
        bad["uuid"]: "drop",
        own("x"): "drop",
    }
    assert "no_identifier" in results[bad["uuid"]]["details"]
    assert types_of(doors, own("u"), response.headers["C360-Position"]) == ["product.viewed"]


@pytest.mark.parametrize("path", ["/flags/?v=4", "/decide/?v=3"])
def test_there_are_no_flags(doors: Doors, path: str) -> None:
    response = post(doors, path, json={"distinct_id": "u", "api_key": "anybody's"})
    assert response.status_code == 200
    answer = response.json()
    assert (answer["flags"], answer["featureFlags"], answer["errorsWhileComputingFlags"]) == ({}, {}, False)


def test_sent_again_with_another_time_of_sending_it_counts_once(doors: Doors, shop: Source, own: Named) -> None:
    batch = [message(own("u")), message(own("u"), "$pageview")]
    for sent_at in ("2026-03-02T09:15:05Z", "2026-03-02T09:19:00Z"):
        took(post(doors, "/batch/", json={"api_key": shop.write_key, "batch": batch, "sent_at": sent_at}))
    position = took(post(doors, "/batch/", json={"api_key": shop.write_key, "batch": batch[:1]}))
    assert types_of(doors, own("u"), position) == ["page.viewed", "product.viewed"]


def packed(content: bytes) -> bytes:
    """The same bytes at any time: they are the test's name."""
    return gzip.compress(content, mtime=0)


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"", 400), (b"data=", 400), (b"%%%", 400), (packed(b"{"), 400), (packed(b" " * 10**6), 413)],
)
def test_what_cannot_be_read_is_refused(doors: Doors, shop: Source, content: bytes, status: int) -> None:
    response = post(doors, "/e/", content=content, headers={"Authorization": f"Bearer {shop.write_key}"})
    assert response.status_code == status
    assert set(response.json()) == {"code", "message"}


def test_without_a_valid_key_nothing_is_taken(doors: Doors, own: Named) -> None:
    body = {"api_key": "nobody's", "batch": [message(own("u"))]}
    assert post(doors, "/batch/", json=body).status_code == 401
    assert doors.look_up(("user_id", own("u")))[0]["customer_id"] is None
