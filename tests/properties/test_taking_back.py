"""The laws of taking back: what was retracted, or removed by its source, is as if it had never been said."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Event
from tests.properties.stories import (
    PHASES,
    Tables,
    difference,
    events_of,
    messages,
    orders,
    sightings,
    tables,
    told,
    words,
    worlds,
)
from tests.properties.test_laws import SERVICES, _alone, _in_houses, _told_in_turn
from tests.support.databases import Databases
from tests.support.drawing import drawn
from tests.support.house import NOON, House, an_event

DESK = {"crm_id.desk": ["1"]}
"""Who takes things back; nobody else is seen with it."""
CONTENT = (
    "orders",
    "days",
    "evidence",
    "links",
    "words",
    "traits",
    "reach",
    "bindings",
    "customers",
    "told bindings",
    "sections",
)


def retraction(of: Event) -> Event:
    """Somebody at the desk takes this event back."""
    properties = {"source": of.source, "id": of.id}
    return an_event(f"not {of.source} {of.id}", DESK, type="event.retracted", properties=properties)


def removal(identifier: tuple[str, str], minute: int, source: str) -> Event:
    """A source takes back what it said under one of its records until then."""
    at = NOON + timedelta(minutes=minute)
    named = {identifier[0]: [identifier[1]]}
    return an_event(f"gone {minute}", named, type="contact.removed", time=at, source=source)


async def _content(house: House) -> Tables:
    return await tables(house.database_url, *CONTENT)


def tell_the_same(
    databases: Databases, one: tuple[list[Event], int], other: tuple[list[Event], int], content: tuple[str, ...]
) -> None:
    """Two deployments, each of (events, records in a batch), have the same tables, and the oracle finds nothing."""
    found: list[Tables] = []

    async def act(*houses: House) -> None:
        for house, (events, size) in zip(houses, (one, other), strict=True):
            for service in SERVICES:
                await house.hire(service)
                house.workers[service].feed.batch_max = size
            house.publish(*events)
            await house.settle()
            findings = await house.findings()
            assert findings.zero, findings
            found.append(await tables(house.database_url, *content))

    _in_houses(databases, 2, act)
    assert not difference(*found)


def is_as_if_never_said(
    databases: Databases, data: st.DataObject, stay: list[Event], gone: list[Event], content: tuple[str, ...]
) -> None:
    """The tables of `content` are the same with `gone` and its retractions, in any order, as with these alone."""
    takes = [retraction(e) for e in gone]
    mixed = data.draw(st.permutations([*stay, *gone, *takes]), label="order")
    size = data.draw(st.sampled_from([1, 3, 1000]), label="batch")
    tell_the_same(databases, (stay + takes, size), (mixed, size), content)


@settings(max_examples=drawn(3), phases=PHASES)
@given(data=st.data())
def test_what_was_taken_back_is_as_if_it_had_never_been_said(databases: Databases, data: st.DataObject) -> None:
    stay = data.draw(worlds(6), label="stay")
    drawn = data.draw(
        st.lists(st.one_of(sightings, sightings, words, orders, messages), min_size=1, max_size=4), label="taken back"
    )
    gone = [e for n, one in enumerate(drawn) for e in events_of(f"gone{n}", one)]
    is_as_if_never_said(databases, data, stay, gone, CONTENT)


def test_a_merge_that_was_taken_back_leaves_two_customers_as_they_were(databases: Databases) -> None:
    apart = told([("seen", [("user_id", "1")], 1, {}, 1), ("seen", [("crm_id.acme", "71")], 1, {}, 1)])
    (join,) = events_of("join", ("seen", [("user_id", "1"), ("crm_id.acme", "71")], 2, {}, 1))
    found: list[Tables] = []

    async def act(never: House, undone: House) -> None:
        await _told_in_turn(never, apart, [retraction(join)])
        await _told_in_turn(undone, apart, [join], [retraction(join)])
        found.extend([await _content(never), await _content(undone)])

    _in_houses(databases, 2, act)
    assert not difference(*found)


def test_another_sighting_keeps_what_one_that_was_taken_back_had_said_first(databases: Databases) -> None:
    pair = [("user_id", "1"), ("anonymous_id", "cookie-a")]
    first, second = told([("seen", pair, 1, {}, 1), ("seen", pair, 2, {}, 1)])
    found: list[Tables] = []

    async def act(one: House, other: House) -> None:
        await _told_in_turn(one, [first], [second], [retraction(first)])
        await _told_in_turn(other, [second], [retraction(first)])
        found.extend([await _content(one), await _content(other)])

    _in_houses(databases, 2, act)
    assert not difference(*found)


def test_a_value_is_no_longer_generic_when_the_one_too_many_is_taken_back(databases: Databases) -> None:
    crowd = events_of("c", ("crowd", 9, 0))
    found: list[Tables] = []

    async def act(nine: House, eight: House) -> None:
        await _told_in_turn(nine, crowd, [retraction(crowd[-1])])
        await _told_in_turn(eight, [*crowd[:-1], retraction(crowd[-1])])
        found.extend([await _content(nine), await _content(eight)])

    _in_houses(databases, 2, act)
    assert not difference(*found)


def test_a_worker_that_knew_the_link_learns_it_again_after_another_took_it_back(databases: Databases) -> None:
    """The cache of one worker says "adds nothing" of a link that a batch of the other has just taken back."""
    pair = [("user_id", "1"), ("anonymous_id", "cookie-a")]
    first, again = told([("seen", pair, 1, {}, 1), ("seen", pair, 5, {}, 1)])
    take = retraction(first)
    assert _partition(first) != _partition(take)

    async def act(house: House) -> None:
        await house.hire("identity", {_partition(first)})
        await house.hire("identity.1", set(range(8)) - {_partition(first)})
        for service in ("interaction", "value", "profile"):
            await house.hire(service)
        for event in (first, take, again):
            house.publish(event)
            await house.settle()
        findings = await house.findings()
        assert findings.zero, findings
        assert len((await tables(house.database_url, "links"))["links"]) == 1

    _in_houses(databases, 1, act)


def test_a_word_taken_back_lets_the_one_before_it_stand_again(databases: Databases) -> None:
    pair = [("user_id", "1"), ("crm_id.acme", "71")]
    same, different = told([("same", pair, 1), ("different", pair, 2)])

    async def act(house: House) -> None:
        await _told_in_turn(house, [same], [different], [retraction(different)])
        bindings = (await tables(house.database_url, "bindings"))["bindings"]
        assert len({customer for _, customer, *_ in bindings}) == 1

    _in_houses(databases, 1, act)


def test_an_operators_word_brings_back_a_record_of_which_all_was_taken_back(databases: Databases) -> None:
    (seen,) = told([("seen", [("device_id", "d-3")], 1, {}, 1)])
    (word,) = events_of("word", ("same", [("user_id", "1"), ("device_id", "d-3")], 2))
    _alone(databases, [seen], [retraction(seen)], [word])
    _alone(databases, [retraction(seen)], [seen], [word])


def test_of_two_sightings_of_one_moment_the_same_is_kept_in_any_order(databases: Databases) -> None:
    pair = [("user_id", "1"), ("anonymous_id", "cookie-a")]
    one, other = told([("seen", pair, 1, {}, 1), ("seen", pair, 1, {}, 1)])
    found: list[Tables] = []

    async def act(first: House, second: House) -> None:
        await _told_in_turn(first, [one], [other])
        await _told_in_turn(second, [other], [one])
        found.extend([await _content(first), await _content(second)])

    _in_houses(databases, 2, act)
    assert not difference(*found)


def test_another_copy_with_an_earlier_time_does_not_hide_a_sighting_that_comes_later(databases: Databases) -> None:
    """The copy counts nowhere; what was seen between its time and the first copy's is news."""
    alone = [("anonymous_id", "cookie-a")]
    first, copy, between = (
        events_of(name, ("seen", alone, minute, {}, 1))[0] for name, minute in (("a", 9), ("a", 1), ("b", 5))
    )
    _alone(databases, [first], [copy], [between])
    _alone(databases, [first, copy], [between])


