"""CloudEvents in every mode, over HTTP and Kafka: the same content is the same event."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.codec import Unreadable
from services.intake.domain.cloudevents import BATCH, STRUCTURED, read_http, read_kafka
from services.intake.domain.model import Parked, Raw
from tests.unit.intake.arriving import accepted

DATA = {"identifiers": {"email": "ann@x.com"}, "properties": {"path": "/schöne", "n": 1.50}}
ATTRIBUTES = {
    "specversion": "1.0",
    "id": "e 1",
    "source": "shop",
    "type": "page.viewed",
    "time": "2026-03-02T09:15:00Z",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "sentat": "2026-03-02T07:15:00Z",
}
STRUCTURED_BODY = json.dumps({**ATTRIBUTES, "datacontenttype": "application/json", "data": DATA}).encode()


def one(events: list[Raw | Parked]) -> Raw | Parked:
    (event,) = events
    return event


def reason(body: Any) -> str:
    event = one(read_http({}, json.dumps(body).encode()))
    assert isinstance(event, Parked)
    return event.reason


def test_the_same_content_in_every_mode_is_the_same_event() -> None:
    body = json.dumps(DATA).encode()
    in_http = {"Content-Type": "application/json", **{f"Ce-{k.title()}": v for k, v in ATTRIBUTES.items()}}
    in_kafka = [
        ("content-type", b"application/json"),
        *((f"ce_{k}", v.encode()) for k, v in ATTRIBUTES.items()),
    ]
    events = [
        read_http({"content-type": STRUCTURED}, STRUCTURED_BODY),
        read_http({"content-type": "text/plain"}, STRUCTURED_BODY),
        read_http({"content-type": BATCH}, b"[" + STRUCTURED_BODY + b"]"),
        read_http(in_http, body),
        read_kafka([("content-type", STRUCTURED.encode())], STRUCTURED_BODY),
        read_kafka([("content-type", f"{STRUCTURED}; charset=utf-8".encode())], STRUCTURED_BODY),
        read_kafka([], STRUCTURED_BODY),
        read_kafka(in_kafka, body),
    ]
    made = [accepted(one(event)) for event in events]
    assert all(event == made[0] for event in made)
    assert made[0].event.extensions == {"traceparent": ATTRIBUTES["traceparent"]}
    assert made[0].event.data["original"]["time"] == ATTRIBUTES["time"]


def test_http_headers_are_percent_decoded_and_unquoted() -> None:
    headers = {"ce-specversion": "1.0", "ce-id": '"a\\"b"', "ce-type": "x", "ce-source": "%C5%A1op"}
    event = one(read_http(headers, b"{}"))
    assert isinstance(event, Raw)
    assert (event.id, event.source) == ('a"b', "šop")


def test_one_bad_event_of_a_batch_is_parked_beside_the_good_ones() -> None:
    body = b"[" + STRUCTURED_BODY + b',5,{"a":1},{"specversion":"0.3"}]'
    events = read_http({}, body)
    assert [type(event) for event in events] == [Raw, Parked, Parked, Parked]
    assert [e.reason for e in events if isinstance(e, Parked)] == [
        "not_an_object",
        "not_an_event",
        "bad_specversion",
    ]


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"specversion": None}, "bad_specversion"),
        ({"source": 5}, "bad_source"),
        ({"data": [1]}, "data_not_an_object"),
        ({"data": "text"}, "data_not_an_object"),
        ({"Time": "2026-03-02T09:15:00Z"}, "bad_attribute"),
        ({"ID": "other"}, "bad_attribute"),
        ({"a b": "x"}, "bad_attribute"),
        ({"a": {"b": 1}}, "bad_attribute"),
        ({"a": "x" * 1025}, "bad_attribute"),
        ({f"a{i}": "x" for i in range(33)}, "bad_attribute"),
        ({"data": None, "data_base64": "?"}, "not_json"),
        ({"data": None, "data_base64": 5}, "not_json"),
    ],
)
def test_bad_attributes_park_the_event(attributes: dict[str, Any], expected: str) -> None:
    assert reason({**ATTRIBUTES, "data": DATA, **attributes}) == expected


def test_data_may_come_in_base64_and_extensions_as_numbers_and_flags() -> None:
    body = {**ATTRIBUTES, "data_base64": "eyJ1c2VySWQiOiAxfQ==", "sampled": True, "sequence": 7}
    event = one(read_http({}, json.dumps(body).encode()))
    assert isinstance(event, Raw)
    assert event.data == {"userId": 1}
    assert (event.extensions["sampled"], event.extensions["sequence"]) == ("true", "7")


@pytest.mark.parametrize(
    ("headers", "value", "expected"),
    [
        ([], None, "no_value"),
        ([], b"", "no_value"),
        ([], b"\x00\xff\x13", "not_json"),
        ([], STRUCTURED_BODY[:-5], "not_json"),
        ([], b"5", "not_an_event"),
        ([], b'{"a":1}', "not_an_event"),
        ([("ce_id", b"\xff")], b"{}", "bad_attribute"),
    ],
)
def test_garbage_in_the_raw_topic_is_named(
    headers: list[tuple[str, bytes]], value: bytes | None, expected: str
) -> None:
    with pytest.raises(Unreadable) as raised:
        read_kafka(headers, value)
    assert raised.value.reason == expected


def test_a_reader_tells_nothing_of_the_content() -> None:
    with pytest.raises(Unreadable) as raised:
        read_http({}, b'{"secret": "PLANTED" oops')
    assert "PLANTED" not in str(raised.value)
