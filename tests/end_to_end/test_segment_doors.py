"""Segment's SDKs send what they always sent, and it is in the profile."""

from __future__ import annotations

import gzip
import json
import uuid
from typing import Any

import httpx
import pytest

from tests.support.doors import SUCCESS, Doors, Named, Source

CALLS: dict[str, tuple[dict[str, Any], str]] = {
    "track": ({"event": "Product Viewed", "properties": {"product_id": "P-1"}}, "product.viewed"),
    "identify": ({"traits": {"firstName": "Ann", "plan": "gold"}}, "contact.identified"),
    "page": ({"name": "Home", "properties": {"path": "/"}}, "page.viewed"),
    "screen": ({"name": "Basket"}, "screen.viewed"),
    "alias": ({"previousId": "an-older-id"}, "alias.asserted"),
}
"""Call → what the SDK sends beside its ids, and the type it becomes. `group` is led by its group."""


def a_call(name: str, user: str) -> dict[str, Any]:
    body, _ = CALLS[name]
    return {"userId": user, "messageId": uuid.uuid4().hex, **body}


def took(response: httpx.Response) -> str:
    """The position of an answer that is exactly Segment's."""
    assert response.status_code == 200, response.text
    assert response.json() == SUCCESS
    assert response.headers["content-type"].startswith("application/json")
    return str(response.headers["C360-Position"])


def types_of(doors: Doors, user: str, position: str) -> list[str]:
    customer_id = doors.customer_of("user_id", user, position)
    return [item["type"] for item in doors.timeline(customer_id)]


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("is_short", [False, True], ids=["long", "short"])
def test_a_call_is_taken_under_its_name_and_its_letter(
    doors: Doors, web: Source, own: Named, name: str, is_short: bool
) -> None:
    position = took(doors.post(f"/v1/{name[0] if is_short else name}", web, json=a_call(name, own("u"))))
    assert types_of(doors, own("u"), position) == [CALLS[name][1]]


@pytest.mark.parametrize("path", ["/v1/group", "/v1/g"])
def test_a_group_is_taken_and_is_no_customer(doors: Doors, web: Source, own: Named, path: str) -> None:
    call = {"userId": own("u"), "groupId": own("acc"), "messageId": own("m"), "traits": {"name": "Acme"}}
    position = took(doors.post(path, web, json=call))
    (group,) = doors.look_up(("group_id", own("acc")), position=position)
    assert group["customer_id"] is None


@pytest.mark.feature("T1")
@pytest.mark.parametrize("path", ["/v1/batch", "/v1/b", "/v1/import"])
def test_a_batch_of_all_calls_is_one_customers_history(doors: Doors, web: Source, own: Named, path: str) -> None:
    batch = [{"type": name, **a_call(name, own("u"))} for name in CALLS if name != "alias"]
    position = took(doors.post(path, web, json={"batch": batch}))
    assert sorted(types_of(doors, own("u"), position)) == sorted(CALLS[c["type"]][1] for c in batch)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_the_body_decides_and_not_its_content_type(doors: Doors, web: Source, own: Named, content_type: str) -> None:
    body = json.dumps(a_call("track", own("u"))).encode()
    position = took(doors.post("/v1/track", web, content=body, headers={"Content-Type": content_type}))
    assert types_of(doors, own("u"), position) == ["product.viewed"]


def test_a_gzipped_body_is_unpacked(doors: Doors, web: Source, own: Named) -> None:
    body = gzip.compress(json.dumps({"batch": [{"type": "page", **a_call("page", own("u"))}]}).encode())
    position = took(doors.post("/v1/batch", web, content=body, headers={"Content-Encoding": "gzip"}))
    assert types_of(doors, own("u"), position) == ["page.viewed"]


@pytest.mark.parametrize("place", ["basic", "bearer", "body", "batch"])
def test_the_write_key_stands_in_any_of_its_places(doors: Doors, web: Source, own: Named, place: str) -> None:
    call = a_call("track", own("u"))
    match place:
        case "basic":
            response = doors.post("/v1/track", web, json=call)
        case "bearer":
            bearer = {"Authorization": f"Bearer {web.write_key}"}
            response = doors.post("/v1/track", None, json=call, headers=bearer)
        case "body":
            response = doors.post("/v1/track", None, json={**call, "writeKey": web.write_key})
        case _:
            batch = {"writeKey": web.write_key, "batch": [{"type": "track", **call}]}
            response = doors.post("/v1/batch", None, json=batch)
    assert types_of(doors, own("u"), took(response)) == ["product.viewed"]


@pytest.mark.parametrize("header", [None, "Basic !!!", "Basic bm9uZTo=", "Bearer nobodys", "Digest x"])
def test_without_a_valid_write_key_nothing_is_taken(doors: Doors, own: Named, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    response = doors.post("/v1/track", None, json=a_call("track", own("u")), headers=headers)
    assert response.status_code == 401
    assert set(response.json()) == {"code", "message"}
    (result,) = doors.look_up(("user_id", own("u")))
    assert result["customer_id"] is None


@pytest.mark.feature("O2")
def test_what_one_wrote_is_read_with_its_position(doors: Doors, web: Source, own: Named) -> None:
    for number in range(5):
        call = {**a_call("identify", own("u")), "traits": {"round": number}}
        position = took(doors.post("/v1/identify", web, json=call))
        customer_id = doors.customer_of("user_id", own("u"), position)
        document = doors.profile(customer_id, position)
        assert document["contact"]["traits"]["round"] == number
        assert document["interaction"]["count"] == number + 1


@pytest.mark.feature("O2")
def test_the_same_message_sent_twice_counts_once(doors: Doors, web: Source, own: Named) -> None:
    call = a_call("track", own("u"))
    took(doors.post("/v1/track", web, json={**call, "sentAt": "2026-03-01T10:00:00Z"}))
    position = took(doors.post("/v1/track", web, json={**call, "sentAt": "2026-03-01T10:00:09Z"}))
    assert types_of(doors, own("u"), position) == ["product.viewed"]


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/track", "/v1/t", "/events", "/v1/import"])
def test_a_browser_of_another_origin_may_ask_first(doors: Doors, path: str) -> None:
    asked = doors.http.options(
        f"{doors.copy.intake}{path}",
        headers={
            "Origin": "https://shop.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        },
    )
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] in ("*", "https://shop.example")
    answered = doors.post(path, None, json={}, headers={"Origin": "https://shop.example"})
    assert "retry-after" in answered.headers["access-control-expose-headers"].lower()


def test_the_browser_library_finds_its_settings(doors: Doors, web: Source) -> None:
    found = doors.http.get(f"{doors.copy.intake}/v1/projects/{web.write_key}/settings")
    assert found.status_code == 200
    assert found.json()["integrations"]["Segment.io"]["apiKey"] == web.write_key
    assert found.json()["metrics"] == {"sampleRate": 0}
    assert doors.http.get(f"{doors.copy.intake}/v1/projects/nobodys/settings").status_code == 404


@pytest.mark.parametrize(("method", "path"), [("GET", "/nowhere"), ("GET", "/v1/track"), ("POST", "/v1/dance")])
def test_what_the_collector_does_not_serve_is_refused_in_its_own_words(doors: Doors, method: str, path: str) -> None:
    response = doors.http.request(method, f"{doors.copy.intake}{path}")
    assert response.status_code in (404, 405)
    assert set(response.json()) == {"code", "message"}
