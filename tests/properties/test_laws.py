"""The laws: the same events give the same customers, in any order, any batches, from any number of workers.

PostgreSQL is real, a database per example; the broker is in memory so that the order is drawn, not hoped for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import asyncpg
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Event
from tests.properties.stories import PHASES, Tables, difference, events_of, tables, told, worlds
from tests.support.databases import Databases
from tests.support.drawing import drawn
from tests.support.house import STATE_TOPICS, House
from tests.support.memory_broker import Record

SERVICES = ("identity", "interaction", "value", "profile")
Said = tuple[Any, ...]
HALVES = st.sets(st.integers(0, 7), min_size=1, max_size=7)


@dataclass(frozen=True, slots=True)
class Run:
    """How one deployment meets the events: `shares` gives the second worker of a service its partitions."""

    events: list[Event]
    batch_max: int
    shares: dict[str, set[int]]
    turns: list[tuple[int, int]]
    """(events published, who turns next)."""


@st.composite
def runs(draw: st.DrawFn, events: list[Event]) -> Run:
    """Any order, any copies, any batches, one or two workers, any interleaving."""
    copies = draw(st.lists(st.sampled_from(events), max_size=3))
    shares = {s: draw(HALVES) for s in SERVICES if draw(st.booleans())}
    return Run(
        draw(st.permutations([*events, *copies])),
        draw(st.sampled_from([1, 2, 3, 7, 1000])),
        shares,
        draw(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5)), max_size=12)),
    )


async def _hire(house: House, run: Run) -> list[str]:
    for service in SERVICES:
        share = run.shares.get(service, set())
        await house.hire(service, set(range(8)) - share)
        if share:
            await house.hire(f"{service}.1", share)
    for worker in house.workers.values():
        worker.feed.batch_max = run.batch_max
    return list(house.workers)


async def _meet(house: House, run: Run) -> None:
    names = await _hire(house, run)
    events = list(run.events)
    for published, who in run.turns:
        house.publish(*(events.pop() for _ in range(min(published, len(events)))))
        name = names[who % len(names)]
        await house.workers[name].turn()
        if who == 0:
            # A rebalance that gives the same partitions back: positions are read again.
            house.give(name, {p for _, p in house.workers[name].feed.assigned})
    house.publish(*events)
    await house.settle()
    findings = await house.findings()
    assert findings.zero, findings
    assert await _untold(house) == 0, "markers are left although everything was told"


async def _untold(house: House) -> int:
    connection = await asyncpg.connect(house.database_url)
    try:
        return sum([await connection.fetchval(f"SELECT count(*) FROM {s}_g1.marker") for s in SERVICES])
    finally:
        await connection.close()


def _in_houses(databases: Databases, count: int, act: Callable[..., Awaitable[None]]) -> None:
    """Run `act` with some fresh deployments, which are gone afterwards."""

    async def housed() -> None:
        urls = [await databases.fresh() for _ in range(count)]
        houses = [House(url) for url in urls]
        try:
            await act(*houses)
        finally:
            for house in houses:
                await house.close()
            for url in urls:
                await databases.drop(url)

    asyncio.run(housed())


async def _newer(house: House) -> None:
    """Make this deployment's databases speak with a higher epoch than any before."""
    connection = await asyncpg.connect(house.database_url)
    try:
        for service in SERVICES:
            await connection.execute(f"UPDATE {service}.generation SET epoch = epoch + 1000")
    finally:
        await connection.close()


def message(record: Record) -> tuple[bytes, bytes | None, list[tuple[str, bytes]]]:
    """The record, to be sent again."""
    assert record.key is not None
    return record.key, record.value, record.headers


def _hand_over(log: str, old: House, new: House) -> None:
    for partition, records in old.broker.logs.items():
        if partition[0] == log:
            for r in records:
                new.broker.append(log, message(r))


async def _rebuild(lost: House, rebuilt: House, rest: list[Event]) -> None:
    """The rest of the log arrives, the databases but profile's are made anew; profile of old must follow."""
    lost.publish(*rest)
    await _newer(rebuilt)
    _hand_over("channel.events", lost, rebuilt)
    for service in SERVICES:
        await rebuilt.hire(service)
    await rebuilt.settle()
    findings = await rebuilt.findings()
    assert findings.zero, findings
    for topic in STATE_TOPICS:
        _hand_over(topic, rebuilt, lost)
    reader = lost.workers["profile"]
    lost.give("profile")
    while await reader.feed.lag() or reader.feed.unready():
        await reader.turn()
    names = ("told bindings", "sections")
    ended = [await tables(house.database_url, *names) for house in (lost, rebuilt)]
    assert not difference(*ended)


@settings(max_examples=drawn(4), phases=PHASES)
@given(data=st.data())
def test_any_two_ways_to_meet_the_same_events_give_the_same_customers(
    databases: Databases, data: st.DataObject
) -> None:
    events = data.draw(worlds(), label="events")
    first, second = data.draw(runs(events), label="first"), data.draw(runs(events), label="second")
    found: list[Tables] = []

    async def act(*houses: House) -> None:
        await asyncio.gather(*(_meet(h, run) for h, run in zip(houses, (first, second), strict=True)))
        found.extend([await tables(house.database_url) for house in houses])

    _in_houses(databases, 2, act)
    assert not difference(*found)


@settings(max_examples=drawn(4), phases=PHASES)
@given(data=st.data())
def test_an_empty_database_is_rebuilt_from_the_log_and_its_readers_follow(
    databases: Databases, data: st.DataObject
) -> None:
    events = data.draw(worlds(), label="events")
    run = data.draw(runs(events), label="run")
    seen = data.draw(st.integers(0, len(run.events)), label="seen before the database was lost")

    async def act(lost: House, rebuilt: House) -> None:
        early = Run(run.events[:seen], run.batch_max, run.shares, run.turns)
        await _meet(lost, early)
        await _rebuild(lost, rebuilt, run.events[seen:])

    _in_houses(databases, 2, act)


