"""What profiles tell of customers who come and go, and by what these are found: in any order, from any workers.

The broker is in memory, so that who reads what first is drawn. PostgreSQL is real.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

import asyncpg
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Event
from services.profile.domain.changing import GONE
from services.profile.domain.listing import found_by, seen_of, worth_of
from tests.properties.stories import PHASES, worlds
from tests.support.databases import Databases
from tests.support.drawing import drawn
from tests.support.house import NOON, House, an_event

SERVICES = ("identity", "interaction", "value", "profile")
Told = dict[str, list[dict[str, Any]]]
"""Customer → his changes, each once, in the order of their versions."""


def told(house: House) -> Told:
    """What was told of each customer; one id is one change, however often it was told."""
    found: dict[str, dict[tuple[int, int], dict[str, Any]]] = defaultdict(dict)
    for record in house.broker.records("profile.changes"):
        headers = {name: value.decode() for name, value in record.headers}
        data = orjson.loads(record.value or b"{}")
        epoch, n = headers["ce_id"].rpartition(":")[2].split(".")
        known = found[data["customer_id"]].setdefault((int(epoch), int(n)), data)
        assert known == data, "one id, two changes"
        assert headers["ce_type"] == data["type"]
    return {customer: [changes[version] for version in sorted(changes)] for customer, changes in found.items()}


async def tables(house: House) -> dict[str, list[Any]]:
    """Profile's tables."""
    connection = await asyncpg.connect(house.database_url)
    try:
        names = ("section", "binding", "listed", "sought", "search_key")
        return {name: await connection.fetch(f"SELECT * FROM profile_g1.{name}") for name in names}
    finally:
        await connection.close()


def check_who_came_and_went(changes: Told, rows: dict[str, list[Any]]) -> None:
    """Each came before he went, and once; the last word on an id says who answers for it today."""
    shown = {str(r["customer_id"]) for r in rows["section"] if r["service"] == "identity" and r["body"] is not None}
    bound = {str(r["record_id"]): str(r["customer_id"]) for r in rows["binding"]}
    assert shown == {c for c, those in changes.items() if those[-1]["type"] not in GONE}
    for customer, those in changes.items():
        there = False
        for change in those:
            if change["type"] in GONE:
                # Who answers for the id may be told again.
                there = False
            elif change["type"] == "customer.created":
                assert not there, those
                there = True
            else:
                assert there, those
        last = those[-1]
        if last["type"] in GONE:
            assert last.get("into", customer) == bound[customer], those


def check_who_is_found(rows: dict[str, list[Any]]) -> None:
    """The list and the keys are what the sections say."""
    texts = {(str(r["customer_id"]), r["service"]): r["body"] for r in rows["section"]}
    keys: dict[str, list[str]] = defaultdict(list)
    for r in sorted(rows["search_key"], key=lambda r: r["key"]):
        keys[str(r["customer_id"])].append(r["key"])
    sought = {str(r["customer_id"]): (r["name_keys"], r["keys"]) for r in rows["sought"]}
    assert {str(r["customer_id"]) for r in rows["listed"]} == {customer for customer, _ in texts}
    for r in rows["listed"]:
        customer = str(r["customer_id"])
        found = found_by(texts.get((customer, "identity")))
        worth, seen = worth_of(texts.get((customer, "value"))), seen_of(texts.get((customer, "interaction")))
        assert (r["shown"], r["name"], (r["grade"], r["revenue"]), r["seen"]) == (
            found.shown,
            found.name,
            worth,
            seen,
        )
        assert sought.get(customer, ([], [])) == (found.name_keys, found.keys)
        assert keys[customer] == found.keys


async def check(house: House) -> Told:
    """Both laws; what was told."""
    changes, rows = told(house), await tables(house)
    check_who_came_and_went(changes, rows)
    check_who_is_found(rows)
    return changes


@pytest.mark.laws
@settings(max_examples=drawn(5), phases=PHASES)
@given(st.data())
def test_whoever_comes_or_goes_is_told_once_and_found_while_he_is_there(
    databases: Databases, data: st.DataObject
) -> None:
    events = data.draw(worlds(16))
    order = data.draw(st.permutations(events))
    batch_max = data.draw(st.sampled_from([1, 2, 5, 1000]))
    share = data.draw(st.sets(st.integers(0, 7), max_size=7))
    turns = data.draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), max_size=30))

    async def act() -> None:
        url = await databases.fresh()
        house = House(url)
        try:
            await _meet(house, list(order), batch_max, share, turns)
            await check(house)
        finally:
            await house.close()
            await databases.drop(url)

    asyncio.run(act())


