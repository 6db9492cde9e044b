"""Bad events among good ones are parked with their reasons; odd ones are stored as they came."""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.doors import Doors, Named, Source, cloudevent
from tests.support.load import ends
from tests.support.running import until

LOG = "channel.events"
FAR = "9" * 19
"""About 2 ** 63."""
HOSTILE = (
    "'; DROP TABLE profile; --",
    "a\r\nSet-Cookie: a=b\r\n2026-03-01T00:00:00Z [info ] forged_line",
    "<script>alert(1)</script>",
    "{{7*7}} ${7*7} #{7*7} %(x)s {0} %s%n",
    "\x1b[31mred\x1b[0m \x07 \u202e rtl",
    "[bold]markup[/bold] [link=file:///etc/passwd]",
    "..\\..\\etc\\passwd; $(reboot) `id`",
    "\U0001d518nicode \u2028 💌 e\u0301",
)
LOG_LINE = re.compile(r"^\S*\d{4}-\d\d-\d\d[T ]")


def parked_of(doors: Doors, source: Source) -> list[dict[str, Any]]:
    """What ops see of a source's parked events."""
    rows = doors.copy.json("parked", "list", "--limit", "1000")["parked"]
    return [row for row in rows if row["source"] == source.name]


def test_of_a_batch_of_500_with_3_bad_497_are_taken_and_3_parked(doors: Doors, own: Named) -> None:
    source = doors.source("five-hundred")
    user = own("u")
    batch: list[dict[str, Any]] = [
        {"type": "track", "event": "Product Viewed", "userId": user, "messageId": f"{own('m')}-{n}"}
        for n in range(500)
    ]
    batch[7] = {"type": "dance", "userId": user, "messageId": own("bad-call")}
    batch[250] = {"type": "track", "event": "Nobody's", "userId": "null", "messageId": own("nobody")}
    batch[499] = {**batch[499], "properties": {"text": "a\0b"}}
    known = len(parked_of(doors, source))
    before = sum(ends(doors.copy.kafka, [LOG]).values())
    response = doors.post("/v1/batch", source, json={"batch": batch})
    assert (response.status_code, response.json()) == (200, {"success": True})
    assert sum(ends(doors.copy.kafka, [LOG]).values()) - before == 497
    customer_id = doors.customer_of("user_id", user, response.headers["C360-Position"])
    assert len({item["event_id"] for item in doors.timeline(customer_id)}) == 497
    rows = parked_of(doors, source)
    reasons = sorted(row["reason"] for row in rows[: len(rows) - known])
    assert reasons == ["bad_call", "no_identifier", "nul_in_text"]


ODD: dict[str, tuple[dict[str, Any], str]] = {
    "a huge key": ({"properties": {"k" * 300: 1}}, "key_too_long"),
    "NUL in a value": ({"properties": {"a": "x\0"}}, "nul_in_text"),
    "NUL in a key": ({"properties": {"a\0": "x"}}, "nul_in_text"),
    "NUL in an identifier": ({"identifiers": {"email": "a\0b@x.de"}}, "nul_in_text"),
    "NUL in a trait": ({"traits": {"name": ["a", {"b": "\0"}]}}, "nul_in_text"),
    "NUL in the id": ({"id": "a\0b"}, "nul_in_text"),
    "NUL in the type": ({"type": "a\0b"}, "bad_type"),
    "a line break in the type": ({"type": "a\nb"}, "bad_type"),
    "a lone surrogate": ({"properties": {"a": "\ud800"}}, "lone_surrogate"),
    "a lone surrogate in a key": ({"properties": {"\udfff": 1}}, "lone_surrogate"),
    "a lone surrogate in the id": ({"id": "\ud800"}, "lone_surrogate"),
    "too deep": ({"properties": json.loads('{"a":' * 40 + "1" + "}" * 40)}, "too_deep"),
    "too large": ({"properties": {"a": "x" * 33_000}}, "event_too_large"),
    "too many identifiers": ({"identifiers": {"card": [str(n) for n in range(51)]}}, "too_many_identifiers"),
    "an id of 300 characters": ({"id": "i" * 300}, "id_too_long"),
    "no id": ({"id": None}, "no_id"),
    "data that is a list": ({"data": [1]}, "data_not_an_object"),
}


