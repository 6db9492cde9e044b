"""What is wrong with contacts is found, told with its day, mended by later events, and taken back with its cause."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.doors import VISIBLE_MS, Doors, Named, Source, a_phone

ISSUES = "/v1/contact/issues"
CODES = {
    "email_bounced", "email_stale", "email_missing", "mobile_missing", "name_conflict", "address_returned",
    "birthday_conflict",
}  # fmt: skip
NOW = datetime.now(UTC).replace(microsecond=0)


def ago(**span: float) -> str:
    """So long before now."""
    return (NOW - timedelta(**span)).isoformat().replace("+00:00", "Z")


def a_mobile() -> str:
    """A German mobile number nobody else has."""
    return f"+49151{a_phone()[-8:]}"


class People:
    """Customers of this test's own, and what is answered of their contact."""

    def __init__(self, doors: Doors, web: Source, own: Named) -> None:
        self.doors, self.web, self.own = doors, web, own
        self.position: str | None = None

    def mail(self, name: str) -> str:
        """His address."""
        return f"{self.own(name)}@mail.example"

    def send(self, *events: dict[str, Any]) -> None:
        """CloudEvents through POST /events."""
        self.position = self.doors.send(self.web, *events)

    def known(self, name: str, at: str | None = None, **more: Any) -> dict[str, Any]:
        """He signs up, with everything there may be unless told otherwise."""
        identifiers = {"user_id": self.own(name), "email": self.mail(name), "phone": a_mobile()}
        identifiers = {k: v for k, v in (identifiers | more.pop("identifiers", {})).items() if v is not None}
        traits = {"firstName": "Anna", "lastName": "Berg", **more.pop("traits", {})}
        return {
            "type": "contact.identified",
            "time": at or ago(days=30),
            "identifiers": identifiers,
            "traits": traits,
        }

    def letter(self, name: str, what: str, at: str, **properties: Any) -> dict[str, Any]:
        """What became of a letter to him."""
        identifiers = {"user_id": self.own(name), "email": self.mail(name)}
        found = {"type": f"message.{what}", "time": at, "channel": "email", "identifiers": identifiers}
        return {**found, "properties": {"message_id": self.own("m"), **properties}}

    def customer(self, name: str) -> str:
        """His customer id."""
        return self.doors.customer_of("user_id", self.own(name), self.position)

    def contact(self, name: str, **query: Any) -> dict[str, Any]:
        """His contact."""
        contact: dict[str, Any] = self.doors.profile(self.customer(name), self.position, **query)["contact"]
        return contact

    def issues(self, name: str) -> list[tuple[str, Any]]:
        """(code, value) of what is wrong with it."""
        return [(issue["code"], issue["value"]) for issue in self.contact(name)["issues"]]

    def pages(self, **query: Any) -> Iterator[dict[str, Any]]:
        """All pages of the list over everybody."""
        cursor: dict[str, Any] = {"min_position": self.position, "wait_ms": VISIBLE_MS} if self.position else {}
        while True:
            response = self.doors.ask(ISSUES, **query, **cursor)
            assert response.status_code == 200, response.text
            page = response.json()
            yield page
            if page["next_cursor"] is None:
                return
            cursor = {"cursor": page["next_cursor"]}

    def listed(self, **query: Any) -> list[dict[str, Any]]:
        """All issues of everybody."""
        return [issue for page in self.pages(**query) for issue in page["issues"]]


@pytest.fixture
def people(doors: Doors, web: Source, own: Named) -> People:
    """Nobody yet."""
    return People(doors, web, own)


@pytest.mark.feature("I4")
def test_the_list_names_exactly_what_is_wrong_and_what_to_ask_for(people: People) -> None:
    """Of five: nothing, a hard bounce, two spellings, no mobile, an old address that nothing ever proved."""
    names = ("well", "bounced", "misspelt", "landline", "old")
    people.send(
        *(people.known(name) for name in ("well", "bounced", "misspelt")),
        people.known("landline", identifiers={"phone": f"+4930{a_phone()[-7:]}"}),
        people.known("old", ago(days=400)),
        people.letter("well", "bounced", ago(days=3), kind="soft"),
        people.letter("bounced", "delivered", ago(days=5)),
        people.letter("bounced", "bounced", ago(days=2), kind="hard"),
        {
            "type": "contact.updated",
            "time": ago(days=1),
            "identifiers": {"email": people.mail("misspelt")},
            "traits": {"lastName": "Bergh"},
        },
    )
    customers = {people.customer(name): name for name in names}
    mine = [issue for issue in people.listed() if issue["customer_id"] in customers]
    found = sorted((customers[i["customer_id"]], i["code"], i["value"], i["ask_for"]) for i in mine if i["value"])
    assert found == [
        ("bounced", "email_bounced", people.mail("bounced"), "email"),
        ("misspelt", "name_conflict", "Bergh", "lastName"),
        ("old", "email_stale", people.mail("old"), "email"),
    ]
    (missing,) = (i for i in mine if not i["value"])
    assert (customers[missing["customer_id"]], missing["code"], missing["ask_for"]) == (
        "landline", "mobile_missing", "mobile",
    )  # fmt: skip
    bounced = next(i for i in mine if i["code"] == "email_bounced")
    assert bounced["since"] == ago(days=2)
    assert people.listed(code="email_bounced") == [i for i in people.listed() if i["code"] == "email_bounced"]