@settings(max_examples=drawn(4), phases=PHASES)
@given(data=st.data())
def test_state_messages_may_be_repeated_and_reordered(databases: Databases, data: st.DataObject) -> None:
    """A reader that meets them in any order, some twice, ends where one that met them in order did."""
    events = data.draw(worlds(8), label="events")
    run = data.draw(runs(events), label="run")
    order = data.draw(st.randoms(use_true_random=False), label="order")

    async def act(told_in_order: House, reader: House) -> None:
        await _meet(told_in_order, run)
        messages = [(t, r) for t in STATE_TOPICS for r in told_in_order.broker.records(t)]
        messages += order.sample(messages, len(messages) // 3)
        order.shuffle(messages)
        await reader.hire("profile")
        reader.workers["profile"].feed.batch_max = run.batch_max
        for topic, r in messages:
            reader.broker.append(topic, message(r))
        await reader.settle()
        names = ("told bindings", "sections")
        ended = [await tables(house.database_url, *names) for house in (told_in_order, reader)]
        assert not difference(*ended)

    _in_houses(databases, 2, act)


def test_a_trait_said_later_by_a_record_that_did_not_found_its_customer_is_told(databases: Databases) -> None:
    joined: Said = ("seen", [("user_id", "1"), ("crm_id.acme", "71")], 1, {}, 1)
    by_crm = [("seen", [("crm_id.acme", "71")], n, {"firstName": name}, 1) for n, name in ((1, "Ann"), (2, "Anna"))]
    first, second, third = told([joined, *by_crm])
    _alone(databases, [first], [second], [third])


def test_a_group_is_told_anew_when_a_member_that_never_said_anything_joins(databases: Databases) -> None:
    """The binding of a record without events arrives after its customer was combined without it."""

    async def act(house: House) -> None:
        for service in SERVICES:
            await house.hire(service)
        house.workers["interaction"].feed.batch_max = 1
        pair = [("anonymous_id", "cookie-d"), ("passport", "p-4")]
        house.publish(*events_of("e", ("same", pair, 1)))
        await house.settle()
        findings = await house.findings()
        assert findings.zero, findings

    _in_houses(databases, 1, act)


def test_a_reader_forgets_a_customer_that_only_the_lost_database_knew(databases: Databases) -> None:
    """The database is lost while two records are apart; the rebuilt one has only ever seen them joined."""
    cookie, user = [("anonymous_id", "cookie-a")], [("user_id", "1")]
    apart: list[Said] = [("seen", cookie, 1, {}, 1), ("seen", user, 2, {}, 1)]
    joined = events_of("join", ("seen", cookie + user, 3, {}, 1))

    async def act(lost: House, rebuilt: House) -> None:
        await _told_in_turn(lost, told(apart))
        await _rebuild(lost, rebuilt, joined)

    _in_houses(databases, 2, act)


async def _told_in_turn(house: House, *batches: list[Event]) -> None:
    """Each list of events is applied before the next is published."""
    for service in SERVICES:
        await house.hire(service)
    for batch in batches:
        house.publish(*batch)
        await house.settle()
    findings = await house.findings()
    assert findings.zero, findings


def _alone(databases: Databases, *batches: list[Event]) -> None:
    async def act(house: House) -> None:
        await _told_in_turn(house, *batches)

    _in_houses(databases, 1, act)


CROWD: Said = ("crowd", 9, 0)
FAMILY = ("email", "family@x.com")


def test_people_met_through_a_generic_value_stay_apart_when_they_are_seen_again(databases: Databases) -> None:
    """Two of the crowd say something new in one batch, beside the value they once shared."""
    again: list[Said] = [("seen", [("crm_id.acme", f"crowd-{k}")], 0, {}, 1) for k in (1, 2)]
    earlier = [(*one[:2], -5, *one[3:]) for one in again]
    _alone(databases, events_of("c", CROWD), told(earlier))


def test_an_operator_may_say_whose_a_generic_value_is(databases: Databases) -> None:
    said = ("same", [("crm_id.acme", "crowd-1"), FAMILY], 30)
    _alone(databases, events_of("c", CROWD), told([said]))


def test_a_value_given_to_a_person_by_an_operator_stays_there_when_it_becomes_generic(
    databases: Databases,
) -> None:
    said = ("same", [("crm_id.acme", "crowd-1"), FAMILY], 30)
    joined: Said = ("seen", [("user_id", "1"), ("crm_id.acme", "crowd-1")], 40, {}, 1)
    _alone(databases, told([said]), events_of("c", CROWD), events_of("j", joined))


def test_of_two_copies_that_say_the_opposite_the_first_in_the_log_counts(databases: Databases) -> None:
    """Two events of one (source, id) under one key that contradict each other, in one batch or in two."""
    pair = [("user_id", "1"), ("crm_id.acme", "71")]
    copies = [events_of("x", (word, pair, 5))[0] for word in ("same", "different")]
    found: list[Tables] = []

    async def act(one: House, other: House) -> None:
        await _told_in_turn(one, copies)
        await _told_in_turn(other, [copies[0]], [copies[1]])
        found.extend([await tables(h.database_url, "bindings") for h in (one, other)])

    _in_houses(databases, 2, act)
    assert not difference(*found)
    assert len({customer for _, customer, *_ in found[0]["bindings"]}) == 1
