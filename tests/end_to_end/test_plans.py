"""A tracking plan says what a source promised; what breaks it is counted, and forwarded or parked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.doors import Doors, Named, cloudevent
from tests.support.running import until

NEEDED = "properties/properties/required"
TYPES = {"order.completed": {"properties": {"properties": {"required": ["order_id", "total"]}}}}
PLAN_S = 10.0


class Planned:
    """A source with a plan."""

    def __init__(self, doors: Doors, own: Named, tmp_path: Path) -> None:
        self.doors, self.own = doors, own
        self.source = doors.source(own("planned"), "--currency", "EUR")
        self.file = tmp_path / "plan.yaml"
        self.sent = 0

    def apply(self, *options: str, **document: Any) -> Any:
        self.file.write_text(json.dumps({"types": TYPES, **document}))
        words = ("plan", "apply", self.source.name, str(self.file), "--reason", "agreed")
        return self.doors.copy.json(*words, *options)

    def shown(self) -> Any:
        return self.doors.copy.json("plan", "show", self.source.name)

    def send(self, **properties: Any) -> str:
        """An order; the position after it, or "" when it was parked."""
        self.sent += 1
        event = {"id": f"{self.own('e')}-{self.sent}", "type": "order.completed", "properties": properties}
        body = cloudevent(self.source, {**event, "identifiers": {"user_id": self.own("u")}})
        answer = self.doors.post("/events", self.source, json=body)
        assert answer.status_code == 200, answer.text
        return str(answer.headers.get("C360-Position", ""))

    def broken(self) -> dict[tuple[int, str], int]:
        """(version, rule) → how often."""
        found = self.shown()["violations"]
        return {(one["version"], one["rule"]): one["count"] for one in found if one["type"] == "order.completed"}


@pytest.fixture
def planned(doors: Doors, own: Named, tmp_path: Path) -> Planned:
    return Planned(doors, own, tmp_path)


@pytest.mark.faults
def test_what_breaks_a_plan_is_counted_and_forwarded_or_parked_as_it_says(planned: Planned) -> None:
    assert planned.apply()["added"] == ["order.completed"]
    assert planned.doors.copy.run("plan", "show", planned.source.name).returncode == 1, "a rehearsal changes nothing"
    assert planned.apply("--execute")["version"] == 1
    assert planned.apply("--execute")["version"] == 1, "the same plan is no new version"

    def counted(version: int) -> bool:
        planned.send(order_id=planned.own("bad"))
        return (version, NEEDED) in planned.broken()

    until(lambda: counted(1), "the doors have heard of the plan", PLAN_S)
    before = planned.broken()[1, NEEDED]
    position = planned.send(order_id=planned.own("bad"))
    assert planned.send(order_id=planned.own("good"), total=5)
    assert planned.broken() == {(1, NEEDED): before + 1}
    customer_id = planned.doors.customer_of("user_id", planned.own("u"), position)
    assert len(planned.doors.timeline(customer_id, position)) >= planned.sent - 1, "all of it was forwarded"

    assert planned.apply("--execute", on_violation="park")["version"] == 2
    until(lambda: counted(2), "the doors have heard of the change", PLAN_S)
    assert planned.send(order_id=planned.own("bad")) == ""
    assert planned.send(order_id=planned.own("better"), total=5)
    rows = planned.doors.copy.json("parked", "list", "--limit", "1000")["parked"]
    parked = [row for row in rows if row["source"] == planned.source.name]
    assert {(row["reason"], row["detail"]) for row in parked} == {("plan_violated", NEEDED)}
    assert len(parked) == planned.broken()[2, NEEDED]
    listed = planned.doors.copy.json("plan", "list")["plans"]
    assert [one["version"] for one in listed if one["source"] == planned.source.name] == [2]


@pytest.mark.parametrize("types", [{"t": {"type": "objekt"}}, {"t": {"$ref": "http://127.0.0.1:9/"}}, []])
def test_a_plan_that_cannot_be_read_is_refused(planned: Planned, types: Any) -> None:
    with pytest.raises(RuntimeError, match="400"):
        planned.apply("--execute", types=types)
    assert planned.doors.copy.run("plan", "show", planned.source.name).returncode == 1
