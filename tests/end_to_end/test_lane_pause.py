"""A lane is paused and goes on through the command, while events come in through the public door."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.doors import Doors, Named, Source

WHY = "finance closes March"


@pytest.fixture
def paused(doors: Doors) -> Iterator[None]:
    """Value rests, and goes on again whatever the test does."""
    doors.copy.command("lane", "pause", "value", "--reason", WHY, "--by", "ann", "--execute")
    yield
    answer = doors.http.get(f"{doors.copy.internal['value']}/lane").json()
    if answer["paused"]:
        doors.copy.command("lane", "resume", "value", "--execute")


def _bought(own: Named) -> dict[str, object]:
    about = {"order_id": own("o"), "currency": "USD", "subtotal": 40}
    return {"type": "order.completed", "identifiers": {"crm_id.acme": own("c")}, "properties": about}


@pytest.mark.feature("O1")
def test_a_paused_lane_says_so_is_waited_for_with_its_reason_and_goes_on_where_it_was(
    doors: Doors, web: Source, own: Named, paused: None
) -> None:
    status = doors.copy.json("status")
    assert {lane["state"] for lane in status["lanes"] if lane["service"] == "value"} == {"paused"}
    (told,) = status["paused"]
    assert (told["service"], told["lane"], told["by"], told["reason"]) == ("value", "main", "ann", WHY)
    position = doors.send(web, _bought(own))
    waited = doors.copy.run("wait", "--timeout", "2")
    assert waited.returncode == 1
    assert waited.stderr.startswith("waits for a paused lane: lane main of value is paused since ")
    assert f"by ann ({WHY})" in waited.stderr.splitlines()[-1]
    doors.copy.command("lane", "resume", "value", "--reason", "closed", "--by", "bob", "--execute")
    customer = doors.customer_of("crm_id.acme", own("c"), position)
    assert doors.profile(customer, position)["value"]["actual"]["revenue"] == "40.00"
    ended = doors.copy.json("lane", "status", "value")["ended"][0]
    assert (ended["by"], ended["resumed_by"], ended["because"]) == ("ann", "bob", "closed")