def test_each_odd_event_is_parked_with_its_reason_and_none_reaches_the_log(doors: Doors, own: Named) -> None:
    source = doors.source("odd-events")
    events = []
    for name, (change, _) in ODD.items():
        base = {"type": "note.added", "identifiers": {"user_id": own("u")}, "properties": {"text": name}}
        event = cloudevent(source, {**base, **{k: v for k, v in change.items() if k != "data"}})
        events.append({**event, **({"data": change["data"]} if "data" in change else {})})
    before = sum(ends(doors.copy.kafka, [LOG]).values())
    known = len(parked_of(doors, source))
    response = doors.post("/events", source, content=json.dumps(events).encode())
    assert (response.status_code, response.json()) == (200, {"success": True})
    assert sum(ends(doors.copy.kafka, [LOG]).values()) == before
    rows = parked_of(doors, source)
    assert len(rows) - known == len(ODD)
    assert sorted(row["reason"] for row in rows[: len(ODD)]) == sorted(reason for _, reason in ODD.values())


TIMES: dict[str, tuple[Any, bool]] = {
    "in 1970": ("1970-01-01T00:00:00Z", True),
    "in ten years": ((datetime.now(UTC) + timedelta(days=3_650)).isoformat(), True),
    "in year 9999": ("9999-12-31T23:59:59Z", True),
    "2^63": (2**63, True),
    "2^63 as text": (FAR, True),
    "without zone": ("2026-03-02T10:00:00", True),
    "a word": ("yesterday", True),
    "February 30th": ("2026-02-30T10:00:00Z", True),
    "an object": ({"$date": 1}, True),
    "minus one": (-1, True),
    "a leap second": ("2016-12-31T23:59:60Z", True),
    "with an offset": ("2026-03-02T10:00:00+14:00", False),
    "nanoseconds": ("2026-03-02T10:00:00.123456789Z", False),
    "lower case": ("2026-03-02t10:00:00z", False),
}
"""Name → the time sent, and whether it is implausible or unreadable: clamped to arrival, with a flag."""


@pytest.mark.parametrize("name", TIMES)
def test_an_implausible_time_is_clamped_with_a_flag(doors: Doors, web: Source, own: Named, name: str) -> None:
    time, clamped = TIMES[name]
    event = {"id": own("e"), "type": "note.added", "time": time, "identifiers": {"user_id": own("u")}}
    sent_at = datetime.now(UTC)
    customer_id = doors.customer_of("user_id", own("u"), doors.send(web, event))
    (item,) = doors.timeline(customer_id)
    shown = datetime.fromisoformat(item["time"])
    assert (abs(shown - sent_at) < timedelta(minutes=1)) is clamped, item["time"]
    seen = doors.http.get(f"{doors.copy.internal['interaction']}/trace", params={"source": web.name, "id": own("e")})
    place = {name: seen.json()[name] for name in ("partition", "offset")}
    trail = doors.http.get(f"{doors.copy.internal['intake']}/trace", params=place)
    assert trail.json()["clamped"] is clamped
    document = doors.profile(customer_id)
    assert document["interaction"]["first_at"] == document["interaction"]["last_at"] == item["time"]


def hostile_events(own: Named, text: str) -> list[dict[str, Any]]:
    """Every field that takes any text, filled with it."""
    traits = {"firstName": text, "company": {"name": text}, "address": {"street": text}, text: text}
    properties = {"text": text, "path": text, "name": text, "message_id": text, text: {text: [text]}}
    return [
        {
            "id": f"{own(type_)}{text}",
            "type": type_,
            "identifiers": {"user_id": own("u") + text, "ticket_no": own("t") + text},
            "traits": traits,
            "properties": properties,
            "actor": {"kind": "staff", "name": text},
            "conversation_id": text,
            "locale": text,
            "context": {text: text},
            "campaign": {"name": text},
            "channel": text,
        }
        for type_ in ("note.added", "page.viewed", "message.sent")
    ]


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_code_in_every_field_is_stored_and_returned_as_it_came(
    doors: Doors, web: Source, own: Named, number: int
) -> None:
    text = HOSTILE[number]
    position = doors.send(web, *hostile_events(own, text))
    customer_id = doors.customer_of("user_id", own("u") + text, position)
    document = doors.profile(customer_id)
    assert document["contact"]["name"] == text
    assert document["contact"]["addresses"] == [{"street": text}]
    assert document["contact"]["traits"][text] == text
    values = {i["type"]: i["value"] for i in document["identity"]["identifiers"]}
    assert values["ticket_no"] == own("t") + text
    items = doors.timeline(customer_id, include="properties")
    assert len(items) == 3
    for item in items:
        assert item["properties"][text] == {text: [text]}
        assert item["properties"]["text"] == text
        assert item["actor"]["name"] == text
        assert "\n" not in item["title"]
        assert "\r" not in item["title"]


