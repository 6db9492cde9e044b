"""The runbook's story, in the steps that tests/end_to_end/test_replay.py does not go: seeing, hiding, pacing."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.support.doors import Doors, Named, Source
from tests.support.running import until

TIMEOUT_S = 40.0


def _beside(doors: Doors) -> dict[str, Any]:
    found: dict[str, Any] = doors.copy.json("replay", "status", "value")["beside"]
    return found


@pytest.fixture
def replaying(doors: Doors) -> Doors:
    """The copy, which has no other generation of value."""
    doors.copy.run("replay", "abort", "value", "--execute")
    return doors


@pytest.mark.faults
@pytest.mark.feature("O1")
def test_the_storys_cases_are_seen_hidden_rebuilt_at_a_pace_and_added_up(
    replaying: Doors, web: Source, own: Named
) -> None:
    doors, copy, refund = replaying, replaying.copy, uuid.uuid4().hex
    about = {"order_id": own("o"), "currency": "USD"}
    who = {"crm_id.acme": own("c")}
    position = doors.send(
        web,
        {"type": "order.completed", "identifiers": who, "properties": {**about, "subtotal": 40}},
        {"type": "order.refunded", "id": refund, "identifiers": who, "properties": {**about, "total": 10}},
    )
    customer = doors.customer_of("crm_id.acme", own("c"), position)
    copy.command("wait")

    # 1. See that it is so.
    assert "30.00" in copy.command("customer", customer)
    assert copy.json("trace", web.name, refund)["profile"]["customer_id"] == customer
    assert not copy.json("status")["halted"]
    # 2. Who must not see the numbers gets a key without value:read.
    masked = doors.ask(f"/v1/customers/{customer}", key=doors.key("profile:read")).json()
    assert masked["value"] is None
    assert "value" in masked["meta"]["masked"]
    # 5. Started, slowed down, let go on, given up.
    copy.command("replay", "start", "value", "--rate", "1", "--reason", "a rehearsal", "--execute")
    until(lambda: _beside(doors)["worker"] == "fetching", "the rebuild is at work", TIMEOUT_S)
    copy.command("replay", "pause", "value", "--execute")
    until(lambda: _beside(doors)["worker"] == "paused", "it rests", TIMEOUT_S)
    copy.command("replay", "resume", "value", "--rate", "20000", "--execute")
    until(lambda: _beside(doors)["left"] == 0, "it follows the tail", TIMEOUT_S)
    copy.command("replay", "abort", "value", "--execute", "--reason", "nothing was wrong")
    assert _beside(doors) is None
    # 8. Look.
    totals = copy.command("value", "totals", "--from", "2020-01-01", "--to", "2040-01-01")
    assert "USD" in totals
