"""What was parked is looked at without what people wrote, tried again by the lane, and discarded for a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.test_kafka_door import paths, publish, viewed
from tests.support.doors import Doors, Named, Source, cloudevent
from tests.support.running import until

REASON = "source_not_registered"
PARKED_S = 20.0


def _of(doors: Doors, *options: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = doors.copy.json("parked", "list", "intake", "--limit", "1000", *options)["parked"]
    return rows


@pytest.mark.faults
@pytest.mark.feature("O1")
def test_a_parked_event_counts_once_its_source_is_known(doors: Doors, web: Source, own: Named) -> None:
    before = {(row["partition"], row["offset"]) for row in _of(doors)}
    name = own("stranger")
    publish(doors.copy.kafka, cloudevent(Source(name, ""), viewed(own, "/early")))

    def new() -> list[dict[str, Any]]:
        rows = _of(doors, "--reason", REASON)
        return [row for row in rows if (row["partition"], row["offset"]) not in before]

    (row,) = until(new, "it is parked", PARKED_S)
    place = f"{row['topic']}/{row['partition']}/{row['offset']}"
    shown = doors.copy.command("parked", "show", "intake", place)
    assert REASON in shown
    assert own("u") not in shown
    assert doors.copy.json("parked", "retry", "intake", "--place", place) == {"chosen": 1, "execute": False}
    doors.source(name)

    def retried() -> bool:
        # The door remembers for a moment that the source was not there.
        doors.copy.command("parked", "retry", "intake", "--place", place, "--execute")
        return not new()

    until(retried, "it is parked no more", PARKED_S)
    assert paths(doors, own, 1) == {"/early"}
    refused = doors.copy.run("parked", "discard", "intake", "--because", "a test", "--execute")
    assert refused.returncode == 2, "which ones must be said"
    doors.copy.command("parked", "discard", "intake", "--reason", REASON, "--because", "a test", "--execute")
    assert not _of(doors, "--reason", REASON)


def test_what_was_parked_at_the_door_is_put_right_by_hand_and_counts_once(
    doors: Doors, own: Named, tmp_path: Path
) -> None:
    till = doors.source(own("till"), "--channel", "store")
    nobody = cloudevent(till, {"type": "page.viewed", "id": own("e"), "properties": {"path": own("/secret")}})
    nobody["data"].pop("identifiers", None)
    assert doors.post("/events", till, json=[nobody]).status_code == 200
    (row,) = [one for one in _of(doors, "--source", till.name) if one["topic"] == "http"]
    place = f"http/0/{row['offset']}"
    assert row["reason"] == "no_identifier"
    assert own("/secret") not in doors.copy.command("parked", "show", "intake", place)
    assert doors.copy.json("parked", "retry", "intake", "--place", place) == {"chosen": 0, "execute": False}

    sent = tmp_path / "sent.json"
    doors.copy.command("parked", "show", "intake", place, "--out", str(sent))
    assert sent.stat().st_mode & 0o777 == 0o600
    (event,) = json.loads(sent.read_text())
    event["data"]["identifiers"] = {"user_id": own("u")}
    sent.write_text(json.dumps(event))
    told = doors.copy.json("parked", "replace", place, "--with", str(sent))
    assert (told["type"], told["execute"], told["position"]) == ("page.viewed", False, None)
    done = doors.copy.json("parked", "replace", place, "--with", str(sent), "--execute")
    customer = doors.customer_of("user_id", own("u"), done["position"])
    (item,) = doors.timeline(customer, done["position"], include="properties")
    assert (item["event_id"], item["source"]) == (done["event_id"], till.name)
    assert not _of(doors, "--source", till.name)
    again = doors.copy.run("parked", "replace", place, "--with", str(sent), "--execute")
    assert (again.returncode, "nothing is parked there" in again.stderr) == (1, True)


def test_a_replacement_that_the_log_has_already_is_the_same_event(doors: Doors, own: Named, tmp_path: Path) -> None:
    """Whoever died between the log's word and the discarding says it again."""
    till = doors.source(own("till"))
    event = cloudevent(till, {"type": "page.viewed", "id": own("e")})
    event["data"].pop("identifiers", None)
    assert doors.post("/events", till, json=[event]).status_code == 200
    (row,) = _of(doors, "--source", till.name)
    event["data"]["identifiers"] = {"user_id": own("u")}
    assert doors.post("/events", till, json=[event]).status_code == 200
    file = tmp_path / "event.json"
    file.write_text(json.dumps(event))
    done = doors.copy.json("parked", "replace", f"http/0/{row['offset']}", "--with", str(file), "--execute")
    customer = doors.customer_of("user_id", own("u"), done["position"])
    assert [one["event_id"] for one in doors.timeline(customer, done["position"])] == [done["event_id"]]
    assert not _of(doors, "--source", till.name)


def test_a_replacement_that_cannot_be_taken_says_why_and_changes_nothing(
    doors: Doors, own: Named, tmp_path: Path
) -> None:
    till = doors.source(own("till"))
    assert doors.post("/v1/track", till, json={"event": "Order Completed", "messageId": own("m")}).status_code == 200
    (row,) = _of(doors, "--source", till.name)
    file, place = tmp_path / "event.json", f"http/0/{row['offset']}"
    for event, said in (
        ({"type": "track", "event": "Order Completed", "messageId": own("m")}, "no_identifier"),
        ({"specversion": "1.0", "type": "page.viewed", "data": {"identifiers": {"user_id": "u"}}}, "no_id"),
        ([], "event"),
    ):
        file.write_text(json.dumps(event))
        refused = doors.copy.run("parked", "replace", place, "--with", str(file), "--execute")
        assert (refused.returncode, said in refused.stderr) == (1, True), refused.stderr
    file.write_text("{")
    assert doors.copy.run("parked", "replace", place, "--with", str(file)).returncode == 2
    assert len(_of(doors, "--source", till.name)) == 1
    position = doors.send(till, {"type": "page.viewed", "identifiers": {"user_id": own("v")}})
    doors.customer_of("user_id", own("v"), position)
    of_him = ("--customer", f"user_id:{own('v')}", "--because", "x")
    assert doors.copy.json("parked", "discard", "interaction", *of_him)["chosen"] == 0