def test_a_removed_contact_is_nobody_until_its_source_imports_it_again(databases: Databases) -> None:
    row = [("crm_id.acme", "71"), ("email", "ann@x.com")]
    (before,) = events_of("row", ("seen", row, 1, {"firstName": "Ann"}, 1))
    (after,) = events_of("back", ("seen", row, 9, {"firstName": "Anna"}, 1))
    (other,) = events_of("web", ("seen", [("user_id", "1"), ("email", "ann@x.com")], 2, {}, 2))
    gone = removal(row[0], 5, before.source)
    found: list[Tables] = []

    async def act(removed: House, never: House, back: House, late: House) -> None:
        await _told_in_turn(removed, [before, other], [gone])
        await _told_in_turn(never, [gone, other])
        await _told_in_turn(back, [before, other], [gone], [after])
        await _told_in_turn(late, [gone, other, after])
        # What passed stays in its history; who he is must not show it.
        identity = ("evidence", "links", "words", "traits", "bindings", "customers")
        for house in (removed, never, back, late):
            of_house = await tables(house.database_url, *identity)
            found.append({name: of_house[name] for name in identity})

    _in_houses(databases, 4, act)
    assert not difference(found[0], found[1])
    assert not difference(found[2], found[3])
    assert len(found[0]["customers"]) == 1
    assert {customer for _, customer, *_ in found[2]["bindings"]} == {found[2]["customers"][0][0]}


