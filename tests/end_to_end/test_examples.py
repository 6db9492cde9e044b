"""Every named example goes through the door and is in the history of its customer, or parked: none is lost."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from schemas.envelope import Event
from schemas.identifiers import GROUP_TYPE, leading
from services.intake.domain.accept import accept
from services.intake.domain.importing import read_import
from services.intake.domain.model import Accepted, Parked, Received
from services.intake.domain.model import Source as SourceSettings
from services.intake.domain.permissions import PERMISSIONS
from tests.contracts.examples import ARRIVAL, FILES, KEY, SEGMENT
from tests.support.doors import Doors, Named, Source, later_of
from tests.support.load import ends

LOG = "channel.events"


def send(doors: Doors, source: Source, path: Path) -> str:
    """One file as its upstream sends it: Segment's calls to their paths, ours as CloudEvents."""
    body = path.read_bytes()
    if path.parent.name != SEGMENT:
        response = doors.post("/events", source, content=body)
    else:
        message = json.loads(body)
        message.pop("writeKey", None)
        call = "batch" if "batch" in message else message["type"]
        response = doors.post(f"/v1/{call}", source, json=message)
    assert (response.status_code, response.json()) == (200, {"success": True}), (path.name, response.text)
    return str(response.headers["C360-Position"])


def expected(source: Source) -> tuple[list[Event], list[Parked]]:
    """What intake should make of all files, one by one."""
    received = Received(ARRIVAL, SourceSettings(source.name, may=PERMISSIONS))
    outcomes = [accept(raw, received, KEY) for path in FILES for raw in read_import(path.read_bytes())]
    events = [o.event for o in outcomes if isinstance(o, Accepted)]
    return events, [o for o in outcomes if isinstance(o, Parked)]


def parked_of(doors: Doors, source: Source) -> list[str]:
    """Reasons of what the source sent that was parked, oldest first."""
    rows = doors.copy.json("parked", "list", "--limit", "1000")["parked"]
    return [row["reason"] for row in reversed(rows) if row["source"] == source.name]


@pytest.fixture(scope="module")
def sent(doors: Doors) -> dict[str, Any]:
    """All files sent by one source; how much the log grew, and what was parked."""
    source = doors.source("examples", *(word for one in PERMISSIONS for word in ("--may", one)))
    known = len(parked_of(doors, source))
    before = sum(ends(doors.copy.kafka, [LOG]).values())
    position = later_of(*(send(doors, source, path) for path in FILES))
    grown = sum(ends(doors.copy.kafka, [LOG]).values()) - before
    parked = parked_of(doors, source)[known:]
    return {"source": source, "position": position, "grown": grown, "parked": parked}


def test_accepted_and_parked_are_all_that_was_sent(sent: dict[str, Any]) -> None:
    events, parked = expected(sent["source"])
    assert len({event.event_id for event in events}) == len(events), "examples have ids of their own"
    assert len(events) + len(parked) > 100
    assert sent["grown"] == len(events)
    assert sorted(sent["parked"]) == sorted(one.reason for one in parked)


@pytest.mark.feature("T1")
def test_each_accepted_example_is_once_in_the_timeline_of_its_customer(doors: Doors, sent: dict[str, Any]) -> None:
    events, _ = expected(sent["source"])
    led = [(event, lead) for event in events if (lead := leading(event.data["identifiers"], event.type))]
    people = [(event, lead) for event, lead in led if lead.type != GROUP_TYPE]
    wanted = sorted({lead for _, lead in people})
    found = doors.look_up(*wanted, position=sent["position"])
    owners = {lead: result for lead, result in zip(wanted, found, strict=True)}
    assert [r for r in found if r["generic"]] == []
    timelines: dict[str, Counter[str]] = {}
    for event, lead in people:
        candidates = owners[lead]["candidates"] or [{"customer_id": owners[lead]["customer_id"]}]
        seen: Counter[str] = Counter()
        for one in candidates:
            customer_id = one["customer_id"]
            if customer_id not in timelines:
                timelines[customer_id] = Counter(item["event_id"] for item in doors.timeline(customer_id))
            seen += timelines[customer_id]
        assert seen[event.event_id] == 1, (event.type, event.id, owners[lead])


def test_each_example_led_by_a_group_is_kept_as_its_history(doors: Doors, sent: dict[str, Any]) -> None:
    events, _ = expected(sent["source"])
    groups = [e for e in events if (lead := leading(e.data["identifiers"], e.type)) and lead.type == GROUP_TYPE]
    assert groups
    for event in groups:
        found = doors.http.get(
            f"{doors.copy.internal['interaction']}/trace", params={"source": event.source, "id": event.id}
        )
        assert found.status_code == 200, event.id
        assert found.json()["event_id"] == event.event_id


@pytest.mark.feature("T1")
def test_sending_all_of_them_again_changes_no_timeline(doors: Doors, sent: dict[str, Any], own: Named) -> None:
    customer_id = doors.customer_of("user_id", "u-1001")
    before = doors.timeline(customer_id)
    position = later_of(*(send(doors, sent["source"], path) for path in FILES[::7]))
    assert doors.timeline(customer_id, position) == before
