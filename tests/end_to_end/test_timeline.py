"""The timeline: everything once, newest first, filtered, page by page, in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.doors import Doors, Named, Source

EVENTS = 25
START = datetime(2026, 3, 1, 10, tzinfo=UTC)
MIX = (
    ("page.viewed", "web", {"path": "/tents"}, "Viewed /tents"),
    ("call.held", "call", {"duration_s": 300, "outcome": "answered"}, "Call, 5 min, answered"),
    ("message.sent", "email", {"message_id": "m", "campaign_name": "Spring"}, "Message sent: Spring"),
    ("order.completed", "store", {"order_id": "o-1", "total": "27.50", "currency": "EUR"}, None),
    ("skiing.booked", "partner", {"slope": "red"}, "Skiing booked"),
)


@pytest.fixture(scope="module")
def busy(doors: Doors, web: Source) -> str:
    """A customer with 25 events over two records; every five of them at one moment."""
    events: list[dict[str, Any]] = []
    for number in range(EVENTS):
        type_, channel, properties, _ = MIX[number % len(MIX)]
        lead = {"user_id": "timeline-u"} if number % 2 else {"anonymous_id": "timeline-a"}
        moment = START + timedelta(hours=number // len(MIX))
        events.append(
            {
                "id": f"timeline-{number}",
                "type": type_,
                "time": moment.isoformat(),
                "channel": channel,
                "identifiers": lead,
                "properties": {**properties, "number": number},
            }
        )
    both = {"user_id": "timeline-u", "anonymous_id": "timeline-a"}
    login = {
        "id": "timeline-login",
        "type": "contact.identified",
        "time": "2026-02-01T00:00:00Z",
        "identifiers": both,
    }
    position = doors.send(web, login, *events)
    customer_id = doors.customer_of("user_id", "timeline-u", position)
    assert len(doors.timeline(customer_id)) == EVENTS + 1
    return customer_id


@pytest.mark.feature("T1")
@pytest.mark.parametrize("limit", [1, 3, 7, 25, 26, 200])
def test_all_pages_give_each_event_once_newest_first(doors: Doors, busy: str, limit: int) -> None:
    items = doors.timeline(busy, limit=limit)
    assert len(items) == EVENTS + 1
    assert len({item["event_id"] for item in items}) == EVENTS + 1
    assert [item["time"] for item in items] == sorted((item["time"] for item in items), reverse=True)


@pytest.mark.feature("T1")
@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ({"channel": "call"}, lambda i: i["channel"] == "call"),
        ({"type": "page.viewed"}, lambda i: i["type"] == "page.viewed"),
        ({"direction": "outbound"}, lambda i: i["direction"] == "outbound"),
        ({"direction": "inbound", "channel": "store"}, lambda i: i["channel"] == "store"),
        ({"from": "2026-03-01T12:00:00Z"}, lambda i: i["time"] >= "2026-03-01T12"),
        ({"to": "2026-03-01T12:00:00Z"}, lambda i: i["time"] < "2026-03-01T12"),
        ({"from": "2026-03-01T11:00:00Z", "to": "2026-03-01T11:00:01Z"}, lambda i: i["time"][:13] == "2026-03-01T11"),
        ({"from": "2026-03-01T13:00:00+02:00"}, lambda i: i["time"] >= "2026-03-01T11"),
        ({"channel": "chat"}, lambda _: False),
    ],
    ids=lambda v: "&".join(f"{k}={x}" for k, x in v.items()) if isinstance(v, dict) else "",
)
def test_a_filter_keeps_exactly_what_it_says(doors: Doors, busy: str, query: dict[str, str], kept: Any) -> None:
    everything = doors.timeline(busy)
    wanted = [item["event_id"] for item in everything if kept(item)]
    assert [item["event_id"] for item in doors.timeline(busy, limit=4, **query)] == wanted


def test_properties_come_only_when_asked_for(doors: Doors, busy: str) -> None:
    assert not any(item.get("properties") for item in doors.timeline(busy))
    shown = doors.timeline(busy, include="properties")
    assert {item["properties"].get("number") for item in shown} == {*range(EVENTS), None}


@pytest.mark.feature("T1")
def test_titles_say_what_happened_in_words(doors: Doors, busy: str) -> None:
    titles = {item["type"]: item["title"] for item in doors.timeline(busy)}
    for type_, _, _, title in MIX:
        if title is not None:
            assert titles[type_] == title
    assert "27.50 EUR" in titles["order.completed"]


@pytest.mark.feature("T1")
def test_a_late_event_takes_its_place_by_time(doors: Doors, web: Source, own: Named) -> None:
    def on(day: int) -> dict[str, Any]:
        ids = {"user_id": own("u")}
        return {"type": "note.added", "time": f"2026-03-0{day}T10:00:00Z", "identifiers": ids}

    doors.send(web, on(3))
    position = doors.send(web, on(1), on(2))
    items = doors.timeline(doors.customer_of("user_id", own("u"), position))
    assert [item["time"][:10] for item in items] == ["2026-03-03", "2026-03-02", "2026-03-01"]


@pytest.mark.feature("T1")
def test_the_document_shows_the_newest_ten_of_the_timeline(doors: Doors, busy: str) -> None:
    last = doors.profile(busy)["interaction"]["last"]
    newest = doors.timeline(busy, limit=200)[:10]
    assert [item["event_id"] for item in last] == [item["event_id"] for item in newest]


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "201"},
        {"limit": "many"},
        {"cursor": "nonsense"},
        {"cursor": "WyIyMDI2LTAzLTAxVDEwOjAwOjAwWiIsIm5vIHV1aWQiXQ"},
        {"from": "yesterday"},
        {"from": "2026-03-01T10:00:00"},
        {"to": "2026-13-01T10:00:00Z"},
        {"min_position": "nonsense"},
        {"wait_ms": "-1"},
        {"channel": "a\0b"},
        {"type": "a\0b"},
    ],
    ids=str,
)
def test_a_bad_parameter_is_a_bad_request(doors: Doors, busy: str, query: dict[str, Any]) -> None:
    response = doors.ask(f"/v1/customers/{busy}/timeline", **query)
    assert response.status_code == 400, response.text
    assert response.headers["content-type"].startswith("application/problem+json")
    assert response.json()["type"] == "bad-request"
