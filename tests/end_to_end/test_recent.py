"""Whoever sets a source up sees what became of its last events; one that sends too fast is told when to go on."""

from __future__ import annotations

import uuid
from typing import Any

from tests.end_to_end.test_kafka_door import publish
from tests.support.doors import Doors, Named, Source, cloudevent
from tests.support.running import until


def _recent(doors: Doors, source: Source, **params: Any) -> list[dict[str, Any]]:
    url = f"{doors.copy.intake}/v1/sources/{source.name}/recent"
    answer = doors.http.get(url, params=params, auth=(source.write_key, ""))
    assert answer.status_code == 200, answer.text
    events: list[dict[str, Any]] = answer.json()["events"]
    return events


def test_a_source_sees_what_was_applied_told_twice_and_parked_with_its_reason(doors: Doors, own: Named) -> None:
    source = doors.source(own("till"), "--channel", "store")
    event = {"id": own("e1"), "type": "page.viewed", "identifiers": {"user_id": own("u")}, "properties": {"url": "/"}}
    doors.send(source, event)
    position = doors.send(source, event)
    doors.post("/events", source, json=[{**cloudevent(source, event), "id": own("e2"), "data": {"identifiers": {}}}])
    doors.customer_of("user_id", own("u"), position)
    listed = _recent(doors, source)
    assert [one["state"] for one in listed] == ["parked", "duplicate", "applied"]
    assert listed[0]["reason"]
    assert [one["id"] for one in listed[1:]] == [own("e1"), own("e1")]
    assert [one["state"] for one in _recent(doors, source, state="parked")] == ["parked"]
    assert doors.http.get(f"{doors.copy.intake}/v1/sources/{source.name}/recent").status_code == 401
    other = doors.source(own("other"), "--channel", "web")
    url = f"{doors.copy.intake}/v1/sources/{source.name}/recent"
    assert doors.http.get(url, auth=(other.write_key, "")).status_code == 403


def test_a_source_that_sends_too_fast_is_told_to_wait_and_a_revoked_key_sends_nothing(
    doors: Doors, own: Named
) -> None:
    source = doors.source(own("slow"), "--events-per-s", "1")
    batch = [
        cloudevent(source, {"type": "page.viewed", "identifiers": {"user_id": uuid.uuid4().hex}}) for _ in range(2)
    ]
    assert doors.post("/events", source, json=batch).status_code == 200
    refused = doors.post("/events", source, json=batch)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_fast")
    assert int(refused.headers["Retry-After"]) >= 1
    doors.copy.json("source", "revoke", source.write_key, "--execute")
    answers = {doors.post("/events", source, json=batch).status_code for _ in range(1)}
    assert answers <= {401, 429}


def test_a_source_sees_what_came_by_kafka_too(doors: Doors, own: Named) -> None:
    source = doors.source(own("desk"))
    note = {"type": "note.added", "id": own("n"), "identifiers": {"user_id": own("u")}}
    publish(doors.copy.kafka, cloudevent(source, note))
    publish(doors.copy.kafka, {**cloudevent(source, note), "id": own("nobody's"), "data": {}})

    def both() -> list[dict[str, Any]] | None:
        listed = _recent(doors, source)
        return listed if {one["state"] for one in listed} == {"applied", "parked"} else None

    listed = until(both, "both are told, and one is applied", 15.0)
    assert listed is not None
    (applied,) = [one for one in listed if one["state"] == "applied"]
    assert (applied["id"], applied["incomplete"]) == (own("n"), ["text"])
