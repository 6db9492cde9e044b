"""Upstreams that write CloudEvents straight to Kafka, with their own client."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from confluent_kafka import Producer

from tests.support.doors import Doors, Named, Source, cloudevent
from tests.support.running import until

VISIBLE_S = 20.0
FLUSH_S = 10.0


def publish(kafka: str, value: object, headers: Mapping[str, str] | None = None) -> None:
    """One record to the raw topic, acknowledged."""
    failures: list[object] = []
    producer = Producer({"bootstrap.servers": kafka, "acks": "all"})
    producer.produce(
        "channel.raw",
        value=json.dumps(value).encode(),
        headers={name: text.encode() for name, text in (headers or {}).items()},
        on_delivery=lambda error, _: failures.append(error) if error else None,
    )
    assert producer.flush(FLUSH_S) == 0
    assert not failures


def viewed(own: Named, path: str = "/kafka") -> dict[str, Any]:
    return {
        "id": own(path),
        "type": "page.viewed",
        "time": "2026-03-02T09:15:00Z",
        "identifiers": {"user_id": own("u")},
        "properties": {"path": path},
    }


def paths(doors: Doors, own: Named, count: int) -> set[str]:
    """What is seen of the user once it is that many events."""

    def seen() -> list[dict[str, Any]]:
        (result,) = doors.look_up(("user_id", own("u")))
        customer_id = result["customer_id"]
        items = doors.timeline(customer_id, include="properties") if customer_id else []
        return items if len(items) >= count else []

    return {item["properties"]["path"] for item in until(seen, f"{count} events are visible", VISIBLE_S)}


def in_headers(event: Mapping[str, Any]) -> dict[str, str]:
    attributes = {f"ce_{k}": str(v) for k, v in event.items() if k not in ("data", "datacontenttype")}
    return {**attributes, "content-type": "application/json"}


def test_binary_structured_and_batch_arrive_alike(doors: Doors, web: Source, own: Named) -> None:
    binary = cloudevent(web, viewed(own, "/binary"))
    publish(doors.copy.kafka, binary["data"], in_headers(binary))
    structured = {"content-type": "application/cloudevents+json"}
    publish(doors.copy.kafka, cloudevent(web, viewed(own, "/structured")), structured)
    batch = [cloudevent(web, viewed(own, "/first")), cloudevent(web, viewed(own, "/second"))]
    publish(doors.copy.kafka, batch, {"content-type": "application/cloudevents-batch+json"})
    assert paths(doors, own, 4) == {"/binary", "/structured", "/first", "/second"}


@pytest.mark.feature("O2")
def test_the_same_event_over_http_and_over_kafka_counts_once(doors: Doors, web: Source, own: Named) -> None:
    doors.send(web, viewed(own))
    publish(doors.copy.kafka, cloudevent(web, viewed(own)))
    publish(doors.copy.kafka, cloudevent(web, viewed(own, "/after")))
    assert paths(doors, own, 2) == {"/kafka", "/after"}


def test_an_event_of_an_unregistered_source_is_parked_with_its_reason(doors: Doors, web: Source, own: Named) -> None:
    before = parked(doors)
    publish(doors.copy.kafka, cloudevent(Source(own("stranger"), ""), viewed(own, "/stranger")))
    publish(doors.copy.kafka, cloudevent(web, viewed(own, "/registered")))
    assert paths(doors, own, 1) == {"/registered"}
    until(lambda: parked(doors) == before + 1, "it is in the parked list", VISIBLE_S)


def parked(doors: Doors) -> int:
    return int(doors.copy.json("parked", "list")["by_reason"].get("source_not_registered", 0))
