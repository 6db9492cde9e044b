"""Accounts and households come in through both doors, and are answered with their members."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.doors import SUCCESS, VISIBLE_MS, Doors, Named, Source

NOON = "2026-03-02T12:00:00Z"


class Account:
    """An account of this test's own, and what is answered of it."""

    def __init__(self, doors: Doors, web: Source, own: Named) -> None:
        self.doors, self.web, self.own = doors, web, own
        self.group_id = own("acc")
        self.position: str | None = None

    def send(self, *events: dict[str, Any]) -> None:
        """CloudEvents through POST /events."""
        self.position = self.doors.send(self.web, *({"time": NOON, **event} for event in events))

    def part(self, kind: str, identifiers: dict[str, str], **more: Any) -> dict[str, Any]:
        """An event that names the account and a person."""
        properties = {"group_id": self.group_id, **more.pop("properties", {})}
        return {"type": f"group.{kind}", "identifiers": identifiers, "properties": properties, **more}

    def customer(self, type_: str, value: str) -> str:
        """Whose an identifier is."""
        return self.doors.customer_of(type_, value, self.position)

    def ask(self, group: str | None = None, **query: Any) -> Any:
        """The group, once all that was sent is visible."""
        at: dict[str, Any] = {"min_position": self.position, "wait_ms": VISIBLE_MS} if self.position else {}
        return self.doors.ask(f"/v1/groups/{group or self.group_id}", **at, **query)

    def answer(self, group: str | None = None, **query: Any) -> dict[str, Any]:
        """As asked."""
        response = self.ask(group, **query)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer


@pytest.fixture
def account(doors: Doors, web: Source, own: Named) -> Account:
    """Nobody's yet."""
    return Account(doors, web, own)


def a_buyer(account: Account) -> str:
    """Ann joins as a buyer, under her own user id; her customer id."""
    ann = account.own("ann")
    account.send(
        {"type": "contact.identified", "identifiers": {"user_id": ann}, "traits": {"firstName": "Ann"}},
        account.part("joined", {"user_id": ann}, properties={"kind": "account", "role": "buyer"}),
        account.part("identified", {}, time="2026-03-02T10:00:00Z", traits={"name": "Acme Ltd", "industry": "tools"}),
    )
    return account.customer("user_id", ann)


@pytest.mark.feature("I5")
def test_an_account_is_answered_with_its_name_and_its_members(account: Account) -> None:
    ann = a_buyer(account)
    answer = account.answer()
    record = answer.pop("record_id")
    assert answer == {
        "group_id": account.group_id,
        "type": "group_id",
        "kind": "account",
        "name": "Acme Ltd",
        "traits": {"industry": "tools"},
        "since": "2026-03-02T10:00:00Z",
        "members": [{"customer_id": ann, "role": "buyer", "since": NOON, "records": 1}],
        "next_cursor": None,
        "totals": {"members": 1, "left": 0},
        "value": None,
        "last_contact": None,
        "masked": [],
    }
    assert account.answer(record) == account.answer(), "by its record's id as by its own"


@pytest.mark.feature("I5")
def test_a_members_document_shows_his_groups(account: Account) -> None:
    ann = a_buyer(account)
    document = account.doors.profile(ann, account.position)
    record = account.answer()["record_id"]
    (group,) = document["groups"]
    assert group == {
        "group_id": account.group_id, "record_id": record, "kind": "account", "name": "Acme Ltd", "role": "buyer",
        "since": NOON,
    }  # fmt: skip
    assert "groups" not in document["meta"]["missing"]
    account.send(account.part("left", {"user_id": account.own("ann")}, time="2026-03-03T09:00:00Z"))
    assert account.doors.profile(ann, account.position)["groups"] == []
    assert account.answer()["totals"] == {"members": 0, "left": 1}


@pytest.mark.feature("I5")
def test_segments_group_call_is_a_membership(account: Account) -> None:
    calls: tuple[dict[str, Any], ...] = (
        {
            "userId": account.own("ann"),
            "groupId": account.group_id,
            "traits": {"name": "Acme", "email": "o@x.example"},
        },
        {"userId": account.own("bob"), "groupId": account.group_id},
    )
    people = [{"type": "note.added", "identifiers": {"user_id": account.own(name)}} for name in ("ann", "bob")]
    account.send(*people)
    for n, call in enumerate(calls):
        message = {**call, "messageId": account.own(f"m{n}"), "timestamp": NOON}
        response = account.doors.post("/v1/group", account.web, json=message)
        assert (response.status_code, response.json()) == (200, SUCCESS)
        account.position = response.headers["C360-Position"]
        account.answer()
    answer = account.answer()
    assert (answer["name"], answer["traits"]) == ("Acme", {"email": "o@x.example"})
    ids = {account.customer("user_id", account.own(name)) for name in ("ann", "bob")}
    assert {m["customer_id"] for m in answer["members"]} == ids
    assert account.doors.look_up(("email", "o@x.example"))[0]["customer_id"] is None, "the account's, nobody's"


@pytest.mark.feature("I5")
def test_after_a_merge_two_records_of_one_person_are_one_member(account: Account) -> None:
    user, crm = account.own("u"), account.own("c")
    account.send(
        {"type": "note.added", "identifiers": {"user_id": user}},
        {"type": "note.added", "identifiers": {"crm_id.acme": crm}},
        account.part("joined", {"user_id": user}, properties={"role": "buyer"}),
        account.part("joined", {"crm_id.acme": crm}, time="2026-03-02T13:00:00Z", properties={"role": "owner"}),
    )
    two = account.answer()
    assert {m["role"] for m in two["members"]} == {"buyer", "owner"}
    account.send({"type": "contact.imported", "identifiers": {"user_id": user, "crm_id.acme": crm}})
    one = account.answer()
    assert one["members"] == [
        {"customer_id": account.customer("user_id", user), "role": "owner", "since": NOON, "records": 2}
    ]
    assert (two["totals"]["members"], one["totals"]["members"]) == (2, 1)


