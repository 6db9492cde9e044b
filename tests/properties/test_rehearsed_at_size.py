"""A change of policy that touches many customers does exactly what its rehearsal said."""

from __future__ import annotations

import pytest

from tests.benchmarks.identity import household
from tests.benchmarks.identity.contact import events
from tests.properties.test_identity_policy import _change, _customers, _is_reviewed, _moves, otherwise
from tests.properties.test_laws import _in_houses
from tests.support.databases import Databases
from tests.support.house import House
from tests.support.load import accepted

CONTACTS = 2_700
TOUCHED_MIN = 500
TURNS_MAX = 2_000


async def _settled(house: House) -> None:
    """Until everybody was looked at again."""
    worker = house.workers["identity"]
    for _ in range(TURNS_MAX):
        if await _is_reviewed(house):
            break
        worker.lane._spared_at = -1e9
        await worker.turn()
        await worker.lane.outbox.settle()
    assert await _is_reviewed(house)
    await house.settle()


@pytest.mark.faults
def test_a_change_that_touches_five_hundred_customers_does_what_was_rehearsed(databases: Databases) -> None:
    rows = sorted(household.records(), key=lambda one: (one.household, one.record_key))[:CONTACTS]
    document = otherwise(exclusive=["user_id", "crm_id"], similarity={"link_bits": "1", "average_bits": "-1"})
    found: dict[str, dict[str, list[str]]] = {}

    async def act(house: House) -> None:
        await house.hire("identity")
        house.publish(*(accepted(event) for event in events(rows)))
        await house.settle()
        before = await _customers(house)
        found["foretold"] = await _moves(house, document)
        await _change(house, document)
        await _settled(house)
        after = await _customers(house)
        assert {r: [c, after[r]] for r, c in before.items() if after[r] != c} == found["foretold"]

    _in_houses(databases, 1, act)
    into: dict[str, set[str]] = {}
    away: dict[str, set[str]] = {}
    for was, now in found["foretold"].values():
        into.setdefault(now, set()).add(was)
        away.setdefault(was, set()).add(now)
    assert len(into.keys() | away.keys()) >= TOUCHED_MIN, len(into.keys() | away.keys())
    assert any(len(sources) > 1 or now not in away for now, sources in into.items()), "some merge"
    assert any(len(targets) > 1 or was not in into for was, targets in away.items()), "some split"
