"""A key without `profile:pii` sees no word of a person, and is told what was withheld."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.doors import Doors, Named, Source, later_of

SECRET = "zqxplanted"
"""Stands in every planted text."""
DIGITS = f"{uuid.uuid4().int % 10**10:010d}"
"""The planted phone number."""


TRAITS: dict[str, Any] = {
    "firstName": f"{SECRET}-first",
    "middleName": f"{SECRET}-middle",
    "lastName": f"{SECRET}-last",
    "birthday": "1977-07-07",
    "gender": f"{SECRET}-gender",
    "title": f"{SECRET}-title",
    "company": {"name": f"{SECRET}-company"},
    "address": {"street": f"{SECRET}-street", "city": f"{SECRET}-city", "postalCode": f"{SECRET}-zip"},
    "nickname": f"{SECRET}-own",
    "children": [f"{SECRET}-child"],
}
SAID: dict[str, Any] = {
    "message.replied": {"text": f"{SECRET} text", "subject": f"{SECRET} subject", "message_id": "m-1"},
    "call.held": {"summary": f"{SECRET} summary", "recording_url": f"https://{SECRET}.example/"},
    "note.added": {"text": f"{SECRET} note"},
    "search.performed": {"query": f"{SECRET} query"},
    "feedback.given": {"score": 3, "scale": "nps", "text": f"{SECRET} feedback"},
    "page.viewed": {"url": f"https://shop.example/?name={SECRET}", "title": f"{SECRET} page", "path": "/"},
    "wedding.planned": {"with": f"{SECRET}-partner"},
}
"""Type → properties a person wrote."""


@dataclass(frozen=True)
class Planted:
    """A customer whose every personal field holds the secret; `shared` is a number of two people."""

    customer_id: str
    user_id: str
    position: str


@pytest.fixture(scope="module")
def planted(doors: Doors) -> Planted:
    """Sent once, over three events of all the kinds that carry words."""
    source = doors.source("masks")
    user = f"u-{uuid.uuid4().hex}"
    ids = {"user_id": user, "email": f"{SECRET}-{user}@mail.example", "phone": f"+49 {DIGITS}"}
    actor = {"kind": "customer", "id": f"{SECRET}-actor", "name": f"{SECRET} Actor"}
    events: list[dict[str, Any]] = [
        {"type": "contact.identified", "identifiers": ids, "traits": TRAITS},
        {
            "type": "contact.updated",
            "identifiers": {"email": ids["email"]},
            "traits": {"firstName": f"{SECRET}-rival", "lastName": f"{SECRET}-lasst"},
        },
        {
            "type": "contact.identified",
            "identifiers": {"user_id": f"{user}-2", "phone": f"+49 {DIGITS}"},
            "traits": {"name": f"{SECRET}-name"},
        },
        *(
            {"type": type_, "identifiers": {"user_id": user}, "actor": actor, "properties": properties}
            for type_, properties in SAID.items()
        ),
    ]
    position = doors.send(source, *events)
    return Planted(doors.customer_of("user_id", user, position), user, position)


def test_with_pii_the_words_are_there(doors: Doors, planted: Planted) -> None:
    document = json.dumps(doors.profile(planted.customer_id))
    for word in ("first", "last", "street", "own", "child", "title", "company"):
        assert f"{SECRET}-{word}" in document
    assert doors.profile(planted.customer_id)["meta"]["masked"] == []


def test_without_pii_the_document_holds_none_and_lists_what_is_masked(doors: Doors, planted: Planted) -> None:
    document = doors.profile(planted.customer_id, key=doors.key("profile:read"))
    text = json.dumps(document)
    assert SECRET not in text
    assert DIGITS not in text
    assert "1977-07" not in text
    listed = document["meta"]["masked"]
    assert {"contact.name", "contact.phones", "contact.emails[].value", "contact.addresses"} <= set(listed)
    assert {"contact.birthday", "contact.traits", "identity.identifiers[].value"} <= set(listed)
    assert {"contact.issues[].value", "contact.issues[].rivals", "contact.reachable.*.address"} <= set(listed)
    assert any("•••" in str(value) for value in document["contact"].values())
    assert "name_conflict" in [issue["code"] for issue in document["contact"]["issues"]]
    assert document["contact"]["reachable"]["mail"]["address"]["city"] == "z•••"


def test_masked_fields_of_parts_left_out_are_not_listed(doors: Doors, planted: Planted) -> None:
    document = doors.profile(planted.customer_id, key=doors.key("profile:read"), include="interaction")
    assert document["meta"]["masked"]
    assert all(path.startswith("interaction.") for path in document["meta"]["masked"])
    assert SECRET not in json.dumps(document)


def test_without_pii_a_lookup_names_nobody(doors: Doors, planted: Planted) -> None:
    key = doors.key("profile:read")
    asked = [("user_id", planted.user_id), ("phone", f"+49 {DIGITS}")]
    found, shared = doors.look_up(*asked, include=["contact", "identity", "interaction"], key=key)
    assert found["customer"]["meta"]["masked"]
    assert SECRET not in json.dumps([found, shared])
    assert shared["ambiguous"]
    assert {c["name"] for c in shared["candidates"]} == {"z•••"}


def test_without_pii_the_timeline_keeps_titles_and_no_words(doors: Doors, planted: Planted) -> None:
    key = doors.key("events:read")
    queries: tuple[dict[str, Any], ...] = ({}, {"include": "properties"})
    for query in queries:
        response = doors.ask(f"/v1/customers/{planted.customer_id}/timeline", key=key, limit=200, **query)
        assert response.status_code == 200
        assert SECRET not in response.text
        assert len(response.json()["items"]) == 9
        assert all(item["title"] for item in response.json()["items"])
    with_words = doors.timeline(
        planted.customer_id, include="properties", key=doors.key("events:read", "profile:pii")
    )
    assert SECRET in json.dumps(with_words)


def test_without_pii_what_holds_a_customer_together_is_told_without_a_word_of_a_person(
    doors: Doors, planted: Planted
) -> None:
    phone = {"type": "phone", "value": f"+49 {DIGITS}"}
    said = {
        "kind": "different",
        "records": [{"type": "user_id", "value": f"{planted.user_id}-2"}, phone],
        "reason": f"{SECRET}-reason",
        "actor": {"id": f"{SECRET}-actor"},
    }
    given = doors.post_api("/v1/identity/assertions", said)
    assert given.status_code == 202, given.text
    at = {"min_position": given.json()["position"], "wait_ms": 10_000}
    path = f"/v1/customers/{planted.customer_id}/identity"
    ends = {"from": f"user_id:{planted.user_id}-2", "to": f"email:{SECRET}-{planted.user_id}@mail.example"}
    for call, query, listed in (
        (path, at, {"records[].value", "links[].*.value", "assertions[].reason", "refusals[].*.value"}),
        ("/v1/identity/path", {**at, **ends}, {"to.value", "refused[].*.value", "why"}),
    ):
        open_, masked = (doors.ask(call, key=key, **query) for key in (None, doors.key("profile:read")))
        assert (open_.status_code, masked.status_code) == (200, 200), (open_.text, masked.text)
        assert f"{SECRET}-reason" in open_.text
        assert DIGITS in open_.text
        assert open_.json()["masked"] == []
        assert SECRET not in masked.text
        assert DIGITS not in masked.text
        assert set(masked.json()["masked"]) >= listed


def test_an_address_used_as_an_id_of_another_type_is_masked_too(doors: Doors, web: Source, own: Named) -> None:
    mail = f"{own(SECRET)}@mail.example"
    position = later_of(
        doors.send(web, {"type": "note.added", "identifiers": {"user_id": mail}, "properties": {"text": "x"}})
    )
    document = doors.profile(doors.customer_of("user_id", mail, position), key=doors.key("profile:read"))
    assert SECRET not in json.dumps(document["identity"])


def test_an_address_in_a_path_or_a_name_is_in_no_title(doors: Doors, web: Source, own: Named) -> None:
    mail = f"{own(SECRET)}@mail.example"
    position = doors.send(
        web,
        *(
            {"type": type_, "identifiers": {"user_id": own("u")}, "properties": properties}
            for type_, properties in (
                ("page.viewed", {"path": f"/reset/{mail}"}),
                ("page.viewed", {"url": f"https://shop.example/{mail.replace('@', '%40')}/x"}),
                ("page.viewed", {"path": f"/search?q={own(SECRET)}"}),
                ("product.viewed", {"product_id": mail}),
                ("ticket.opened", {"ticket_id": mail, "subject": own(SECRET)}),
            )
        ),
    )
    customer_id = doors.customer_of("user_id", own("u"), position)
    titles = [item["title"] for item in doors.timeline(customer_id, key=doors.key("events:read"))]
    assert len(titles) == 5
    assert SECRET not in "".join(titles), titles