@pytest.mark.feature("I5")
def test_a_person_nobody_has_seen_otherwise_is_a_member_by_his_record(account: Account) -> None:
    account.send(account.part("joined", {"user_id": account.own("new"), "email": f"{account.own('new')}@x.example"}))
    (member,) = account.answer()["members"]
    assert account.doors.look_up(("user_id", account.own("new")))[0]["customer_id"] is None
    account.send({"type": "note.added", "identifiers": {"user_id": account.own("new")}})
    assert account.customer("user_id", account.own("new")) == member["customer_id"]
    mail = ("email", f"{account.own('new')}@x.example")
    assert account.doors.look_up(mail)[0]["customer_id"] is None, "a group event links nobody"


@pytest.mark.feature("I5")
def test_members_are_told_in_pages_by_customer_id(account: Account) -> None:
    account.send(*(account.part("joined", {"user_id": account.own(f"u{n}")}) for n in range(5)))
    whole = [m["customer_id"] for m in account.answer()["members"]]
    assert whole == sorted(whole)
    found: list[str] = []
    cursor: dict[str, Any] = {}
    while True:
        page = account.answer(limit=2, **cursor)
        assert page["totals"] == {"members": 5, "left": 0}
        found += [m["customer_id"] for m in page["members"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert (found, len(page["members"])) == (whole, 1)


def test_a_groups_namespace_makes_it_another_group(account: Account) -> None:
    other = account.doors.source("groups-shop2", "--namespace", "group_id=shop2")
    account.send(account.part("identified", {}, traits={"name": "Ours"}))
    theirs = {
        "type": "group.identified",
        "properties": {"group_id": account.group_id, "name": "Theirs"},
        "time": NOON,
    }
    account.position = account.doors.send(other, theirs)
    assert account.answer()["name"] == "Ours"
    assert account.answer(type="group_id.shop2")["name"] == "Theirs"


@pytest.mark.feature("I5")
def test_an_event_that_was_taken_back_made_nobody_a_member(account: Account) -> None:
    ann = a_buyer(account)
    desk = account.doors.source("groups-desk", "--may", "retract")
    account.send({**account.part("joined", {"user_id": account.own("bob")}), "id": account.own("wrong")})
    assert account.answer()["totals"]["members"] == 2
    back = {
        "type": "event.retracted",
        "identifiers": {"user_id": account.own("bob")},
        "properties": {"source": account.web.name, "id": account.own("wrong")},
    }
    account.position = account.doors.send(desk, back)
    assert [m["customer_id"] for m in account.answer()["members"]] == [ann]


def test_without_pii_names_and_traits_are_masked_and_listed(account: Account) -> None:
    ann = a_buyer(account)
    key = account.doors.key("profile:read")
    answer = account.answer(key=key)
    assert (answer["name"], answer["traits"]) == ("A•••", {"industry": "t•••"})
    assert {"name", "traits"} <= set(answer["masked"])
    assert (answer["group_id"], answer["kind"]) == (account.group_id, "account")
    document = account.doors.profile(ann, key=key)
    assert (document["groups"][0]["name"], document["groups"][0]["role"]) == ("A•••", "buyer")
    assert "groups[].name" in document["meta"]["masked"]


def test_a_group_id_may_hold_anything(account: Account) -> None:
    account.group_id = f"{account.own('a')}/é ?x=1&y#z"
    account.send(account.part("identified", {}, properties={"group_id": account.group_id, "name": "Odd"}))
    quoted = account.group_id.replace("?", "%3F").replace("#", "%23").replace("/", "%2F")
    assert account.answer(quoted)["name"] == "Odd"


@pytest.mark.parametrize("group", ["nobodys", "00000000-0000-0000-0000-000000000007", "a/b", "null"])
def test_an_unknown_group_is_not_found(account: Account, group: str) -> None:
    response = account.ask(group)
    assert (response.status_code, response.json()["type"]) == (404, "not-found")


def test_a_customer_is_no_group(account: Account) -> None:
    response = account.ask(a_buyer(account))
    assert (response.status_code, response.json()["type"]) == (404, "not-found")


@pytest.mark.parametrize(
    "query", [{"type": "user_id"}, {"type": "..."}, {"limit": "0"}, {"limit": "101"}, {"cursor": "x"}]
)
def test_a_question_that_cannot_be_meant_is_a_bad_request(account: Account, query: dict[str, Any]) -> None:
    response = account.ask("acc", **query)
    assert (response.status_code, response.json()["type"]) == (400, "bad-request")


def test_without_the_scope_no_group_is_told(account: Account) -> None:
    response = account.ask("acc", key=account.doors.key("events:read"))
    assert (response.status_code, response.json()["type"]) == (403, "forbidden")


def test_identity_tells_a_customers_groups_on_its_own_page(account: Account) -> None:
    ann = a_buyer(account)
    account.answer()
    page = account.doors.http.get(f"{account.doors.copy.internal['identity']}/customers/{ann}/groups").json()
    assert (page["customer_id"], [g["group_id"] for g in page["groups"]]) == (ann, [account.group_id])
    by_name = account.doors.http.get(
        f"{account.doors.copy.internal['identity']}/groups/group_id:{account.group_id}"
    ).json()
    assert by_name["members"][0]["customer_id"] == ann
