"""The identity policy is changed under a running lane: it ends as if the new one had always been, as rehearsed."""

from __future__ import annotations

import copy
from typing import Any

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Event
from services.identity import handlers, views
from services.identity.domain.policy import read_policy
from services.identity.handlers import reviewing
from services.runtime.postgres import connect
from tests.properties.stories import PHASES, Tables, difference, tables, worlds
from tests.properties.test_laws import SERVICES, _in_houses
from tests.properties.test_likeness import contacts
from tests.support.databases import Databases
from tests.support.drawing import drawn
from tests.support.house import House

CONTENT = ("evidence", "links", "traits", "features", "similar", "bindings", "customers", "sections")
AWAITS = (4, 9, 14, 19, 24)


def otherwise(**changes: Any) -> dict[str, Any]:
    """The shipped policy with other parts; `similarity` is merged."""
    document = copy.deepcopy(handlers.shipped_document())
    document["similarity"] |= changes.pop("similarity", {})
    return document | changes


POLICIES = (
    otherwise(exclusive=["user_id", "crm_id"]),
    otherwise(exclusive=[]),
    otherwise(generic_above={"email": 1, "phone": 1, "device_id": 1, "anonymous_id": 1, "other": 1}),
    otherwise(generic_names_above={"email": 1, "phone": 1, "crm_id": 1, "device_id": 1}),
    otherwise(limits={"email": 1, "anonymous_id": 1}),
    otherwise(held_from={"records": 1, "personal": 1}),
    otherwise(blocked_patterns={"email": ["[ab].*"], "phone": [".*1"]}),
    otherwise(similarity={"link_bits": "9", "average_bits": "9"}),
    otherwise(similarity={"prior_bits": "-4", "review_bits": "-2", "link_bits": "0"}),
    otherwise(similarity={"key_records_max": 2}),
    otherwise(similarity={"keys": ["birthday"]}),
)


async def _change(house: House, document: dict[str, Any]) -> None:
    await house.enforce("identity", handlers.POLICY, document)


async def _review(house: House) -> None:
    """Until everybody was looked at again, workers dying on the way."""
    for awaits in AWAITS:
        house.workers["identity"].lane._spared_at = -1e9
        await house.crash("identity", awaits)
    for _ in range(200):
        if await _is_reviewed(house):
            break
        house.workers["identity"].lane._spared_at = -1e9
        await house.workers["identity"].turn()
        await house.workers["identity"].lane.outbox.settle()
    assert await _is_reviewed(house)
    await house.settle()


async def _is_reviewed(house: House) -> bool:
    connection = await asyncpg.connect(house.database_url)
    try:
        return bool(
            await connection.fetchval(
                "SELECT r.after IS NULL AND r.policy_number = f.number FROM identity_g1.review r, identity.in_force f"
            )
        )
    finally:
        await connection.close()


async def _moves(house: House, document: dict[str, Any]) -> dict[str, list[str]]:
    connection = await connect(house.settings, "identity_g1,identity")
    try:
        found: dict[str, list[str]] = (await views.rehearse(connection, read_policy(document)))["moves"]
    finally:
        await connection.close()
    return found


async def _customers(house: House) -> dict[str, str]:
    connection = await asyncpg.connect(house.database_url)
    try:
        rows = await connection.fetch("SELECT record_id, customer_id FROM identity_g1.record WHERE NOT dead")
    finally:
        await connection.close()
    return {str(r["record_id"]): str(r["customer_id"]) for r in rows}


async def _hire(house: House, batch_max: int) -> None:
    for service in SERVICES:
        await house.hire(service)
        house.workers[service].feed.batch_max = batch_max


@pytest.mark.laws
@pytest.mark.faults
@settings(max_examples=drawn(4), phases=PHASES)
@given(data=st.data())
def test_it_ends_as_if_the_new_policy_had_always_been_and_as_rehearsed(
    databases: Databases, data: st.DataObject
) -> None:
    drawn = data.draw(st.lists(contacts, min_size=3, max_size=9, unique_by=lambda e: e.id), label="contacts")
    events: list[Event] = data.draw(st.permutations([*drawn, *data.draw(worlds(5), label="world")]), label="events")
    document = data.draw(st.sampled_from(POLICIES), label="policy")
    early = data.draw(st.integers(1, len(events)), label="met before the change")
    found: list[Tables] = []

    async def act(always: House, changed: House) -> None:
        await _change(always, document)
        await _hire(always, 1000)
        always.publish(*events)
        await always.settle()
        await _review(always)
        await _hire(changed, 3)
        changed.publish(*events[:early])
        await changed.settle()
        before, rehearsed = await _customers(changed), await _moves(changed, document)
        await _change(changed, document)
        await _review(changed)
        after = await _customers(changed)
        assert rehearsed == {r: [c, after[r]] for r, c in before.items() if after[r] != c}
        changed.publish(*events[early:])
        await changed.settle()
        found.extend([await tables(always.database_url, *CONTENT), await tables(changed.database_url, *CONTENT)])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reviewing, "RECORDS_AT_ONCE", (3, 2))
        _in_houses(databases, 2, act)
    assert not difference(*found)


def test_every_error_of_a_policy_is_told_with_its_path_and_nothing_is_applied(databases: Databases) -> None:
    broken = otherwise(similarity={"link_bits": "much", "keys": ["birthday + nobody", 5]})
    broken["similarity"]["compared"]["firstName"] = {"kind": "nickname"}
    broken |= {"limits": {"email": 0}, "held_from": {"records": 5}}
    with pytest.raises(ValueError, match="similarity") as error:
        read_policy(broken)
    for path in ("limits", "held_from", *(f"similarity.{p}" for p in ("link_bits", "keys[0]", "compared"))):
        assert path in str(error.value)