async def _meet(
    house: House, events: list[Event], batch_max: int, share: set[int], turns: list[tuple[int, int]]
) -> None:
    for service in SERVICES:
        await house.hire(service, set(range(8)) - share if service == "profile" else None)
    if share:
        # By topic, too: a binding and the section that belongs to it may come to two workers.
        await house.hire("profile.1", share)
        one, other = house.workers["profile"].feed, house.workers["profile.1"].feed
        given_away = {p for p in one.assigned if p[0] == "identity.customers"}
        one.assign(one.assigned - given_away)
        other.assign(other.assigned | given_away)
    for worker in house.workers.values():
        worker.feed.batch_max = batch_max
    names = list(house.workers)
    for published, who in turns:
        house.publish(*(events.pop() for _ in range(min(published, len(events)))))
        await house.workers[names[who % len(names)]].turn()
    house.publish(*events)
    await house.settle()


USER, MAIL = {"user_id": ["42"]}, {"email": ["ann@x.com"]}


def types(changes: Told, customer: str) -> list[str]:
    return [change["type"].partition(".")[2] for change in changes[customer]]


async def _hired(house: House) -> None:
    for service in SERVICES:
        await house.hire(service)


@pytest.mark.asyncio
async def test_a_merge_and_a_split_are_told_by_whom_they_concern(house: House) -> None:
    await _hired(house)
    user, mail = an_event("1", USER), an_event("2", MAIL)
    house.publish(user, mail)
    await house.settle()
    house.publish(an_event("3", {**USER, **MAIL}))
    await house.settle()
    changes = await check(house)
    assert types(changes, mail.record_id) == ["created", "merged"]
    merged = changes[mail.record_id][-1]
    assert (merged["from"], merged["into"]) == ([mail.record_id], user.record_id)
    assert set(types(changes, user.record_id)) == {"created", "updated"}
    pair = [{"type": "user_id", "value": "42"}, {"type": "email", "value": "ann@x.com"}]
    said = {"records": pair, "reason": "two people"}
    house.publish(an_event("4", USER, type="identity.different_asserted", properties=said))
    await house.settle()
    changes = await check(house)
    (split,) = [change for change in changes[user.record_id] if change["type"] == "customer.split"]
    assert (split["from"], split["into"]) == (user.record_id, [mail.record_id])
    assert types(changes, mail.record_id) == ["created", "merged", "created"]


@pytest.mark.asyncio
async def test_a_customer_with_a_stronger_id_has_another_id_and_no_second_customer_went(house: House) -> None:
    await _hired(house)
    mail = an_event("1", MAIL)
    house.publish(mail)
    await house.settle()
    user = an_event("2", {**USER, **MAIL})
    house.publish(user)
    await house.settle()
    changes = await check(house)
    assert types(changes, mail.record_id)[-1] == "id_changed"
    assert changes[mail.record_id][-1]["into"] == user.record_id
    assert types(changes, user.record_id)[0] == "created"
    assert "split" not in types(changes, user.record_id)


@pytest.mark.asyncio
async def test_an_earlier_sighting_of_another_record_changes_the_id_and_splits_nobody(house: House) -> None:
    await _hired(house)
    both = {"crm_id.acme": ["7"], "crm_id.shop": ["8"]}
    house.publish(an_event("1", {"crm_id.acme": ["7"]}), an_event("2", both, time=NOON.replace(hour=13)))
    await house.settle()
    late = an_event("3", {"crm_id.shop": ["8"]}, time=NOON.replace(hour=9))
    house.publish(late)
    await house.settle()
    changes = await check(house)
    first = an_event("1", {"crm_id.acme": ["7"]}).record_id
    assert types(changes, first)[-1] == "id_changed"
    assert changes[first][-1]["into"] == late.record_id
    assert types(changes, late.record_id)[0] == "created"
    assert all("split" not in types(changes, customer) for customer in changes)


@pytest.mark.asyncio
async def test_a_removed_contact_is_told_as_removed_and_created_when_it_is_back(house: House) -> None:
    await _hired(house)
    own = {"crm_id.acme": ["7"]}
    imported = an_event("1", own, type="contact.imported", source="crm", traits={"firstName": "Ann"})
    house.publish(imported)
    await house.settle()
    house.publish(an_event("2", own, type="contact.removed", source="crm", time=NOON.replace(hour=13)))
    await house.settle()
    changes = await check(house)
    assert types(changes, imported.record_id)[-1] == "removed"
    again = an_event("3", own, type="contact.imported", source="crm", time=NOON.replace(hour=14))
    house.publish(again)
    await house.settle()
    changes = await check(house)
    assert types(changes, imported.record_id)[-1] == "created"
