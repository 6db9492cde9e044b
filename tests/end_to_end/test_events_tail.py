"""An operator watches what comes in: each event once, with what became of it and why, and nobody's data."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import time
from typing import Any

from tests.support.deployment import C360, CHECKOUT
from tests.support.doors import Doors, Named, Source, cloudevent

LINES_S = 30.0
END_S = 10.0


def sent(doors: Doors, source: Source, own: Named, number: int) -> str:
    event = {"id": own(f"e{number}"), "type": "page.viewed", "identifiers": {"user_id": own("u")}}
    return doors.send(source, {**event, "properties": {"title": own("secret")}})


def test_the_last_events_are_told_with_their_state_and_reason(doors: Doors, own: Named) -> None:
    source = doors.source(own("till"), "--channel", "store")
    sent(doors, source, own, 1)
    position = sent(doors, source, own, 1)
    nobody = {**cloudevent(source, {"type": "page.viewed"}), "data": {"identifiers": {}}}
    assert doors.post("/events", source, json=[nobody]).status_code == 200
    doors.customer_of("user_id", own("u"), position)
    told = doors.copy.json("events", "tail", "--source", source.name, "--once")["events"]
    assert [(one["state"], one["id"]) for one in told] == [
        ("applied", own("e1")), ("duplicate", own("e1")), ("parked", None),
    ]  # fmt: skip
    assert told[0]["incomplete"] == ["url|path|name"]
    assert (told[2]["reason"], told[2]["source"]) == ("no_identifier", source.name)
    assert own("secret") not in json.dumps(told)
    assert own("u") not in json.dumps(told)

    url = f"{doors.copy.internal['intake']}/tail"
    parked = doors.http.get(url, params={"source": source.name, "state": "parked"}).json()["events"]
    assert [one["state"] for one in parked] == ["parked"]
    for query, status in (({"source": "nobody"}, 404), ({"state": "odd"}, 400), ({"after": "x"}, 400)):
        assert doors.http.get(url, params=query).status_code == status


def test_it_follows_until_it_is_interrupted(doors: Doors, own: Named) -> None:
    source = doors.source(own("desk"))
    sent(doors, source, own, 1)
    words = (*C360, "events", "tail", "--source", source.name, "--json")
    with subprocess.Popen(
        words, env=doors.copy.environment, cwd=CHECKOUT, stdout=subprocess.PIPE, preexec_fn=heeding
    ) as following:
        try:
            first = lines(following, 1)
            sent(doors, source, own, 2)
            sent(doors, source, own, 3)
            ids = [one["id"] for one in (*first, *lines(following, 2))]
            following.send_signal(signal.SIGINT)
            ended = following.wait(END_S)
        finally:
            following.kill()
    assert ids == [own("e1"), own("e2"), own("e3")]
    assert ended == 130


def heeding() -> None:
    """What runs in the background of a shell would ignore an interrupt, and so would all it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def lines(process: subprocess.Popen[bytes], wanted: int) -> list[Any]:
    """So many lines of its output."""
    assert process.stdout is not None
    found = b""
    deadline = time.monotonic() + LINES_S
    with selectors.DefaultSelector() as ready:
        ready.register(process.stdout, selectors.EVENT_READ)
        while found.count(b"\n") < wanted:
            assert ready.select(deadline - time.monotonic()), "no line came in time"
            found += os.read(process.stdout.fileno(), 65_536)
    return [json.loads(line) for line in found.splitlines()]