@pytest.mark.feature("I4")
def test_a_contact_says_what_works_since_when_and_what_to_ask(people: People) -> None:
    people.send(people.known("ann"), people.letter("ann", "opened", ago(days=2)))
    contact = people.contact("ann")
    assert contact["emails"] == [
        {
            "value": people.mail("ann"),
            "valid": True,
            "verified_at": f"{ago(days=2)[:10]}T00:00:00Z",
            "because": "proved",
        }
    ]
    assert (contact["issues"], contact["completeness"]) == ([], 70)
    assert [one["ask_for"] for one in contact["ask_next"]] == ["address", "birthday"]
    assert contact["reachable"]["email"] == {
        "address": people.mail("ann"), "allowed": None, "valid": True, "fatigued": False, "best_hour": None,
        "why_not": [],
    }  # fmt: skip
    assert contact["reachable"]["mail"]["why_not"] == ["no_address"]
    assert "facts" not in contact
    assert contact["provenance"]["lastName"]["source"] == people.web.name, "the best value, with its origin"


@pytest.mark.feature("I4")
def test_a_letter_that_is_opened_later_mends_the_address_and_a_machine_does_not(people: People) -> None:
    people.send(people.known("ann"), people.letter("ann", "bounced", ago(days=3), kind="hard"))
    wrong = [("email_bounced", people.mail("ann"))]
    assert people.issues("ann") == wrong
    people.send(people.letter("ann", "opened", ago(days=2), machine_open=True))
    assert people.issues("ann") == wrong
    people.send(people.letter("ann", "opened", ago(days=1)))
    assert people.issues("ann") == []
    assert people.customer("ann") not in {i["customer_id"] for i in people.listed(code="email_bounced")}


@pytest.mark.feature("I4")
def test_taking_the_bounce_back_takes_the_issue_back(people: People) -> None:
    desk = people.doors.source("quality-desk", "--may", "retract")
    bounce = people.letter("ann", "bounced", ago(days=3), kind="hard")
    people.send(people.known("ann"), {**bounce, "id": people.own("wrong")})
    assert people.issues("ann") == [("email_bounced", people.mail("ann"))]
    back = {
        "type": "event.retracted",
        "identifiers": {"user_id": people.own("ann")},
        "properties": {"source": people.web.name, "id": people.own("wrong")},
    }
    people.position = people.doors.send(desk, back)
    assert people.issues("ann") == []
    assert people.contact("ann")["emails"][0]["because"] == "unproved"


@pytest.mark.feature("I4")
def test_pages_and_totals_add_up_to_everybody(people: People) -> None:
    names = [f"p{n}" for n in range(5)]
    people.send(*(people.known(name, identifiers={"phone": None}) for name in names))
    whole = people.listed(limit=1_000)
    assert [i["customer_id"] for i in whole] == sorted(i["customer_id"] for i in whole)
    assert {people.customer(name) for name in names} <= {i["customer_id"] for i in whole}
    assert people.listed(limit=3) == whole
    for limit in (0, 2, 1_000):
        totals = {code: sum(page["totals"][code] for page in people.pages(limit=limit)) for code in CODES}
        assert totals == {code: len([i for i in whole if i["code"] == code]) for code in CODES}
    told = people.doors.copy.json("contact", "issues", "--code", "mobile_missing")
    assert told["totals"]["mobile_missing"] == totals["mobile_missing"]
    assert {i["code"] for i in told["issues"]} == {"mobile_missing"}
    text = people.doors.copy.command("contact", "issues")
    assert "mobile_missing" in text


def test_without_pii_no_value_is_told(people: People) -> None:
    people.send(
        people.known("ann", traits={"address": {"street": f"{people.own('street')} 1", "city": "Berlin"}}),
        people.letter("ann", "bounced", ago(days=3), kind="hard"),
        {
            "type": "contact.updated",
            "time": ago(days=1),
            "identifiers": {"email": people.mail("ann")},
            "traits": {"lastName": "Bergh"},
        },
    )
    key = people.doors.key("profile:read")
    customer_id = people.customer("ann")
    document = people.doors.profile(customer_id, people.position, key=key)
    page = people.doors.ask(ISSUES, key=key, limit=1_000).json()
    mine = [i for i in page["issues"] if i["customer_id"] == customer_id]
    assert page["masked"] == ["issues[].value"]
    assert document["contact"]["reachable"]["email"]["address"] == f"a{'•' * 3}@mail.example"
    for shown in (document, mine):
        text = json.dumps(shown)
        assert people.mail("ann") not in text
        assert people.own("street") not in text
        assert "Berg" not in text


@pytest.mark.parametrize("query", [{"code": "nothing"}, {"limit": "1001"}, {"limit": "-1"}, {"cursor": "x"}])
def test_a_question_that_cannot_be_meant_is_a_bad_request(people: People, query: dict[str, Any]) -> None:
    response = people.doors.ask(ISSUES, **query)
    assert (response.status_code, response.json()["type"]) == (400, "bad-request")


def test_without_the_scope_no_issue_is_told(people: People) -> None:
    response = people.doors.ask(ISSUES, key=people.doors.key("events:read"))
    assert (response.status_code, response.json()["type"]) == (403, "forbidden")
