"""The laws of groups: the same events give the same groups and members; what is taken back was never said."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Event
from schemas.identifiers import Identifier
from services.identity.domain import groups as rules
from services.identity.store import belonging
from services.runtime.outbox import partition_of
from tests.properties.stories import PHASES, Tables, difference, events_of, sightings, tables, told
from tests.properties.test_laws import SERVICES, Run, _in_houses, _meet, _told_in_turn, runs
from tests.properties.test_taking_back import is_as_if_never_said, removal, retraction
from tests.support.belonging import IDS, groups_in, parts_in, words_in
from tests.support.databases import Databases
from tests.support.drawing import drawn
from tests.support.house import NOON, House, an_event

CONTENT = ("groups", "parts", "bindings", "customers", "told bindings", "sections")
ANN, COOKIE, CRM, BO = ("user_id", "1"), ("anonymous_id", "cookie-a"), ("crm_id.acme", "71"), ("user_id", "2")
PEOPLE = (ANN, COOKIE, CRM, BO, ("user_id", "3"))


@pytest.fixture(autouse=True)
def few_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two members are called by their group's name, three are too many: so small a world has both."""
    for module in (rules, belonging):
        monkeypatch.setattr(module, "NAMED_MEMBERS_MAX", 2)


def part(
    name: str,
    kind: str,
    who: tuple[str, str] | None,
    minute: int,
    group: str = "acc-5",
    source: str = "s0",
    **data: Any,
) -> Event:
    """One group event."""
    identifiers = {"group_id": [group], **({who[0]: [who[1]]} if who else {})}
    at = NOON + timedelta(minutes=minute)
    return an_event(name, identifiers, type=f"group.{kind}", time=at, source=source, **data)


_parts = st.tuples(
    st.sampled_from(["joined", "joined", "left", "identified"]),
    st.sampled_from([None, *PEOPLE]),
    st.integers(0, 6),
    st.sampled_from(["acc-5", "acc-5", "hh-1"]),
    st.sampled_from(
        [{}, {"role": "buyer"}, {"role": "owner"}, {"name": "Acme"}, {"name": "Lee", "kind": "household"}]
    ),
    st.sampled_from([None, {"plan": "gold"}, {"plan": None, "name": "Acme Ltd"}]),
)
_joins: st.SearchStrategy[Any] = st.sampled_from([[ANN, COOKIE], [ANN, CRM], [BO, CRM]]).map(
    lambda pair: ("seen", pair, 3, {}, 1)
)
_said = st.one_of(_parts, _parts, _parts, _joins, sightings)


def _events(name: str, drawn: Any) -> list[Event]:
    kind, who, *rest = drawn
    if kind not in ("joined", "left", "identified"):
        return events_of(name, drawn)
    minute, group, properties, traits = rest
    return [part(name, kind, who, minute, group, properties=properties, **({"traits": traits} if traits else {}))]


def _all(name: str, drawn: list[Any]) -> list[Event]:
    return [event for n, one in enumerate(drawn) for event in _events(f"{name}{n}", one)]


@st.composite
def worlds(draw: st.DrawFn) -> list[Event]:
    """Group events of a few people, who now and then turn out to be one; some of it is taken back."""
    said = _all("e", draw(st.lists(_said, min_size=1, max_size=12)))
    gone = draw(st.lists(st.sampled_from(said), max_size=3, unique_by=lambda e: (e.source, e.id)))
    return [*said, *map(retraction, gone)]


@pytest.mark.laws
@settings(max_examples=drawn(3), phases=PHASES)
@given(data=st.data())
def test_any_two_ways_to_meet_the_same_events_give_the_same_groups(databases: Databases, data: st.DataObject) -> None:
    events = data.draw(worlds(), label="events")
    ways: list[Run] = [data.draw(runs(events), label=name) for name in ("first", "second")]
    found: list[Tables] = []

    async def act(*houses: House) -> None:
        await asyncio.gather(*(_meet(h, run) for h, run in zip(houses, ways, strict=True)))
        found.extend([await tables(house.database_url, *CONTENT) for house in houses])

    _in_houses(databases, 2, act)
    assert not difference(*found)
    _is_what_was_said(events, found[0])


def _is_what_was_said(events: list[Event], stored: Tables) -> None:
    """The tables are the fold of all words at once."""
    said = words_in(events)
    assert {row[0]: row[3] for row in stored["groups"]} == {
        g.record_id: str(g.since_us) for g in groups_in(said).values()
    }
    members = {(row[0], row[1]): row[2] for row in stored["parts"]}
    assert members == {
        pair: str(one.since[0] if one.since else None) for pair, one in parts_in(said).items()
    }  # fmt: skip


@pytest.mark.laws
@settings(max_examples=drawn(3), phases=PHASES)
@given(data=st.data())
def test_what_was_taken_back_of_a_group_is_as_if_it_had_never_been_said(
    databases: Databases, data: st.DataObject
) -> None:
    stay = _all("stay", data.draw(st.lists(_said, min_size=1, max_size=6), label="stay"))
    gone = _all("gone", data.draw(st.lists(_parts, min_size=1, max_size=5), label="taken back"))
    is_as_if_never_said(databases, data, stay, gone, CONTENT)


