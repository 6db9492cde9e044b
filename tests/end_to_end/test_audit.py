"""Whoever doubts it adds up what came in: every copy ended as applied, duplicate, shadowed or parked."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import asyncpg

from schemas.envelope import event_id
from tests.end_to_end.test_kafka_door import publish
from tests.support.doors import Doors, Named, Source, cloudevent
from tests.support.running import until

ACCOUNT_S = 15.0


def audited(doors: Doors, source: Source) -> dict[str, int]:
    """The totals of a source over the last minutes; the command must say that they are right."""
    done = doors.copy.run("audit", "--minutes", "5", "--source", source.name, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    totals: dict[str, int] = {}
    for one in json.loads(done.stdout)["accounts"]:
        for name, number in one.items():
            if type(number) is int:  # a flag is none
                totals[name] = totals.get(name, 0) + number
    return totals


def settled(doors: Doors, source: Source, received: int) -> dict[str, int]:
    """The same once the doors have written down all they answered for."""

    def all_of_it() -> dict[str, int] | None:
        found = audited(doors, source)
        return found if found.get("received") == received and not found["waiting"] else None

    found = until(all_of_it, "the account is written", ACCOUNT_S)
    assert found is not None
    return {name: number for name, number in found.items() if number}


def test_every_copy_of_a_browser_and_a_server_ends_once(doors: Doors, own: Named) -> None:
    source = doors.source(own("till"), "--currency", "EUR")
    order = {"order_id": own("o"), "total": 10}
    viewed = {
        "id": own("e1"),
        "type": "page.viewed",
        "identifiers": {"user_id": own("u")},
        "properties": {"url": "/"},
    }
    by_server: dict[str, Any] = {**viewed, "id": own("e2"), "type": "order.completed", "properties": order}
    by_browser = {**by_server, "id": own("e3"), "identifiers": {"anonymous_id": own("a")}}
    doors.send(source, viewed, by_server)
    doors.send(source, viewed, by_browser)
    nobody = {**cloudevent(source, viewed), "id": own("e4"), "data": {"identifiers": {}}}
    position = doors.send(source, {**viewed, "id": own("e5"), "type": "Something of ours"})
    assert doors.post("/events", source, json=[nobody]).status_code == 200
    doors.customer_of("user_id", own("u"), position)
    assert settled(doors, source, 6) == {
        "received": 6,
        "taken": 5,
        "applied": 3,
        "duplicate": 1,
        "shadowed": 1,
        "parked": 1,
    }


def test_what_comes_by_kafka_is_in_the_account(doors: Doors, own: Named) -> None:
    source = doors.source(own("desk"))
    note = {"type": "note.added", "identifiers": {"user_id": own("u")}, "properties": {"text": "x"}}
    sent = [{**cloudevent(source, note), "id": f"{own('e')}-{n}"} for n in range(3)]
    for event in (*sent, sent[0], {**sent[0], "id": own("nobody's"), "data": {}}):
        publish(doors.copy.kafka, event)
    assert settled(doors, source, 5) == {"received": 5, "taken": 4, "applied": 3, "duplicate": 1, "parked": 1}


def changed(doors: Doors, statement: str, *arguments: object) -> None:
    """A hand in the database."""

    async def change() -> None:
        connection = await asyncpg.connect(doors.copy.database)
        try:
            assert await connection.execute(statement, *arguments) == "UPDATE 1"
        finally:
            await connection.close()

    asyncio.run(change())


def test_what_the_log_or_the_history_has_lost_is_told_and_the_command_fails(doors: Doors, own: Named) -> None:
    source = doors.source(own("shop"))
    event = {"type": "note.added", "identifiers": {"user_id": own("u")}, "properties": {"text": "x"}}
    position = doors.send(source, {**event, "id": own("e1")}, {**event, "id": own("e2")})
    doors.customer_of("user_id", own("u"), position)
    assert settled(doors, source, 2) == {"received": 2, "taken": 2, "applied": 2}
    answered = "UPDATE intake.door_account SET taken = taken + $2 WHERE source = $1"
    renamed = "UPDATE interaction_g1.history SET event_id = $2 WHERE event_id = $1"
    known, unknown = event_id(source.name, own("e1")), str(uuid.uuid4())
    for name, statement, there, back in (
        ("lost", answered, (source.name, 1), (source.name, -1)),
        ("missing", renamed, (known, unknown), (unknown, known)),
    ):
        changed(doors, statement, *there)
        done = doors.copy.run("audit", "--minutes", "5", "--source", source.name, "--json")
        changed(doors, statement, *back)
        assert done.returncode == 1, done.stderr
        assert sum(one[name] for one in json.loads(done.stdout)["accounts"]) == 1
    assert settled(doors, source, 2)["applied"] == 2, "as if it had never been"


def test_a_time_that_is_none_is_refused(doors: Doors) -> None:
    assert doors.copy.run("audit", "--from", "yesterday").returncode == 2
    assert doors.copy.run("audit", "--from", "2020-01-01T00:00:00Z").returncode == 1, "more than a day"
