"""What of each section customers are listed by, and how one is shown in a list."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.profile.domain.listing import Found, found_by, item, records_in, seen_of, worth_of
from tests.unit.profile.test_document import ANN, COOKIE, OTHER, identity, interaction, told


def text(body: Any) -> str:
    return orjson.dumps(body).decode()


def a_section(name: str | None = "Ann Lee") -> str:
    """Identity's section of two records, an e-mail and a cookie."""
    return text(
        {
            "identity": {
                "status": "known",
                "records": [{"record_id": ANN, "type": "email", "value": "ann@x.com", "first_seen": None}],
                "identifiers": [
                    {"type": "email", "value": "ann@x.com", "sources": ["web"]},
                    {"type": "anonymous_id", "value": "cookie", "sources": []},
                ],
                "totals": {"records": 1},
            },
            "contact": {"name": name, "emails": [{"value": "ann@x.com"}], "phones": []},
            "groups": [],
        }
    )


def test_identitys_section_lets_a_customer_be_found_by_name_and_identifiers() -> None:
    found = found_by(a_section())
    assert (found.shown, found.name, found.keys) == (True, "ann lee", ["eann@x.com"])
    assert found.name_keys
    assert records_in(a_section()) == {ANN}
    assert found_by(a_section(None)) == Found(shown=True, keys=["eann@x.com"])
    assert found_by(None) == Found()


def test_value_and_interaction_say_grade_revenue_and_quarter_hour() -> None:
    worth = {"currency": "EUR", "actual": {"revenue": "27.50", "orders": 1}, "tier": {"grade": "B", "since": None}}
    assert worth_of(text(worth)) == ("B", Decimal("27.50"))
    assert worth_of(None) == worth_of(text({"actual": None, "tier": None})) == ("", Decimal(0))
    quarter = seen_of(text({"first_at": "x", "last_at": "2026-03-01T10:14:59Z"}))
    assert quarter == seen_of(text({"last_at": "2026-03-01T10:00:00Z"}))
    assert quarter + 1 == seen_of(text({"last_at": "2026-03-01T10:15:00Z"}))
    assert seen_of(None) == seen_of(text({"last_at": None})) == 0


@given(st.sampled_from(["", "{", "[]", "null", "7", '{"identity": 7}', '{"last_at": 7}', '{"last_at": "soon"}']))
def test_a_section_that_cannot_be_read_so_lists_nothing(broken: str) -> None:
    assert found_by(broken) == Found(shown=True)
    assert records_in(broken) == set()
    assert seen_of(broken) == 0
    assert worth_of(broken) == ("", Decimal(0))


def contact(**more: Any) -> dict[str, Any]:
    """A contact with two e-mails."""
    emails = [{"value": "ann@x.com"}, {"value": "lee@x.com"}]
    return {"name": "Ann", "emails": emails, "phones": ["4930123456"], "addresses": [], "birthday": None,
            "traits": {}, "provenance": {}, **more}  # fmt: skip


def test_a_customer_is_listed_with_his_first_addresses_and_when_he_was_seen() -> None:
    shown = item(told(identity(ANN, contact=contact()), interaction(ANN)), pii=True, worth=True)
    assert shown == {
        "customer_id": ANN, "name": "Ann", "status": "known", "emails": ["ann@x.com"], "phones": ["4930123456"],
        "tier": None, "last_seen": "2024-03-01T12:00:00Z",
    }  # fmt: skip


def test_without_leave_personal_values_are_masked_and_no_name_stays_none() -> None:
    shown = item(told(identity(ANN, contact=contact()), interaction(ANN)), pii=False, worth=False)
    assert (shown["name"], shown["emails"], shown["phones"]) == ("A•••", ["a•••@x.com"], ["•••56"])
    nameless = item(told(identity(ANN, contact=contact(name=None, phones=[]))), pii=False, worth=False)
    assert (nameless["name"], nameless["phones"], nameless["last_seen"]) == (None, [], None)


@pytest.mark.parametrize(("holder", "seen"), [(COOKIE, True), (OTHER, False)])
def test_what_still_speaks_of_anothers_records_is_not_listed(holder: str, seen: bool) -> None:
    shown = item(told(identity(ANN, COOKIE), interaction(holder, members="older")), pii=True, worth=True)
    assert (shown["last_seen"] is not None) == seen