def test_no_log_line_was_broken_or_forged(doors: Doors, web: Source, own: Named) -> None:
    for text in HOSTILE:
        doors.send(web, *hostile_events(own, text))
        doors.post("/v1/track", web, json={"event": text, "userId": own("u")})
        doors.post("/v1/track", Source("", "nobody"), json={"event": text}, headers={"X-Odd": "a"})
        doors.ask("/v1/customers/nobody/timeline", channel=text)
    for name in ("intake", "identity", "interaction", "profile", "internal"):
        for line in (doors.copy.home / "log" / f"{name}.log").read_text().splitlines():
            assert LOG_LINE.match(line), f"{name}: {line[:200]}"
            assert "forged_line" not in line, name
            assert "\x1b[31m" not in line, name


def test_the_console_escapes_what_sources_sent(doors: Doors, web: Source, own: Named) -> None:
    texts = [HOSTILE[4], HOSTILE[5]]
    for text in texts:
        event = {"type": "contact.identified", "identifiers": {"user_id": own("u")}, "traits": {"name": text}}
        position = doors.send(web, event)
        customer_id = doors.customer_of("user_id", own("u"), position)
        shown = doors.copy.command("customer", customer_id, "--timeline")
        assert "\x1b" not in shown
        assert "\x07" not in shown
        assert "\u202e" not in shown
        assert ("[bold]markup" in shown) is (text == HOSTILE[5]), "markup is text"


def test_of_two_bodies_with_one_id_the_first_is_kept_and_the_second_counted(
    doors: Doors, web: Source, own: Named
) -> None:
    def conflicts() -> int:
        told = doors.http.get(f"{doors.copy.internal['interaction']}/status").json()
        return int(told["tally"].get("conflict", 0))

    def event(text: str) -> dict[str, Any]:
        ids = {"user_id": own("u")}
        return {"id": own("e"), "type": "note.added", "identifiers": ids, "properties": {"text": text}}

    before = conflicts()
    doors.send(web, event("first"))
    position = doors.send(web, event("second"))
    customer_id = doors.customer_of("user_id", own("u"), position)
    (item,) = doors.timeline(customer_id, include="properties")
    assert item["properties"]["text"] == "first"
    until(lambda: conflicts() == before + 1, "the conflict is counted", 5.0)
    doors.send(web, {**event("first"), "time": None})
    assert doors.profile(customer_id)["interaction"]["count"] == 1
    assert conflicts() == before + 1, "a repetition is no conflict"


def test_a_batch_with_one_id_twice_keeps_the_first(doors: Doors, web: Source, own: Named) -> None:
    base = {"id": own("e"), "type": "note.added", "identifiers": {"user_id": own("u")}}
    position = doors.send(web, *({**base, "properties": {"text": text}} for text in ("first", "second", "third")))
    (item,) = doors.timeline(doors.customer_of("user_id", own("u"), position), include="properties")
    assert item["properties"]["text"] == "first"


def test_one_bad_event_never_costs_the_good_ones_of_another_source(doors: Doors, web: Source, own: Named) -> None:
    bad = {"specversion": "1.0", "id": uuid.uuid4().hex, "type": "x", "source": "\ud800"}
    good = cloudevent(web, {"type": "note.added", "identifiers": {"user_id": own("u")}})
    response = doors.post("/events", web, content=json.dumps([bad, good, None, 7, [], "x"]).encode())
    assert response.status_code == 200
    assert doors.customer_of("user_id", own("u"), response.headers["C360-Position"])
