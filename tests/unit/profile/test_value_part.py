"""The document's part `value`: withheld while it speaks of another's records, and from keys without its scope."""

from __future__ import annotations

from typing import Any

from schemas.sections import CustomerDocument, Value
from services.profile.domain import Section, masked_orders, without
from services.value.domain.ledger import Cell, section
from services.value.domain.orders import Amounts
from services.value.domain.policy import read_policy
from services.value.handlers import shipped_document
from tests.unit.profile.test_document import ANN, COOKIE, OTHER, identity, interaction, made

DAY = 20_500
BOUGHT = Amounts(orders=1, net=9_600_000, paid=9_600_000)


def value(*names: str, members: str = "m") -> Section:
    """Value's section as value tells it of these records."""
    body = section([Cell(DAY, "", "USD", BOUGHT)], read_policy(shipped_document()), 0, 0)
    assert body is not None
    return Section("value", members, {**body, "by_record": sorted(names)})


def test_what_value_tells_is_in_the_document_but_for_whose_records_they_are() -> None:
    doc = made(identity(ANN), value(ANN))
    assert doc["value"]["actual"]["revenue"] == "960.00"
    assert doc["value"]["tier"]["grade"] == "B"
    assert "by_record" not in doc["value"]
    assert "value" not in doc["meta"]["missing"]
    CustomerDocument.model_validate(doc)
    assert set(doc["value"]) == set(Value.model_fields), "and the description of the API names every field"


def test_value_that_lacks_a_new_record_is_shown_and_listed() -> None:
    doc = made(identity(ANN, COOKIE, members="new"), value(ANN, members="old"))
    assert doc["value"]["actual"]["orders"] == 1
    assert doc["meta"]["regrouping"] == ["value"]


def test_value_that_counts_anothers_records_is_withheld() -> None:
    doc = made(identity(ANN, members="new"), interaction(ANN, members="new"), value(ANN, OTHER, members="old"))
    assert doc["value"] is None
    assert doc["interaction"] is not None
    assert (doc["meta"]["regrouping"], "value" in doc["meta"]["missing"]) == (["value"], True)


def test_a_key_without_the_scope_is_told_that_it_may_not_see_and_not_whether_there_is_anything() -> None:
    rich, poor = (without(made(identity(ANN), *more), "value") for more in ((value(ANN),), ()))
    assert rich == poor
    assert rich["value"] is None
    assert rich["meta"]["masked"] == ["value"]
    assert "value" not in rich["meta"]["missing"]


def test_a_part_that_was_not_asked_for_is_not_listed_as_masked() -> None:
    doc: dict[str, Any] = made(identity(ANN), value(ANN), include=("contact",))
    assert without(doc, "value") == doc


def test_an_order_number_that_could_be_an_address_is_masked() -> None:
    orders = [{"id": "A-1", "net": "1.00"}, {"id": "ann@mail.example", "net": "2.00"}]
    assert [o["id"] for o in masked_orders(orders)] == ["A-1", "a•••@mail.example"]
