"""The c360 command as people and scripts use it, against a running copy."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest

from tests.support.doors import Doors, Named, Source, cloudevent

LANE = {"service", "topic", "partition", "position", "end", "lag", "state", "build", "generation"}
READS = {
    ("intake", "channel.raw"),
    ("identity", "channel.events"),
    ("interaction", "channel.events"),
    ("interaction", "identity.bindings"),
    ("profile", "identity.customers"),
    ("profile", "interaction.customers"),
}


@pytest.mark.feature("O2")
def test_status_tells_addresses_lanes_and_whether_all_is_visible(doors: Doors, web: Source, own: Named) -> None:
    event = {"type": "note.added", "identifiers": {"user_id": own("u")}, "properties": {"text": "x"}}
    doors.send(web, event)
    doors.copy.command("wait", "--timeout", "20")
    status = doors.copy.json("status")
    assert {"kafka", "database", "intake", "profile", "lanes", "caught_up"} <= set(status)
    assert status["caught_up"] is True
    assert status["halted"] == []
    assert status["unreachable"] == {}
    assert all(set(lane) >= LANE for lane in status["lanes"])
    assert {(lane["service"], lane["topic"]) for lane in status["lanes"]} >= READS
    assert all(lane["lag"] == lane["end"] - lane["position"] == 0 for lane in status["lanes"])
    assert len({lane["build"] for lane in status["lanes"]}) == 1
    assert doors.http.get(f"{status['profile']}/healthz").status_code == 200
    assert doors.http.get(f"{status['intake']}/healthz").status_code == 200


def a_file(path: Path, web: Source, own: Named) -> None:
    """Three good lines of two forms, and three bad ones between them."""
    viewed = {"type": "page.viewed", "identifiers": {"user_id": own("u")}, "properties": {"path": "/file"}}
    call = {"type": "track", "event": "Product Viewed", "userId": own("u"), "messageId": own("m")}
    lines = [
        json.dumps(cloudevent(Source("cli", ""), viewed)),
        '{"specversion": "1.0", "id"',
        json.dumps(call),
        '{"neither": "nor"}',
        "",
        "[1, 2",
        json.dumps(cloudevent(Source("cli", ""), viewed)),
    ]
    path.write_text("\n".join(lines) + "\n")


def test_publish_sends_the_good_lines_and_names_the_bad_ones(
    doors: Doors, web: Source, own: Named, tmp_path: Path
) -> None:
    file = tmp_path / "events.jsonl"
    a_file(file, web, own)
    done = doors.copy.run("publish", str(file), "--wait", "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 1, "a line was bad"
    assert told["accepted"] == 3
    assert [one["line"] for one in told["bad_lines"]] == [2, 4, 6]
    assert all(one["why"] for one in told["bad_lines"])
    assert told["refused"] == []
    assert len(doors.timeline(doors.customer_of("user_id", own("u")))) == 3


def test_publish_reads_standard_input(doors: Doors, own: Named) -> None:
    call = {"type": "identify", "userId": own("u"), "messageId": own("m"), "traits": {"firstName": "Ann"}}
    done = doors.copy.run("publish", "-", "--wait", "--json", stdin=json.dumps(call))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["accepted"] == 1
    assert doors.profile(doors.customer_of("user_id", own("u")))["contact"]["name"] == "Ann"


def test_publish_of_a_missing_file_is_a_mistake_in_one_line(doors: Doors, tmp_path: Path) -> None:
    done = doors.copy.run("publish", str(tmp_path / "none.jsonl"))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.feature("O2")
def test_trace_tells_where_an_event_went(doors: Doors, web: Source, own: Named) -> None:
    event = {"id": own("e"), "type": "note.added", "identifiers": {"user_id": own("u")}, "properties": {"text": "x"}}
    position = doors.send(web, event)
    customer_id = doors.customer_of("user_id", own("u"), position)
    traced = doors.copy.json("trace", web.name, own("e"))
    assert traced["intake"]["topic"] == "channel.events"
    assert traced["intake"]["received_at"] <= traced["intake"]["acknowledged_at"]
    assert traced["interaction"]["customer_id"] == customer_id
    assert traced["interaction"]["type"] == "note.added"
    assert traced["profile"]["customer_id"] == customer_id
    assert traced["profile"]["version"] >= 1
    unknown = doors.copy.run("trace", web.name, own("nothing"))
    assert unknown.returncode == 1


@pytest.mark.feature("I1")
def test_customer_and_lookup_find_a_person_by_what_people_type(doors: Doors, web: Source, own: Named) -> None:
    mail = own("ann") + "@mail.example"
    event = {
        "type": "contact.identified",
        "identifiers": {"user_id": own("u")},
        "traits": {"name": "Ann", "email": mail},
    }
    customer_id = doors.customer_of("email", mail, doors.send(web, event))
    assert doors.copy.json("customer", mail)["customer_id"] == customer_id
    by_id = doors.copy.json("customer", customer_id, "--timeline")
    assert [item["type"] for item in by_id["timeline"]] == ["contact.identified"]
    assert doors.copy.json("lookup", "user_id", own("u"))["customer_id"] == customer_id
    assert doors.copy.run("lookup", "email", own("nobody")).returncode == 1
    text = doors.copy.command("customer", f"email:{mail}")
    assert "Ann" in text
    assert customer_id in text


@pytest.mark.parametrize("words", [("customer", str(uuid.UUID(int=9))), ("customer", "nobody"), ("dance",)])
def test_what_cannot_be_answered_is_said_in_one_line(doors: Doors, words: tuple[str, ...]) -> None:
    done = doors.copy.run(*words)
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    assert done.stderr.startswith("c360: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.feature("O2")
def test_status_tells_of_each_service_its_pace_what_waits_its_policy_and_its_size(doors: Doors) -> None:
    told = doors.copy.json("status")
    services = told["services"]
    assert services.keys() == {row["service"] for row in told["lanes"]}
    for one in services.values():
        assert one["per_s"] >= 0
        assert (one["oldest_marker_s"] > 0) == (one["markers"] > 0)
        assert one["disk_mib"] > 0
        assert {worker["state"] for worker in one["workers"]} <= {"fetching", "applying"}
    assert services["value"]["policies"]["value.policy"] >= 1
    assert told["disk_free_mib"] > 0
    assert "MiB of disk are free" in doors.copy.command("status")
