"""The laws of likeness: kept step by step, or judged of everybody at once, it is the same."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Event
from services.identity.domain.evidence import Trait
from services.identity.domain.similarity.likeness import Looks, looks_of
from services.identity.handlers import shipped_policy
from services.identity.store import refresh
from services.identity.store.evidence import save_evidence
from tests.properties.stories import PHASES
from tests.properties.test_laws import SERVICES, _in_houses
from tests.properties.test_taking_back import removal, retraction, tell_the_same
from tests.support.databases import Databases
from tests.support.drawing import drawn
from tests.support.house import NOON, House, an_event
from tests.unit.identity.stating import evidence, record

MODEL = replace(shipped_policy().similarity, key_records_max=2)
"""A key is full with its third record, so that keys fill and open again within a few steps."""
TWINS: tuple[dict[str, str], ...] = (
    {"firstName": "Ann", "lastName": "Smith", "birthday": "1980-04-02"},
    {"firstName": "Anne", "lastName": "Smyth", "birthday": "1980-04-02"},
    {"firstName": "Robert", "lastName": "Smith", "birthday": "1980-04-02"},
    {"firstName": "Bob", "lastName": "Smith"},
    {"firstName": "Smith", "lastName": "Ann", "birthday": "1980-02-04"},
    {"lastName": "Smith"},
    {},
)
RECORDS = tuple(f"00000000-0000-0000-0000-00000000000{n}" for n in range(1, 7))
Said = dict[str, Mapping[str, str]]

steps = st.lists(
    st.dictionaries(st.sampled_from(RECORDS), st.sampled_from(TWINS), min_size=1, max_size=4), min_size=1, max_size=6
)


def _traits(record_id: str, said: Mapping[str, str]) -> list[Trait]:
    event = "00000000-0000-0000-0000-0000000000ff"
    return [Trait(record_id, name, f'"{value}"', 1, 1, event, "shop") for name, value in said.items()]


async def _say(connection: Any, step: Said) -> None:
    await connection.execute("DELETE FROM trait WHERE record_id = any($1::uuid[])", list(step))
    found = evidence(*(record(r) for r in step), *(t for r, said in step.items() for t in _traits(r, said)))
    await save_evidence(connection, found)


async def _kept(connection: Any) -> tuple[set[str], set[tuple[str, str]]]:
    known = {str(r["record_id"]) for r in await connection.fetch("SELECT record_id FROM likeness")}
    rows = await connection.fetch("SELECT a, b FROM similar_pair WHERE joins")
    pairs = {(str(r["a"]), str(r["b"])) for r in rows}
    return known, pairs


@pytest.mark.laws
@settings(max_examples=drawn(10), phases=PHASES, deadline=None)
@given(told=steps)
def test_pairs_kept_step_by_step_are_those_of_everybody_at_once(databases: Databases, told: list[Said]) -> None:
    async def act(house: House) -> None:
        connection = await asyncpg.connect(house.database_url, server_settings={"search_path": "identity_g1"})
        said: Said = {}
        try:
            for step in told:
                await _say(connection, step)
                await refresh(connection, step.keys(), MODEL, unheard=step.keys() - said.keys())
                said |= step
                want: Looks = looks_of((t for r, those in said.items() for t in _traits(r, those)), MODEL)
                assert await _kept(connection) == (set(want.features), set(want.similar))
        finally:
            await connection.close()

    _in_houses(databases, 1, act)


def imported(number: int, traits: Mapping[str, str], shared: Mapping[str, list[str]], minute: int) -> Event:
    """A source's contact, with what its household shares."""
    at = NOON + timedelta(minutes=minute)
    named = {"crm_id.shop": [str(number)], **shared}
    return an_event(
        f"c{number} {minute}", named, type="contact.imported", time=at, source="shop", traits=dict(traits)
    )


SHARED: tuple[dict[str, list[str]], ...] = ({}, {"phone": ["+442079460042"]}, {"email": ["family@x.com"]})
contacts = st.builds(imported, st.integers(1, 7), st.sampled_from(TWINS), st.sampled_from(SHARED), st.integers(0, 5))
CONTENT = ("evidence", "links", "traits", "features", "similar", "bindings", "customers", "told bindings", "sections")


@pytest.mark.laws
@settings(max_examples=drawn(3), phases=PHASES)
@given(data=st.data())
def test_any_order_of_contacts_and_of_what_was_taken_back_gives_the_same_customers(
    databases: Databases, data: st.DataObject
) -> None:
    drawn = data.draw(st.lists(contacts, min_size=2, max_size=9, unique_by=lambda e: e.id), label="contacts")
    gone = data.draw(st.lists(st.sampled_from(drawn), max_size=3, unique_by=lambda e: e.id), label="taken back")
    takes = [retraction(e) for e in gone] + [removal(("crm_id.shop", "1"), 3, "shop")]
    mixed = data.draw(st.permutations([*drawn, *takes]), label="order")
    sizes = data.draw(st.tuples(*[st.sampled_from([1, 3, 1000])] * 2), label="batches")
    tell_the_same(databases, (drawn + takes, sizes[0]), (mixed, sizes[1]), CONTENT)


def test_twins_that_share_a_phone_are_two_and_the_phone_says_so(databases: Databases) -> None:
    phone = {"phone": ["+442079460042"]}
    ann, bob, ann_again = (imported(n, TWINS[which], phone, n) for n, which in ((1, 0), (2, 2), (3, 1)))

    async def act(house: House) -> None:
        for service in SERVICES:
            await house.hire(service)
        house.publish(ann, bob, ann_again)
        await house.settle()
        findings = await house.findings()
        assert findings.zero, findings
        rows = await asyncio.wait_for(_customers(house), 5)
        assert rows["1"] == rows["3"] != rows["2"]
        (whose,) = {customer for value, customer in rows.items() if value.endswith("442079460042")}
        assert whose == rows["1"], "the phone is whose it was seen with first"

    _in_houses(databases, 1, act)


async def _customers(house: House) -> dict[str, str]:
    connection = await asyncpg.connect(house.database_url)
    try:
        rows = await connection.fetch("SELECT value, customer_id FROM identity_g1.record")
    finally:
        await connection.close()
    return {r["value"]: str(r["customer_id"]) for r in rows}
