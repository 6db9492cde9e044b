"""Whose an event is: identifiers from every place, under one spelling, and the record they lead to."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from schemas.identifiers import Identifier, record_id, type_name
from services.intake.domain.model import Source
from tests.unit.intake.arriving import KEY, accepted, parked, raw


def identifiers(data: dict[str, Any], source: Source | None = None, **fields: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = accepted(raw(data, **fields), source or Source("shop")).event.data["identifiers"]
    return found


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ({"identifiers": {"email": ["a@x.com", "b@x.com", "a@x.com"]}}, {"email": ["a@x.com", "b@x.com"]}),
        ({"traits": {"email": "a@x.com", "phone": 4420}}, {"email": ["a@x.com"], "phone": ["4420"]}),
        (
            {"properties": {"email": "a@x.com", "phone": "+44 20"}},
            {"email": ["a@x.com"], "phone": ["+44 20"]},
        ),
        ({"userId": 7, "anonymousId": "a"}, {"user_id": ["7"], "anonymous_id": ["a"]}),
        ({"user_id": "7", "anonymous_id": "a"}, {"user_id": ["7"], "anonymous_id": ["a"]}),
        ({"context": {"traits": {"email": "a@x.com"}}}, {"email": ["a@x.com"]}),
        ({"context": {"externalIds": [{"type": "loyalty_id", "id": "9"}]}}, {"loyalty_id": ["9"]}),
        ({"context": {"externalIds": [{"type": "ios.idfa", "id": "D"}]}}, {"device_id": ["D"]}),
        ({"context": {"device": {"id": "D"}}}, {"device_id": ["D"]}),
    ],
)
def test_identifiers_are_found_in_every_place(data: dict[str, Any], found: dict[str, list[str]]) -> None:
    assert identifiers(data) == found


def test_numbers_become_text_and_everything_else_is_ignored() -> None:
    sent = {"user_id": [42, Decimal("43.0"), True, None, {"a": 1}, " ", ["44"]], "email": None}
    assert identifiers({"identifiers": sent}) == {"user_id": ["42", "43"]}


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("userId", "user_id"),
        ("CRM ID", "crm_id"),
        ("crm_id.Acme", "crm_id.acme"),
        ("android.advertisingId", "device_id"),
        ("-", None),
        ("7up", None),
    ],
)
def test_types_have_one_spelling(sent: str, name: str | None) -> None:
    assert type_name(sent) == name


def test_two_shops_keep_their_42_apart() -> None:
    second = Source("shop2", identifier_namespace={"user_id": "shop2"})
    ours = accepted(raw({"userId": 42})).event
    theirs = accepted(raw({"userId": 42}), second).event
    assert theirs.data["identifiers"] == {"user_id.shop2": ["42"]}
    assert ours.record_id != theirs.record_id


def test_a_type_that_has_a_namespace_gets_no_second_one() -> None:
    second = Source("shop2", identifier_namespace={"user_id": "shop2"})
    assert identifiers({"identifiers": {"user_id.shop3": "42"}}, second) == {"user_id.shop3": ["42"]}


def test_an_alias_of_a_namespaced_source_names_the_types_its_previous_id_may_have() -> None:
    second = Source("shop2", identifier_namespace={"user_id": "shop2"})
    event = accepted(raw({"userId": 1, "properties": {"previous": "a"}}, type="alias.asserted"), second).event
    assert event.data["properties"]["previous"] == {"value": "a", "types": ["anonymous_id", "user_id.shop2"]}


def test_removed_and_verified_identifiers_are_in_the_sources_namespace() -> None:
    second = Source("shop2", identifier_namespace={"user_id": "shop2"})
    removed = {"removed_identifiers": [{"type": "userId", "value": "1"}, "?"]}
    event = accepted(raw({"userId": 1, "properties": removed}, type="contact.updated"), second).event
    kept = [{"type": "user_id.shop2", "value": "1"}, "?"]
    assert event.data["properties"]["removed_identifiers"] == kept


def test_a_subject_identifies_only_when_the_source_says_as_what() -> None:
    assert parked(raw({}, subject="7")) == "no_identifier"
    assert identifiers({}, Source("crm", subject_type="crm_id.acme"), subject="7") == {"crm_id.acme": ["7"]}


def test_a_subject_that_identifies_nobody_is_kept_and_not_in_a_header() -> None:
    event = accepted(raw({"userId": 1}, subject="ann@x.com")).event
    assert event.data["context"]["subject"] == "ann@x.com"
    assert event.extensions == {}


def test_the_highest_class_leads_and_placeholders_never_do() -> None:
    event = accepted(raw({"userId": "undefined", "anonymousId": "a", "traits": {"email": "A@X.com "}})).event
    assert event.record_id == record_id(KEY, Identifier("email", "a@x.com"))


@pytest.mark.parametrize("data", [{}, {"userId": "null"}, {"identifiers": {"phone": "no"}}, {"identifiers": "me"}])
def test_an_event_of_nobody_is_parked(data: dict[str, Any]) -> None:
    assert parked(raw(data)) == "no_identifier"


def test_a_group_leads_its_own_events_and_its_email_is_nobodys() -> None:
    data = {"userId": "1", "group_id": 5, "traits": {"email": "office@x.com", "name": "Acme"}}
    event = accepted(raw(data, type="group.identified")).event
    assert event.data["identifiers"] == {"user_id": ["1"], "group_id": ["5"]}
    assert event.record_id == record_id(KEY, Identifier("group_id", "5"))


def test_a_group_in_another_event_does_not_lead() -> None:
    event = accepted(raw({"userId": "1", "group_id": "5"})).event
    assert event.record_id == record_id(KEY, Identifier("user_id", "1"))
    assert event.data["group_id"] == "5"


def test_more_than_fifty_values_are_parked() -> None:
    assert len(identifiers({"identifiers": {"email": [f"a{i}@x.com" for i in range(50)]}})["email"]) == 50
    assert parked(raw({"identifiers": {"email": [f"a{i}@x.com" for i in range(51)]}})) == "too_many_identifiers"
