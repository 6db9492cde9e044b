"""The document: parts put together, withheld while records move, and whose a shared value is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from schemas.sections import PARTS, CustomerDocument
from services.profile.domain import BindingTold, Now, Section, Told, document

ANN, COOKIE, OTHER = "r-ann", "r-cookie", "r-other"
AT = "2024-03-01T12:00:00Z"
NOW = Now(date(2026, 3, 1), 1_772_359_200_000_000)


def records(*names: str) -> list[dict[str, Any]]:
    """Records as identity lists them."""
    return [{"record_id": n, "type": "crm_id", "value": n, "first_seen": AT} for n in names]


def identity(*names: str, members: str = "m", total: int | None = None, contact: Any = None) -> Section:
    """Identity's section of these records."""
    count = len(names) if total is None else total
    body = {
        "identity": {
            "status": "known",
            "records": records(*names),
            "identifiers": [
                {
                    "type": "crm_id", "value": n, "first_seen": AT,
                    "sources": ["crm"], "generic": False, "retired": False,
                }
                for n in names
            ],
            "totals": {"records": count, "identifiers": count},
        },
        "contact": contact or {"name": "Ann", "emails": [], "phones": [], "addresses": [], "birthday": None,
                               "traits": {}, "provenance": {}},
    }  # fmt: skip
    return Section("identity", members, body, 1_000)


def interaction(*names: str, members: str = "m") -> Section:
    """Interaction's section, combined from these records."""
    by_record = {n: [2, AT, "2024-03-02T00:00:00Z"] for n in names}
    line = {
        "first_at": AT,
        "last_at": AT,
        "count": 2,
        "by_channel": {"web": 2},
        "by_type": {"page.viewed": 2},
        "last": [],
    }
    return Section("interaction", members, {**line, "by_record": by_record}, 2_000)


def told(*sections: Section) -> Told:
    """A customer with these sections."""
    return Told(ANN, 7, 86_400_000, {s.service: s for s in sections})


def made(*sections: Section, include: tuple[str, ...] = ()) -> dict[str, Any]:
    """Its document."""
    return document("asked", told(*sections), include, 12, "token", NOW)


def test_a_document_has_all_parts_and_those_nobody_told_are_missing() -> None:
    doc = made(identity(ANN), interaction(ANN))
    assert set(doc) == {"requested_id", "customer_id", "meta", *PARTS}
    there = {"identity", "contact", "interaction", "needs", "preferences", "consents"}
    assert doc["meta"]["missing"] == [p for p in PARTS if p not in there]
    assert (doc["requested_id"], doc["customer_id"]) == ("asked", ANN)
    CustomerDocument.model_validate(doc)


def test_only_the_parts_asked_for_are_in_it_and_missing_is_about_them() -> None:
    doc = made(identity(ANN), include=("contact", "value"))
    assert set(doc) == {"requested_id", "customer_id", "meta", "contact", "value"}
    assert doc["meta"]["missing"] == ["value"]


def test_how_fresh_it_is_stands_in_meta() -> None:
    meta = made(identity(ANN))["meta"]
    assert (meta["version"], meta["lag_ms"], meta["position"]) == (7, 12, "token")
    assert meta["updated_at"] == "1970-01-02T00:00:00Z"


def test_a_customer_exists_once_identity_told_it_and_until_it_was_emptied() -> None:
    assert told(identity(ANN)).exists
    assert not told(interaction(ANN)).exists
    assert not told(Section("identity", "m", None), interaction(ANN)).exists


def test_a_section_of_the_same_records_is_not_regrouping() -> None:
    assert made(identity(ANN), interaction(ANN))["meta"]["regrouping"] == []


def test_a_section_that_lacks_a_new_record_is_shown_and_listed() -> None:
    doc = made(identity(ANN, COOKIE, members="new"), interaction(ANN, members="old"))
    assert doc["interaction"]["count"] == 2
    assert doc["meta"]["regrouping"] == ["interaction"]
    assert "interaction" not in doc["meta"]["missing"]


def test_a_section_that_holds_records_identity_took_away_is_withheld() -> None:
    doc = made(identity(ANN, members="new"), interaction(ANN, OTHER, members="old"))
    assert doc["interaction"] is None
    assert doc["meta"]["regrouping"] == ["interaction"]
    assert "interaction" in doc["meta"]["missing"]


def test_what_a_withheld_section_says_of_records_is_not_shown_beside_them_either() -> None:
    doc = made(identity(ANN, members="new"), interaction(ANN, OTHER, members="old"))
    assert OTHER not in str(doc)


def test_an_emptied_section_is_missing_and_not_regrouping() -> None:
    doc = made(identity(ANN), Section("interaction", "other", None))
    assert doc["meta"]["regrouping"] == []
    assert doc["interaction"] is None


def test_a_section_is_withheld_when_identity_lists_too_few_records_to_know() -> None:
    """With more records than are listed nobody can tell whose the foreign one is: it is not shown."""
    doc = made(identity(ANN, members="new", total=150), interaction(ANN, OTHER, members="old"))
    assert doc["interaction"] is None


def test_counts_and_last_sightings_of_records_come_from_interaction() -> None:
    doc = made(identity(ANN, COOKIE), interaction(ANN))
    seen = {r["record_id"]: (r["events"], r["last_seen"]) for r in doc["identity"]["records"]}
    assert seen == {ANN: (2, "2024-03-02T00:00:00Z"), COOKIE: (0, AT)}
    assert [i["last_seen"] for i in doc["identity"]["identifiers"]] == ["2024-03-02T00:00:00Z", AT]


def test_how_records_add_up_is_not_part_of_the_document() -> None:
    assert "by_record" not in made(identity(ANN), interaction(ANN))["interaction"]


def test_making_a_document_changes_nothing_told() -> None:
    sections = (identity(ANN), interaction(ANN))
    before: Mapping[str, Any] = {s.service: repr(s.body) for s in sections}
    made(*sections)
    assert {s.service: repr(s.body) for s in sections} == before


@pytest.mark.parametrize(
    ("weight", "rivals", "ambiguous"),
    [
        (7, [], False),
        (8, [("b", 4)], False),
        (7, [("b", 4)], True),
        (12, [("b", 4), ("c", 6)], False),
        (11, [("b", 4), ("c", 6)], True),
        (0, [("b", 1)], True),
    ],
)
def test_a_value_is_ambiguous_unless_its_customer_weighs_twice_the_next(
    weight: int, rivals: list[tuple[str, int]], ambiguous: bool
) -> None:
    assert BindingTold("r", "a", False, weight, rivals).ambiguous is ambiguous


def test_candidates_are_listed_heaviest_first_then_by_id_and_only_when_there_is_a_choice() -> None:
    assert BindingTold("r", "b", False, 4, [("a", 4), ("c", 7)]).candidates == [("c", 7), ("a", 4), ("b", 4)]
    assert BindingTold("r", "b", False, 4, []).candidates == []