def test_a_source_does_not_remove_what_another_said(databases: Databases) -> None:
    (said,) = events_of("row", ("seen", [("crm_id.acme", "71"), ("email", "ann@x.com")], 1, {}, 1))

    async def act(house: House) -> None:
        await _told_in_turn(house, [said], [removal(("crm_id.acme", "71"), 5, "another")])
        assert len((await tables(house.database_url, "links"))["links"]) == 1

    _in_houses(databases, 1, act)


def test_taking_back_and_applying_do_not_miss_each_other(databases: Databases) -> None:
    """The event is in a transaction that has not ended when another worker takes the event back."""
    (event,) = told([("seen", [("user_id", "1"), ("anonymous_id", "cookie-a")], 1, {}, 1)])
    take = retraction(event)

    async def act(house: House) -> None:
        for service in ("identity", "interaction"):
            await house.hire(service, {_partition(event)})
            await house.hire(f"{service}.1", set(range(8)) - {_partition(event)})
        await house.hire("value")
        await house.hire("profile")
        for worker in house.workers.values():
            await worker.turn()
        blocker = await asyncpg.connect(house.database_url)
        await blocker.execute("BEGIN; LOCK identity_g1.record, interaction_g1.member IN SHARE MODE")
        house.publish(event)
        applying = [asyncio.create_task(house.workers[s].turn()) for s in ("identity", "interaction")]
        await asyncio.sleep(0.3)
        house.publish(take)
        taking = [asyncio.create_task(house.workers[f"{s}.1"].turn()) for s in ("identity", "interaction")]
        await asyncio.sleep(0.3)
        await blocker.execute("COMMIT")
        await blocker.close()
        await asyncio.gather(*applying, *taking)
        await house.settle()
        findings = await house.findings()
        assert findings.zero, findings

    _in_houses(databases, 1, act)


def test_an_event_that_nobody_knows_may_be_taken_back(databases: Databases) -> None:
    unknown = an_event("never sent", {"user_id": ["1"]})
    _alone(databases, [retraction(unknown)])


def _partition(event: Event) -> int:
    from services.runtime.outbox import partition_of

    return partition_of(event.record_id.encode())
