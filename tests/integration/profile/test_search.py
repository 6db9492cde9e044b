"""Search over the profile API: names with slips, e-mails, phones, ids; tiers, orders, pages, and who may ask what."""

from __future__ import annotations

import random
import string
from typing import Any

import pytest

from tests.support.doors import VISIBLE_MS, Doors, Named, Source, later_of

CALL = "/v1/customers"
ITEM = {"customer_id", "name", "status", "emails", "phones", "tier", "last_seen"}


def a_word() -> str:
    """A surname nobody else has, and nothing like it."""
    return "".join(random.SystemRandom().choices(string.ascii_lowercase, k=12))


def search(doors: Doors, position: str | None = None, key: str | None = None, **params: Any) -> list[dict[str, Any]]:
    """All items of all pages."""
    items: list[dict[str, Any]] = []
    at: dict[str, Any] = {"min_position": position, "wait_ms": VISIBLE_MS} if position else {}
    while True:
        response = doors.ask(CALL, key=key, **at, **params)
        assert response.status_code == 200, response.text
        body = response.json()
        assert set(body) == {"items", "next_cursor", "masked"}
        items += body["items"]
        if body["next_cursor"] is None:
            return items
        params["cursor"] = body["next_cursor"]


def ids(items: list[dict[str, Any]]) -> list[str]:
    return [item["customer_id"] for item in items]


class People:
    """Three with one surname; Ann bought most and was seen last."""

    def __init__(self, doors: Doors, web: Source, own: Named) -> None:
        self.surname, self.own = a_word(), own
        self.mails = {name: f"{own(name)}@mail.example" for name in ("ann", "bob", "cleo")}
        self.phone = f"+49 30 {random.SystemRandom().randrange(10**8, 10**9)}"
        named = {"ann": "Anna Marie", "bob": "Bob", "cleo": "Cléo"}
        events = [
            {
                "type": "contact.identified",
                "time": f"2026-03-0{day}T10:00:00Z",
                "identifiers": {"user_id": own(name), "email": self.mails[name]},
                "traits": {"firstName": first, "lastName": self.surname.title()},
            }
            for day, (name, first) in enumerate(named.items(), 1)
        ]
        bought = {
            "type": "order.completed",
            "time": "2026-03-09T10:00:00Z",
            "identifiers": {"user_id": own("ann"), "phone": self.phone},
            "properties": {"order_id": own("o"), "currency": "USD", "subtotal": "760.50"},
        }
        self.position = doors.send(web, *events, bought)
        self.ids = {name: doors.customer_of("user_id", own(name), self.position) for name in named}


@pytest.fixture
def people(doors: Doors, web: Source, own: Named) -> People:
    return People(doors, web, own)


def test_a_customer_is_found_by_name_address_or_id_and_shown_in_one_line(doors: Doors, people: People) -> None:
    ann = people.ids["ann"]
    digits = "".join(c for c in people.phone if c.isdigit())
    for query in (
        f"anna marie {people.surname}", f"Anna {people.surname[:6]}", people.mails["ann"], people.mails["ann"][:12],
        people.phone, f"0{digits[2:]}", digits[-9:], ann, ann.upper(), f"user_id:{people.own('ann')}",
        people.own("ann"), f"email:{people.mails['ann']}",
    ):  # fmt: skip
        assert ann in ids(search(doors, people.position, query=query)), query
    (item,) = search(doors, query=f"Anna {people.surname}")
    assert set(item) == ITEM
    assert item == {
        "customer_id": ann, "name": f"Anna Marie {people.surname.title()}", "status": "known",
        "emails": [people.mails["ann"]], "phones": [digits], "tier": "B", "last_seen": "2026-03-09T10:00:00Z",
    }  # fmt: skip


def test_a_name_is_found_with_a_slip_without_its_accents_and_while_it_is_typed(doors: Doors, people: People) -> None:
    everybody = set(people.ids.values())
    surname = people.surname
    slips = (
        surname[:4] + surname[5:],
        surname[:4] + "x" + surname[4:],
        surname[:3] + surname[4] + surname[3] + surname[5:],
    )
    for query in (surname, surname.upper(), *slips, surname[:5]):
        assert set(ids(search(doors, people.position, query=query))) == everybody, query
    assert ids(search(doors, query=f"cleo {surname}")) == [people.ids["cleo"]]
    assert ids(search(doors, query=f"{surname} b")) == [people.ids["bob"]]
    assert ids(search(doors, query=f"Bob {surname}"))[0] == people.ids["bob"]


def test_what_fits_best_comes_first(doors: Doors, people: People) -> None:
    exact, slip = people.surname, people.surname[:-1] + "q"
    found = ids(search(doors, people.position, query=f"bob {exact}"))
    assert found == [people.ids["bob"]]
    assert ids(search(doors, query=f"bobb {slip}")) == [people.ids["bob"]]


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_pages_hold_everybody_once_in_every_order(doors: Doors, people: People, limit: int) -> None:
    ann, bob, cleo = (people.ids[name] for name in ("ann", "bob", "cleo"))
    at: dict[str, Any] = {"position": people.position, "query": people.surname, "limit": limit}
    assert ids(search(doors, **at, sort="name")) == [ann, bob, cleo]
    assert ids(search(doors, **at, sort="last_seen")) == [ann, cleo, bob]
    assert ids(search(doors, **at, sort="revenue"))[0] == ann
    assert sorted(ids(search(doors, **at))) == sorted([ann, bob, cleo])


