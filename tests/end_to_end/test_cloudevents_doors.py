"""CloudEvents come in over HTTP in each of their modes."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.support.doors import SUCCESS, Doors, Named, Source, cloudevent

TIME = "2026-03-02T09:15:00Z"


def viewed(own: Named, path: str = "/shoes") -> dict[str, Any]:
    return {
        "id": own("e"),
        "type": "page.viewed",
        "time": TIME,
        "identifiers": {"user_id": own("u")},
        "properties": {"path": path},
    }


def history(doors: Doors, own: Named, response: Any) -> list[dict[str, Any]]:
    assert (response.status_code, response.json()) == (200, SUCCESS), response.text
    position = response.headers["C360-Position"]
    return doors.timeline(doors.customer_of("user_id", own("u"), position), include="properties")


def test_binary_mode_has_its_attributes_in_headers(doors: Doors, web: Source, own: Named) -> None:
    event = cloudevent(web, viewed(own))
    headers = {f"ce-{name}": value for name, value in event.items() if name not in ("data", "datacontenttype")}
    response = doors.post("/events", web, content=json.dumps(event["data"]), headers=headers)
    (item,) = history(doors, own, response)
    assert (item["type"], item["time"], item["source"]) == ("page.viewed", TIME, web.name)
    assert item["properties"] == {"path": "/shoes"}


def test_a_percent_encoded_header_is_decoded(doors: Doors, web: Source, own: Named) -> None:
    event = cloudevent(web, viewed(own))
    headers = {
        f"ce-{name}": value for name, value in event.items() if name not in ("data", "datacontenttype", "source")
    }
    headers["ce-source"] = "caf%C3%A9"
    response = doors.post("/events", web, content=json.dumps(event["data"]), headers=headers)
    (item,) = history(doors, own, response)
    assert item["source"] == f"{web.name}/café"


def test_structured_mode_is_one_object(doors: Doors, web: Source, own: Named) -> None:
    headers = {"Content-Type": "application/cloudevents+json"}
    body = json.dumps(cloudevent(web, viewed(own)))
    (item,) = history(doors, own, doors.post("/events", web, content=body, headers=headers))
    assert (item["type"], item["time"], item["channel"]) == ("page.viewed", TIME, "web")


def test_a_batch_is_a_list(doors: Doors, web: Source, own: Named) -> None:
    batch = [cloudevent(web, {**viewed(own, f"/{n}"), "id": f"{own('e')}-{n}"}) for n in range(3)]
    headers = {"Content-Type": "application/cloudevents-batch+json"}
    items = history(doors, own, doors.post("/events", web, content=json.dumps(batch), headers=headers))
    assert {item["properties"]["path"] for item in items} == {"/0", "/1", "/2"}


def test_another_source_of_the_sender_goes_below_its_registered_name(doors: Doors, web: Source, own: Named) -> None:
    event = {**cloudevent(web, viewed(own)), "source": "checkout"}
    (item,) = history(doors, own, doors.post("/events", web, json=event))
    assert item["source"] == f"{web.name}/checkout"


def test_data_may_be_base64(doors: Doors, web: Source, own: Named) -> None:
    event = cloudevent(web, viewed(own))
    event["data_base64"] = base64.b64encode(json.dumps(event.pop("data")).encode()).decode()
    (item,) = history(doors, own, doors.post("/events", web, json=event))
    assert item["properties"] == {"path": "/shoes"}


def test_amounts_come_through_exactly(doors: Doors, web: Source, own: Named) -> None:
    body = json.dumps(
        cloudevent(web, {**viewed(own), "type": "order.completed", "properties": {"order_id": own("o")}})
    )
    exact = body.replace('"properties": {', '"properties": {"total": 12345678901234567.89, "currency": "EUR", ')
    response = doors.post("/events", web, content=exact)
    assert response.status_code == 200
    customer_id = doors.customer_of("user_id", own("u"), response.headers["C360-Position"])
    found = doors.ask(f"/v1/customers/{customer_id}/timeline", include="properties")
    assert '"total":12345678901234567.89' in found.text.replace(" ", "")


@pytest.mark.parametrize("version", ["0.3", "2.0", None])
def test_another_version_of_cloudevents_is_parked(doors: Doors, web: Source, own: Named, version: str | None) -> None:
    good = cloudevent(web, viewed(own))
    bad = {**cloudevent(web, viewed(own)), "id": own("bad"), "specversion": version}
    (item,) = history(doors, own, doors.post("/events", web, json=[bad, good]))
    assert item["type"] == "page.viewed"
