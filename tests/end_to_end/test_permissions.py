"""What a source needs leave for, seen at every door; and commands, which our own source gives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.envelope import event_id
from tests.end_to_end.test_kafka_door import publish
from tests.support.doors import Doors, Named, Source, cloudevent


def test_a_source_without_leave_is_parked_at_every_door_and_changes_nothing(
    doors: Doors, web: Source, own: Named
) -> None:
    source = doors.source(own("eager"))
    pair = [{"type": "crm_id.acme", "value": own(name)} for name in ("ann", "bob")]
    ids = {"crm_id.acme": own("ann")}
    word = {
        "type": "identity.same_asserted",
        "identifiers": ids,
        "properties": {"records": pair, "reason": "because"},
    }
    void = {"type": "event.retracted", "identifiers": ids, "properties": {"source": web.name, "id": own("e")}}
    kept = {"type": "note.added", "identifiers": ids, "properties": {"text": "x"}}
    other = {"type": "note.added", "identifiers": {"crm_id.acme": own("bob")}, "properties": {"text": "x"}}
    doors.send(web, {**kept, "id": own("e")}, other)
    position = doors.send(source, word, void, kept)
    publish(doors.copy.kafka, cloudevent(source, word))
    doors.copy.command("wait", "--timeout", "20")
    rows = doors.copy.json("parked", "list", "--limit", "1000")["parked"]
    refused = [row for row in rows if row["reason"] == "not_permitted"]
    at_door = [row["detail"] for row in refused if (row["topic"], row["source"]) == ("http", source.name)]
    assert sorted(at_door) == ["it needs the permission assert", "it needs the permission retract"]
    assert any(row["topic"] == "channel.raw" for row in refused)
    assert "not_permitted" in doors.copy.command("parked", "list")
    ann, bob = doors.look_up(*((r["type"], r["value"]) for r in pair), position=position)
    assert ann["customer_id"] != bob["customer_id"]
    assert [item["type"] for item in doors.timeline(ann["customer_id"])] == ["note.added", "note.added"]


def test_the_source_create_command_gives_leave_and_nobody_can_be_our_own_source(doors: Doors, own: Named) -> None:
    doors.source(own("deputy"), "--may", "assert", "--may", "retract")
    listed = {one["name"]: one["may"] for one in doors.copy.json("source", "list")["sources"]}
    assert listed[own("deputy")] == ["assert", "retract"]
    for words in (("customer360",), (own("odd"), "--may", "everything")):
        done = doors.copy.run("source", "create", *words, "--json")
        assert (done.returncode, done.stdout) == (1, "")


def test_a_command_to_intake_that_cannot_be_taken_says_why(doors: Doors, own: Named) -> None:
    url = f"{doors.copy.internal['intake']}/commands"
    good: dict[str, Any] = {"type": "note.added", "identifiers": {"user_id": own("u")}, "properties": {"text": "x"}}
    for change, why in (
        ({"identifiers": {}}, "no_identifier"),
        ({"type": ""}, "bad_type"),
        ({"id": "x" * 300}, "id_too_long"),
        ({"surprise": 1}, "no fields but"),
    ):
        response = doors.http.post(url, json={**good, **change})
        assert (response.status_code, response.json()["type"]) == (400, "bad-request")
        assert why in response.json()["detail"]
    for body in (b"", b"[]", b"{", b'{"type": "a", "type": "b"}'):
        assert doors.http.post(url, content=body).status_code == 400
    at = (datetime.now(UTC) - timedelta(days=3)).replace(microsecond=0)
    response = doors.http.post(url, json={**good, "id": own("id"), "time": at.isoformat(), "channel": "call"})
    assert response.status_code == 200
    assert response.json()["event_id"] == event_id("customer360", own("id"))
    items = doors.timeline(doors.customer_of("user_id", own("u"), response.json()["position"]))
    assert [(i["channel"], i["time"]) for i in items] == [("call", at.isoformat().replace("+00:00", "Z"))]
