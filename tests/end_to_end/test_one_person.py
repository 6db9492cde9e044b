"""One person over several channels is one customer, found by every identifier, under every id it ever had."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.doors import Doors, Named, Source, a_phone, later_of

DAY = "2026-03-0{}T10:00:00Z"


def five_channels(own: Named, phone: str) -> list[dict[str, Any]]:
    """A visitor, an app user, a caller, a card holder, a row of the CRM: the same woman."""
    mail = own("ann") + "@mail.example"
    return [
        {
            "type": "page.viewed",
            "time": DAY.format(1),
            "channel": "web",
            "identifiers": {"anonymous_id": own("browser")},
            "properties": {"path": "/tents"},
        },
        {
            "type": "contact.identified",
            "time": DAY.format(2),
            "channel": "app",
            "identifiers": {"user_id": own("u"), "anonymous_id": own("browser"), "device_id": own("phone")},
            "traits": {"firstName": "Ann", "lastName": "Berg", "email": mail.upper()},
        },
        {
            "type": "call.held",
            "time": DAY.format(3),
            "channel": "call",
            "identifiers": {"phone": phone},
            "properties": {"call_id": own("call"), "duration_s": 90},
        },
        {
            "type": "contact.identified",
            "time": DAY.format(4),
            "channel": "store",
            "identifiers": {"loyalty_id": own("card"), "phone": phone.replace(" ", "-")},
            "traits": {"firstName": "Ann"},
        },
        {
            "type": "contact.imported",
            "time": DAY.format(5),
            "channel": "import",
            "identifiers": {"crm_id.acme": own("7"), "email": mail, "phone": f" {phone} "},
            "traits": {"birthday": "1988-05-17"},
        },
    ]


def keys(own: Named, phone: str) -> list[tuple[str, str]]:
    return [
        ("anonymous_id", own("browser")),
        ("user_id", own("u")),
        ("device_id", own("phone")),
        ("phone", phone),
        ("loyalty_id", own("card")),
        ("crm_id.acme", own("7")),
        ("email", own("Ann") + "@Mail.Example"),
    ]


@pytest.mark.feature("I1", "I2", "I3")
def test_five_channels_become_one_customer_found_by_each_identifier(doors: Doors, web: Source, own: Named) -> None:
    phone = a_phone()
    position = doors.send(web, *five_channels(own, phone))
    results = doors.look_up(*keys(own, phone), position=position)
    assert len({result["customer_id"] for result in results}) == 1, results
    assert not any(result["ambiguous"] or result["generic"] for result in results)
    document = doors.profile(results[0]["customer_id"], position)
    assert document["interaction"]["count"] == 5
    assert set(document["interaction"]["by_channel"]) == {"web", "app", "call", "store", "import"}
    assert document["contact"]["name"] == "Ann Berg"
    assert document["contact"]["birthday"] == "1988-05-17"
    assert [mail["value"] for mail in document["contact"]["emails"]] == [own("ann") + "@mail.example"]
    assert document["identity"]["status"] == "known"
    assert {(r["type"], r["value"]) for r in document["identity"]["identifiers"]} == {
        (result["type"], result["normalised"]) for result in results
    }
    assert document["meta"]["regrouping"] == []


@pytest.mark.feature("I2", "O2")
def test_the_order_of_arrival_changes_nothing(doors: Doors, web: Source, own: Named) -> None:
    phone, other = a_phone(), a_phone()

    def theirs(name: str) -> str:
        return own(f"other-{name}")

    there = doors.send(web, *five_channels(own, phone))
    for event in reversed(five_channels(theirs, other)):
        back = doors.send(web, event)
    one = doors.profile(doors.customer_of("user_id", own("u"), there), there)
    two = doors.profile(doors.customer_of("user_id", theirs("u"), back), back)
    for part in ("first_at", "last_at", "count", "by_channel", "by_type"):
        assert one["interaction"][part] == two["interaction"][part]
    for part in ("name", "birthday", "completeness"):
        assert one["contact"][part] == two["contact"][part]
    assert [r["type"] for r in one["identity"]["records"]] == [r["type"] for r in two["identity"]["records"]]


@pytest.mark.feature("I1")
def test_an_id_from_before_a_merge_answers_with_todays_customer(doors: Doors, web: Source, own: Named) -> None:
    phone = a_phone()
    call, login = five_channels(own, phone)[2], five_channels(own, phone)[1]
    position = doors.send(web, call, login)
    caller = doors.customer_of("phone", phone, position)
    user = doors.customer_of("user_id", own("u"), position)
    assert caller != user
    both = {"type": "contact.updated", "identifiers": {"user_id": own("u"), "phone": phone}, "traits": {"vip": True}}
    position = doors.send(web, both)
    for old in (caller, user):
        document = doors.profile(old, position)
        assert document["requested_id"] == old
        assert document["customer_id"] == user, "named after its strongest record"
        assert document["interaction"]["count"] == 3
        assert len(doors.timeline(old, position)) == 3


@pytest.mark.feature("I1", "I2")
def test_an_alias_makes_visitor_and_user_one(doors: Doors, web: Source, own: Named) -> None:
    position = doors.send(
        web,
        {"type": "page.viewed", "identifiers": {"anonymous_id": own("a")}, "properties": {"path": "/"}},
        {"type": "contact.identified", "identifiers": {"user_id": own("u")}, "traits": {"plan": "gold"}},
    )
    assert doors.customer_of("anonymous_id", own("a"), position) != doors.customer_of("user_id", own("u"))
    call = {"userId": own("u"), "previousId": own("a"), "messageId": own("m")}
    position = doors.post("/v1/alias", web, json=call).headers["C360-Position"]
    assert doors.customer_of("anonymous_id", own("a"), position) == doors.customer_of("user_id", own("u"))


@pytest.mark.feature("I2")
def test_two_user_ids_are_two_people_whatever_they_share(doors: Doors, web: Source, own: Named) -> None:
    position = doors.send(
        web,
        *(
            {
                "type": "contact.identified",
                "identifiers": {"user_id": own(user), "email": own("family") + "@mail.example"},
                "traits": {"firstName": user},
            }
            for user in ("ann", "bob")
        ),
    )
    assert doors.customer_of("user_id", own("ann"), position) != doors.customer_of("user_id", own("bob"))


@pytest.mark.feature("I1")
def test_two_shops_numbers_are_kept_apart_by_their_namespaces(doors: Doors, own: Named) -> None:
    found = []
    for name in ("north", "south"):
        shop = doors.source(f"shop-{name}", "--namespace", f"user_id={name}")
        seen = {"type": "page.viewed", "identifiers": {"user_id": own("42")}, "properties": {"path": "/"}}
        found.append(doors.customer_of(f"user_id.{name}", own("42"), doors.send(shop, seen)))
    assert found[0] != found[1]


def test_a_namespace_means_the_same_in_a_setting_and_in_an_event(doors: Doors, web: Source, own: Named) -> None:
    shop = doors.source("shop-dashed", "--namespace", "user_id=the-shop")
    by_setting = {"type": "page.viewed", "identifiers": {"user_id": own("42")}, "properties": {"path": "/"}}
    by_event = {**by_setting, "identifiers": {"user_id.the-shop": own("42")}}
    position = later_of(doors.send(shop, by_setting), doors.send(web, by_event))
    customer_id = doors.customer_of("user_id.the-shop", own("42"), position)
    assert len(doors.timeline(customer_id)) == 2


@pytest.mark.feature("I1")
def test_a_lookup_answers_in_the_order_asked(doors: Doors, web: Source, own: Named) -> None:
    users = [own(f"u{n}") for n in range(20)]
    position = doors.send(
        web, *({"type": "note.added", "identifiers": {"user_id": u}, "properties": {"text": "x"}} for u in users)
    )
    asked = [("user_id", u) for u in reversed(users)] + [("user_id", own("nobody")), ("user_id", users[0])]
    results = doors.look_up(*asked, position=position, include=["identity"])
    assert [(r["type"], r["value"]) for r in results] == asked
    for result in results:
        known = result["value"] != own("nobody")
        assert bool(result["customer_id"]) is known
        if known:
            assert result["customer"]["identity"]["records"][0]["value"] == result["value"]
            assert set(result["customer"]) == {"requested_id", "customer_id", "identity", "meta"}


@pytest.mark.feature("I1")
@pytest.mark.parametrize(
    "value", ["anonymous", "NULL", "undefined", "0", "00000000-0000-0000-0000-000000000000", " ", "[object Object]"]
)
def test_a_placeholder_never_identifies(doors: Doors, web: Source, own: Named, value: str) -> None:
    position = doors.send(
        web,
        {
            "type": "note.added",
            "identifiers": {"user_id": own("ann"), "device_id": value},
            "properties": {"text": "x"},
        },
        {
            "type": "note.added",
            "identifiers": {"loyalty_id": own("bob"), "device_id": value},
            "properties": {"text": "x"},
        },
        {"type": "note.added", "identifiers": {"device_id": value}, "properties": {"text": "nobody's"}},
    )
    ann, bob, nobody = doors.look_up(
        ("user_id", own("ann")), ("loyalty_id", own("bob")), ("device_id", value), position=position
    )
    assert ann["customer_id"]
    assert bob["customer_id"]
    assert ann["customer_id"] != bob["customer_id"]
    assert (nobody["customer_id"], nobody["ambiguous"], nobody["candidates"]) == (None, False, [])
