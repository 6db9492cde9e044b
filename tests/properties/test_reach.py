"""The laws of reach: what was said of addresses gives the same in any order; taken back, it was never said."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Event
from services.identity import handlers
from services.identity.handlers.deciding import tell_customers
from tests.properties.stories import PHASES, Tables, difference, events_of, messages, sightings, tables
from tests.properties.test_laws import SERVICES, Run, _in_houses, _meet, _told_in_turn, runs
from tests.properties.test_taking_back import is_as_if_never_said, removal, retraction
from tests.support.databases import Databases
from tests.support.drawing import drawn
from tests.support.house import NOON, House, an_event

CONTENT = ("reach", "bindings", "customers", "told bindings", "sections")
ANN = {"crm_id.acme": ["71"], "email": ["ann@x.com"]}


def _all(name: str, drawn: list[Any]) -> list[Event]:
    return [event for n, one in enumerate(drawn) for event in events_of(f"{name}{n}", one)]


_said = st.one_of(messages, messages, messages, sightings)


@pytest.mark.laws
@settings(max_examples=drawn(3), phases=PHASES)
@given(data=st.data())
def test_any_two_ways_to_meet_the_same_words_on_addresses_tell_the_same(
    databases: Databases, data: st.DataObject
) -> None:
    said = _all("e", data.draw(st.lists(_said, min_size=2, max_size=12), label="said"))
    gone = data.draw(st.lists(st.sampled_from(said), max_size=2, unique_by=lambda e: (e.source, e.id)), label="gone")
    events = [*said, *map(retraction, gone)]
    ways: list[Run] = [data.draw(runs(events), label=name) for name in ("first", "second")]
    found: list[Tables] = []

    async def act(*houses: House) -> None:
        await asyncio.gather(*(_meet(h, run) for h, run in zip(houses, ways, strict=True)))
        found.extend([await tables(house.database_url, *CONTENT) for house in houses])

    _in_houses(databases, 2, act)
    assert not difference(*found)


@pytest.mark.laws
@settings(max_examples=drawn(2), phases=PHASES)
@given(data=st.data())
def test_what_was_taken_back_of_an_address_is_as_if_it_had_never_been_said(
    databases: Databases, data: st.DataObject
) -> None:
    stay = _all("stay", data.draw(st.lists(_said, min_size=1, max_size=6), label="stay"))
    gone = _all("gone", data.draw(st.lists(messages, min_size=1, max_size=4), label="taken back"))
    is_as_if_never_said(databases, data, stay, gone, CONTENT)


def mail(name: str, what: str, minute: int, **properties: Any) -> Event:
    """What became of a letter to Ann."""
    at = NOON + timedelta(minutes=minute)
    return an_event(name, ANN, type=f"message.{what}", time=at, channel="email", properties=properties)


async def _told(house: House) -> tuple[int, dict[str, Any]]:
    """How often the one customer was told, and what of her e-mail."""
    connection = await asyncpg.connect(house.database_url)
    try:
        (row,) = await connection.fetch("SELECT n, told FROM identity_g1.customer WHERE told IS NOT NULL")
    finally:
        await connection.close()
    return row["n"], orjson.loads(row["told"])["contact"]["facts"]["emails"][0]


def _in_turn(databases: Databases, *batches: list[Event]) -> list[tuple[int, dict[str, Any]]]:
    """What is told after each batch."""
    found: list[tuple[int, dict[str, Any]]] = []

    async def act(house: House) -> None:
        for service in SERVICES:
            await house.hire(service)
        for batch in batches:
            house.publish(*batch)
            await house.settle()
            found.append(await _told(house))
        findings = await house.findings()
        assert findings.zero, findings

    _in_houses(databases, 1, act)
    return found


DAY = 24 * 60


def test_a_customer_is_looked_at_once_a_day_however_many_letters_she_opens(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[set[str]] = []

    async def telling(customers: set[str], *more: Any) -> None:
        looked.append(customers)
        await tell_customers(customers, *more)

    monkeypatch.setattr(handlers, "tell_customers", telling)
    first = [mail("first", "delivered", 0), mail("next day", "delivered", DAY)]
    again = [
        [mail(f"{kind} {at}", kind, at)] for kind, at in (("opened", DAY + 9), ("clicked", DAY + 8), ("opened", 5))
    ]
    told = _in_turn(databases, first, *again)
    assert {told_of["proved_at"] for _, told_of in told} == {"2024-03-02T00:00:00Z"}
    assert (len({n for n, _ in told}), len(looked)) == (1, 1)
    _in_turn(databases, first, *again, [mail("later", "opened", 2 * DAY)])
    assert len(looked) == 3


def test_an_opened_letter_mends_a_bounce_of_the_same_day_and_one_before_it_does_not(databases: Databases) -> None:
    start, bounce = mail("d", "delivered", 1), mail("b", "bounced", 10, kind="hard")
    _, (_, failed), (_, still), (_, mended) = _in_turn(
        databases, [start], [bounce], [mail("o", "opened", 5)], [mail("p", "opened", 20)]
    )
    assert failed["failed_at"] == still["failed_at"] == "2024-03-01T12:10:00Z"
    assert "failed_at" not in mended


def test_a_bounce_that_is_taken_back_leaves_the_address_as_it_was_also_when_it_comes_afterwards(
    databases: Databases,
) -> None:
    start, bounce = mail("d", "delivered", 1), mail("b", "bounced", 10, kind="hard")
    told = _in_turn(databases, [start], [bounce], [retraction(bounce)])
    assert told[0][1] == told[2][1] != told[1][1]
    ((_, never),) = _in_turn(databases, [start, retraction(bounce), bounce])
    assert never == told[0][1]


def test_the_last_proof_taken_back_leaves_the_one_before_it(databases: Databases) -> None:
    early, late = mail("d", "delivered", 1), mail("o", "opened", 3 * DAY)
    told = _in_turn(databases, [early], [late], [retraction(late)])
    assert [one["proved_at"][:10] for _, one in told] == ["2024-03-01", "2024-03-04", "2024-03-01"]


def test_what_a_source_removed_says_nothing_of_the_address_any_more(databases: Databases) -> None:
    seen = an_event("web", {"user_id": ["1"], "email": ["ann@x.com"]}, source="web")
    bounce = an_event("b", ANN, type="message.bounced", channel="email", properties={"kind": "hard"}, source="acme")

    async def act(house: House) -> None:
        await _told_in_turn(house, [seen], [bounce], [removal(("crm_id.acme", "71"), 5, "acme")])
        assert "failed_at" not in (await _told(house))[1]
        assert (await tables(house.database_url, "reach"))["reach"] == []

    _in_houses(databases, 1, act)
