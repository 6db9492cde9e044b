"""Snowplow's trackers send what they always sent, by POST and as a picture, and it is in the profile."""

from __future__ import annotations

import base64
import json
import uuid
from typing import Any

import httpx
import pytest

from tests.support.doors import SUCCESS, Doors, Named, Source

TP2 = "/com.snowplowanalytics.snowplow/tp2"
SCHEMA = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"
APP = f"shop-web-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def shop(doors: Doors) -> Source:
    """A shop whose trackers are Snowplow's; they name their app, and no key."""
    return doors.source("snowplow-shop", "--app-id", APP, "--app-id", f"{APP}-2")


def event(user: str, kind: str = "pv", **parameters: str) -> dict[str, str]:
    sent = {"e": kind, "eid": str(uuid.uuid4()), "dtm": "1772442900000", "stm": "1772442905000", "aid": APP}
    return {**sent, "uid": user, "p": "web", "url": "https://shop.example/", **parameters}


def post(doors: Doors, *events: Any, path: str = TP2, **request: Any) -> httpx.Response:
    return doors.http.post(
        f"{doors.copy.intake}{path}",
        content=json.dumps({"schema": SCHEMA, "data": events}),
        headers={"Content-Type": "application/json; charset=utf-8", **request.pop("headers", {})},
        **request,
    )


def took(response: httpx.Response) -> str:
    assert (response.status_code, response.json()) == (200, SUCCESS), response.text
    return str(response.headers["C360-Position"])


def types_of(doors: Doors, user: str, position: str) -> list[str]:
    return sorted(item["type"] for item in doors.timeline(doors.customer_of("user_id", user, position)))


def test_an_app_that_a_source_lists_sends_without_a_key(doors: Doors, shop: Source, own: Named) -> None:
    position = took(post(doors, event(own("u")), event(own("u"), "pp", aid=f"{APP}-2")))
    assert types_of(doors, own("u"), position) == ["page.viewed", "page_ping"]
    (first, _) = doors.timeline(doors.customer_of("user_id", own("u")))
    assert first["source"] == shop.name


@pytest.mark.parametrize("place", ["header", "query", "app"])
def test_a_key_stands_in_the_header_the_address_or_for_the_app_and_is_never_kept(
    doors: Doors, shop: Source, own: Named, place: str
) -> None:
    key = shop.write_key
    match place:
        case "header":
            response = post(doors, event(own("u"), aid="other"), auth=(key, ""))
        case "query":
            response = post(doors, event(own("u"), aid="other"), path=f"{TP2}?writeKey={key}")
        case _:
            response = post(doors, event(own("u"), aid=key))
    customer_id = doors.customer_of("user_id", own("u"), took(response))
    shown = doors.ask(f"/v1/customers/{customer_id}/timeline", include="properties").text
    assert shop.write_key not in shown


@pytest.mark.parametrize("aid", ["nobody's", None])
def test_an_app_nobody_lists_is_refused(doors: Doors, own: Named, aid: str | None) -> None:
    sent = {key: value for key, value in event(own("u")).items() if key != "aid"}
    response = post(doors, {**sent, "aid": aid} if aid else sent)
    assert response.status_code == 401
    assert set(response.json()) == {"code", "message"}


def test_of_two_apps_the_unknown_ones_events_are_parked(doors: Doors, shop: Source, own: Named) -> None:
    position = took(post(doors, event(own("u")), event(own("u"), aid="nobody's")))
    assert types_of(doors, own("u"), position) == ["page.viewed"]
    rows = doors.copy.json("parked", "list", "--limit", "1000")["parked"]
    assert "unknown_app" in {row["reason"] for row in rows if row["source"] == shop.name}


def test_an_app_id_belongs_to_one_source(doors: Doors, shop: Source, own: Named) -> None:
    made = doors.copy.run("source", "create", own("other"), "--app-id", APP)
    assert made.returncode == 1
    assert shop.name in made.stderr


def test_a_picture_carries_one_event(doors: Doors, shop: Source, own: Named) -> None:
    person = {"schema": "iglu:com.acme/user/jsonschema/1-0-0", "data": {"email": f"{own('ann')}@x.de"}}
    told = {"schema": "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1", "data": [person]}
    params = event(own("u"), cx=base64.urlsafe_b64encode(json.dumps(told).encode()).decode())
    response = doors.http.get(f"{doors.copy.intake}/i", params=params)
    assert (response.status_code, response.headers["content-type"]) == (200, "image/gif")
    assert response.content.startswith(b"GIF89a")
    position = response.headers["C360-Position"]
    customer_id = doors.customer_of("user_id", own("u"), position)
    assert doors.customer_of("email", f"{own('ann')}@x.de") == customer_id


@pytest.mark.feature("D3")
def test_a_transaction_and_its_items_are_one_order(doors: Doors, shop: Source, own: Named) -> None:
    order = event(own("u"), "tr", tr_id=own("o"), tr_tt="23.00", tr_tx="1", tr_sh="2", tr_cu="EUR")
    item = event(own("u"), "ti", ti_id=own("o"), ti_sk="S-1", ti_ca="socks", ti_pr="10", ti_qu="2", ti_cu="EUR")
    position = took(post(doors, order, item))
    customer_id = doors.customer_of("user_id", own("u"), position)
    actual = doors.profile(customer_id, position)["value"]["actual"]
    assert (actual["orders"], actual["revenue"]) == (1, "20.00")
    assert [area["area"] for area in actual["by_area"]] == ["socks"]


def test_a_browser_that_sends_credentials_is_named_in_the_answer(doors: Doors, own: Named) -> None:
    origin = {"Origin": "https://shop.example"}
    asked = doors.http.options(
        f"{doors.copy.intake}{TP2}",
        headers={**origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"},
    )
    answered = post(doors, event(own("u")), headers=origin)
    for response in (asked, answered):
        assert response.headers["access-control-allow-origin"] == origin["Origin"]
        assert response.headers["access-control-allow-credentials"] == "true"


def test_sent_again_in_other_batches_it_counts_once(doors: Doors, shop: Source, own: Named) -> None:
    first, second = event(own("u")), event(own("u"), "se", se_ca="shop", se_ac="liked")
    took(post(doors, first, second))
    took(post(doors, {**first, "stm": "1772442999000"}))
    position = took(post(doors, {**second, "stm": "1772442999000"}))
    assert types_of(doors, own("u"), position) == ["liked", "page.viewed"]