def _in_turn(databases: Databases, *batches: list[Event]) -> Tables:
    """What stands after each of these batches was applied before the next."""
    found: list[Tables] = []

    async def act(house: House) -> None:
        await _told_in_turn(house, *batches)
        found.append(await tables(house.database_url, *CONTENT))

    _in_houses(databases, 1, act)
    return found[0]


def _told_groups(stored: Tables) -> Iterator[tuple[str, str | None, str | None]]:
    """(group id, name, role) of all customers' documents."""
    for document in stored["documents"].values():
        yield from ((g["group_id"], g["name"], g["role"]) for g in document["groups"])


def seen(*who: tuple[str, str], minute: int = 0) -> Event:
    """These are one person, or a person is there at all."""
    (event,) = told([("seen", list(who), minute, {}, 1)])
    return Event(
        f"seen {who} {minute}", event.source, event.type, event.time, event.record_id, event.received, event.data
    )


def test_a_member_who_is_known_later_has_his_group_from_the_beginning(databases: Databases) -> None:
    found = _in_turn(databases, [part("j", "joined", ANN, 1)], [seen(ANN)])
    assert list(_told_groups(found)) == [("acc-5", None, None)]


def test_a_new_name_reaches_every_member(databases: Databases) -> None:
    both = [part("a", "joined", ANN, 1), part("b", "joined", BO, 1)]
    name = part("n", "identified", None, 2, traits={"name": "Acme"})
    found = _in_turn(databases, [seen(ANN), seen(BO)], both, [name])
    assert list(_told_groups(found)) == [("acc-5", "Acme", None)] * 2


def test_a_group_that_grows_too_large_is_no_longer_called_by_name_until_somebody_leaves(databases: Databases) -> None:
    people = [seen(ANN), seen(BO), seen(PEOPLE[4])]
    name = part("n", "identified", ANN, 2, traits={"name": "Acme"})
    two, three = [part("b", "joined", BO, 1)], [part("c", "joined", PEOPLE[4], 1)]
    large = _in_turn(databases, people, [name], two, three)
    assert list(_told_groups(large)) == [("acc-5", None, None)] * 3
    small = _in_turn(databases, people, [name], two, three, [part("l", "left", BO, 9)])
    assert list(_told_groups(small)) == [("acc-5", "Acme", None)] * 2


def test_two_records_that_become_one_customer_are_one_member_and_two_again_when_that_is_taken_back(
    databases: Databases,
) -> None:
    apart = [
        seen(ANN),
        seen(CRM),
        part("a", "joined", ANN, 1),
        part("b", "joined", CRM, 2, properties={"role": "buyer"}),
    ]
    join = seen(ANN, CRM, minute=3)
    assert list(_told_groups(_in_turn(databases, apart, [join]))) == [("acc-5", None, "buyer")]
    parted = _in_turn(databases, apart, [join], [retraction(join)])
    assert sorted(map(str, _told_groups(parted))) == ["('acc-5', None, 'buyer')", "('acc-5', None, None)"]


def test_a_left_that_is_taken_back_leaves_the_member_as_he_was(databases: Databases) -> None:
    first, again = part("a", "joined", ANN, 1, properties={"role": "buyer"}), part("b", "joined", ANN, 5)
    gone = part("l", "left", ANN, 3)
    found = _in_turn(databases, [seen(ANN), first], [again], [gone], [retraction(gone)])
    assert not difference(found, _in_turn(databases, [retraction(gone), seen(ANN), first, again]))
    assert list(_told_groups(found)) == [("acc-5", None, "buyer")]


def test_a_group_of_which_all_is_taken_back_is_none(databases: Databases) -> None:
    only = part("a", "joined", ANN, 1)
    found = _in_turn(databases, [seen(ANN), only], [retraction(only)])
    assert (found["groups"], found["parts"]) == ([], [])
    assert not list(_told_groups(found))


def test_a_removed_contact_keeps_his_groups(databases: Databases) -> None:
    """Groups stand for themselves: the source took back who he is, not where he belongs."""
    found = _in_turn(databases, [seen(BO), seen(ANN), part("j", "joined", ANN, 1)], [removal(ANN, 30, "s1")])
    assert [row[1] for row in found["parts"]] == [IDS(Identifier(*ANN))]
    assert {row[0] for row in found["customers"]} == {IDS(Identifier(*BO))}


def test_a_rename_and_a_merge_at_the_same_time_miss_nobody(databases: Databases) -> None:
    """Two workers: one is about to merge two members when the other calls their group by another name."""
    people = [seen(ANN), seen(CRM), part("a", "joined", ANN, 1), part("b", "joined", CRM, 1)]
    join, name = seen(ANN, CRM, minute=3), part("n", "identified", None, 2, traits={"name": "Acme"})
    found: list[Tables] = []

    async def act(house: House) -> None:
        mine = {partition_of(join.record_id.encode())}
        await house.hire("identity", mine)
        await house.hire("identity.1", set(range(8)) - mine)
        for service in SERVICES[1:]:
            await house.hire(service)
        house.publish(*people)
        await house.settle()
        house.publish(join, name)
        await asyncio.gather(*(house.workers[w].turn() for w in ("identity", "identity.1")))
        await house.settle()
        findings = await house.findings()
        assert findings.zero, findings
        found.append(await tables(house.database_url, *CONTENT))

    _in_houses(databases, 1, act)
    assert list(_told_groups(found[0])) == [("acc-5", "Acme", None)]
