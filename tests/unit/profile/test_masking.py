"""Without the scope for personal data, no planted word of a person is in the document."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.profile.domain import document, masked
from tests.unit.profile.test_document import ANN, NOW, identity, interaction, told

SECRET_CHARS_MIN = 6
words = st.text("bcdfghjklmnpqrstvwxz", min_size=SECRET_CHARS_MIN, max_size=12).map(lambda w: f"qqq{w}")
"""Begins like no word of the document; a mask may show one character of it."""
numbers = st.integers(10_000_000, 99_999_999)


def provenance(*rivals: Any) -> dict[str, Any]:
    """Where a value came from, with others that were said."""
    return {"source": "crm", "event_id": "e", "time": "2024-03-01T12:00:00Z", "rivals": list(rivals)}


def doubt(text: str) -> dict[str, Any]:
    """Two values of which one is wrong."""
    at = "2026-01-01T00:00:00Z"
    return {"code": "name_conflict", "ask_for": "name", "values": [text, f"{text}s"], "since": at}


def planted(text: str, number: int) -> dict[str, Any]:
    """Contact with one secret word and one secret number everywhere a person's data may be."""
    return {
        "name": text,
        "emails": [{"value": f"{text}@mail.com"}],
        "phones": [f"+44 {number}"],
        "addresses": [text, {"street": f"{text} 1", "lines": [text, {"deep": text}], "postcode": number}],
        "birthday": text,
        "traits": {"about": text, "list": [text, number], "nested": {"a": {"b": [text]}}, "size": number},
        "facts": {"doubts": [doubt(text)], "address": {"failed_at": "2026-01-01T00:00:00Z"}},
        "provenance": {"firstName": provenance(text, number), "address": provenance({"street": text, "no": [text]})},
    }


def shown(contact: dict[str, Any]) -> dict[str, Any]:
    """The masked document with this contact, and addresses among the records."""
    section = identity(ANN, contact=contact)
    assert section.body is not None
    mail, phone = contact["emails"][0]["value"], contact["phones"][0]
    for part in ("records", "identifiers"):
        for kind, value in (("email", mail), ("email.work", mail), ("phone", phone)):
            like = section.body["identity"][part][0]
            section.body["identity"][part].append({**like, "type": kind, "value": value})
    return masked(document("asked", told(section, interaction(ANN)), (), 0, None, NOW))


@settings(max_examples=100)
@given(words, numbers)
def test_nothing_personal_is_left_after_masking(text: str, number: int) -> None:
    out = orjson.dumps(shown(planted(text, number))).decode()
    assert text not in out
    assert text[1:] not in out
    assert str(number) not in out
    assert str(number)[:-2] not in out


@settings(max_examples=50)
@given(words, words)
def test_a_sentence_with_an_at_sign_is_not_shown_as_if_it_were_an_address(one: str, other: str) -> None:
    contact = planted(one, 10_000_000)
    contact["traits"] = {"about": f"{one} @ {other}"}
    contact["addresses"] = [f"{one}@home {other}"]
    out = orjson.dumps(shown(contact)).decode()
    assert other not in out


def test_what_is_masked_is_listed() -> None:
    names = shown(planted("qqqsecret", 12_345_678))["meta"]["masked"]
    assert {"identity.records[].value", "identity.identifiers[].value", "contact.name", "contact.phones"} <= set(
        names
    )
    assert "contact.emails[].value" in names
    assert {"contact.provenance.*.rivals", "contact.issues[].value", "contact.reachable.*.address"} <= set(names)


def test_what_is_not_personal_stays_readable() -> None:
    doc = shown(planted("qqqsecret", 12_345_678))
    issues = {issue["code"]: issue for issue in doc["contact"]["issues"]}
    assert issues["name_conflict"] == {
        "code": "name_conflict", "value": "q•••", "since": "2026-01-01T00:00:00Z", "ask_for": "name",
        "rivals": ["q•••"],
    }  # fmt: skip
    assert doc["contact"]["reachable"]["email"]["address"] == "q•••@mail.com"
    assert "facts" not in doc["contact"]
    assert doc["contact"]["reachable"]["mail"]["why_not"] == ["not_valid"]
    assert doc["customer_id"] == ANN
    assert doc["identity"]["records"][0]["value"] == ANN, "a pseudonym is no address of a person"
    assert doc["contact"]["completeness"] == 85
    assert doc["contact"]["provenance"]["firstName"]["source"] == "crm"
    assert doc["interaction"]["count"] == 2


def test_nothing_is_still_nothing() -> None:
    contact = planted("qqqsecret", 12_345_678) | {"name": None, "birthday": None, "phones": ["+44 1"]}
    doc = shown(contact)
    assert (doc["contact"]["name"], doc["contact"]["birthday"]) == (None, None)


@pytest.mark.parametrize("include", [("interaction",), ("identity",), ("contact",)])
def test_a_document_of_some_parts_can_be_masked(include: tuple[str, ...]) -> None:
    section = identity(ANN, contact=planted("qqqsecret", 12_345_678))
    doc = masked(document("asked", told(section), include, 0, None, NOW))
    assert "qqqsecret" not in orjson.dumps(doc).decode()
    assert set(doc) == {"requested_id", "customer_id", "meta", *include}


def test_masking_changes_a_copy() -> None:
    section = identity(ANN, contact=planted("qqqsecret", 12_345_678))
    doc = document("asked", told(section), (), 0, None, NOW)
    before = orjson.dumps(doc)
    masked(doc)
    assert orjson.dumps(doc) == before