@pytest.mark.parametrize("sort", ["name", "last_seen", "revenue", None])
def test_without_a_query_everybody_is_listed_once_page_by_page(
    doors: Doors, people: People, sort: str | None
) -> None:
    order: dict[str, Any] = {"sort": sort} if sort else {}
    listed = ids(search(doors, people.position, limit=100, **order))
    assert len(set(listed)) == len(listed)
    assert set(people.ids.values()) <= set(listed)
    by_tens = ids(search(doors, limit=10, **order))
    assert by_tens == listed


def test_a_tier_holds_its_own_alone(doors: Doors, people: People) -> None:
    in_b = search(doors, people.position, tier="B", limit=100)
    assert people.ids["ann"] in ids(in_b)
    assert {item["tier"] for item in in_b} == {"B"}
    assert not {people.ids["bob"], people.ids["cleo"]} & set(ids(in_b))
    assert ids(search(doors, query=people.surname, tier="B")) == [people.ids["ann"]]
    assert search(doors, query=people.surname, tier="A") == []


def test_who_became_anothers_is_listed_no_more_and_found_by_what_he_had(
    doors: Doors, web: Source, people: People, own: Named
) -> None:
    both = {"crm_id.acme": own("7"), "email": people.mails["bob"]}
    alone = {"type": "contact.identified", "identifiers": {"crm_id.acme": own("7")}, "traits": {"company": "x"}}
    position = doors.send(web, alone)
    former = doors.customer_of("crm_id.acme", own("7"), position)
    assert ids(search(doors, position, query=own("7"))) == [former]
    joined = {"type": "contact.identified", "identifiers": {**both, "user_id": own("bob")}}
    position = later_of(position, doors.send(web, joined))
    bob = doors.customer_of("user_id", own("bob"), position)
    for query in (own("7"), former, people.mails["bob"], f"bob {people.surname}"):
        assert ids(search(doors, position, query=query)) == [bob], query
    if former != bob:
        assert former not in ids(search(doors, limit=100))


def test_without_leave_for_personal_data_ids_are_searched_and_values_masked(doors: Doors, people: People) -> None:
    key = doors.key("profile:read")
    for query in (people.ids["ann"], f"user_id:{people.own('ann')}", people.own("ann")):
        (item,) = search(doors, people.position, key=key, query=query)
        assert item["customer_id"] == people.ids["ann"]
        assert item["name"] == "A•••"
        assert people.mails["ann"] not in str(item)
        assert item["tier"] is None
    answer = doors.ask(CALL, key=key, limit=1).json()
    assert set(answer["masked"]) == {"items[].name", "items[].emails", "items[].phones", "items[].tier"}
    digits = "".join(c for c in people.phone if c.isdigit())
    for query in (people.surname, f"bob {people.surname}", people.mails["ann"], people.phone, f"phone:{digits}"):
        refused = doors.ask(CALL, key=key, query=query)
        assert (refused.status_code, refused.json()["type"]) == (403, "forbidden"), query
        assert "profile:pii" in refused.json()["detail"]
    assert search(doors, key=key, query=digits) == [], "a number is an id to this key"
    assert doors.ask(CALL, key=key, sort="name").status_code == 403


def test_tiers_and_revenue_need_leave_to_see_what_customers_are_worth(doors: Doors) -> None:
    key = doors.key("profile:read", "profile:pii")
    asked: tuple[dict[str, Any], ...] = ({"tier": "A"}, {"sort": "revenue"})
    for params in asked:
        refused = doors.ask(CALL, key=key, **params)
        assert (refused.status_code, refused.json()["type"]) == (403, "forbidden")
        assert "value:read" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"segment": "vip"}, "no such segment"),
        ({"tier": "E"}, "tier"),
        ({"sort": "shoe_size"}, "sort"),
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"cursor": "x"}, "cursor"),
        ({"query": "x" * 2_000}, "query"),
    ],
    ids=str,
)
def test_what_cannot_be_read_is_a_bad_request_that_names_it(doors: Doors, params: dict[str, Any], named: str) -> None:
    response = doors.ask(CALL, **params)
    assert (response.status_code, response.json()["type"]) == (400, "bad-request")
    assert named in response.json()["detail"]


def test_a_cursor_belongs_to_its_search(doors: Doors, people: People) -> None:
    cursor = doors.ask(CALL, limit=1, sort="name").json()["next_cursor"]
    assert cursor
    assert doors.ask(CALL, limit=1, sort="name", cursor=cursor).status_code == 200
    others: tuple[dict[str, Any], ...] = (
        {"sort": "last_seen"}, {"sort": "name", "tier": "B"}, {"sort": "name", "query": "x"},
    )  # fmt: skip
    for other in others:
        assert doors.ask(CALL, limit=1, cursor=cursor, **other).status_code == 400


@pytest.mark.parametrize("query", ["%", "'; DROP TABLE listed;--", "💌", "\u202e", "a" * 500, ":", "@", "0", "___"])
def test_odd_queries_find_nobody_and_break_nothing(doors: Doors, query: str) -> None:
    assert doors.ask(CALL, query=query).status_code == 200


def test_the_customers_command_lists_who_fits(doors: Doors, people: People) -> None:
    search(doors, people.position, query=people.surname)
    found = doors.copy.json("customers", "--query", f"bob {people.surname}")
    assert ids(found["items"]) == [people.ids["bob"]]
    text = doors.copy.command("customers", "-q", people.surname, "--sort", "name")
    assert [text.index(people.ids[name]) for name in ("ann", "bob", "cleo")] == sorted(
        text.index(one) for one in people.ids.values()
    )
    assert doors.copy.run("customers", "--tier", "Z").returncode == 1
