"""Tracking plans: which rules an event breaks, and what follows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.accept import accept
from services.intake.domain.model import Accepted, Parked, Received, Source
from services.intake.domain.plans import RULES_TOLD_MAX, Plan, check_plan, read_plan
from tests.unit.intake.arriving import ARRIVAL, KEY, raw

ORDER: dict[str, Any] = {
    "properties": {
        "properties": {
            "required": ["order_id", "total"],
            "properties": {"total": {"type": "number", "minimum": 0}, "coupon": {"pattern": "^[A-Z]+$"}},
        }
    }
}
FORWARDING = {"types": {"order.completed": ORDER}}
PARKING = {**FORWARDING, "on_violation": "park", "unplanned": "violation"}
NEEDED, LEAST = "properties/properties/required", "properties/properties/properties/total/minimum"


def taken(document: Any, properties: dict[str, Any], of_type: str = "order.completed") -> Accepted | Parked:
    sent = raw({"userId": "1", "properties": properties}, type=of_type)
    return accept(sent, Received(ARRIVAL, Source("shop"), read_plan(document, 3)), KEY)


@pytest.mark.parametrize(
    ("properties", "rules"),
    [
        ({"order_id": "1", "total": Decimal("25.00")}, []),
        ({"order_id": "1"}, [NEEDED]),
        ({"order_id": "1", "total": Decimal("-0.01")}, [LEAST]),
        ({"total": -1}, [NEEDED, LEAST]),
    ],
)
def test_what_breaks_a_plan_is_forwarded_with_the_rules_it_breaks(
    properties: dict[str, Any], rules: list[str]
) -> None:
    made = taken(FORWARDING, properties)
    assert isinstance(made, Accepted)
    assert made.event.extensions["c360plan"] == "3"
    assert made.event.extensions.get("c360violations", "").split() == rules
    assert [rule for _, rule in made.broken] == rules


def test_a_plan_may_say_that_it_is_parked() -> None:
    made = taken(PARKING, {"order_id": "1"})
    assert isinstance(made, Parked)
    assert (made.reason, made.detail, made.broken) == ("plan_violated", NEEDED, (("order.completed", NEEDED),))


def test_a_type_the_plan_does_not_list_breaks_a_closed_plan_and_is_not_named() -> None:
    made = taken({**PARKING, "on_violation": "forward"}, {}, "Anna's own thing")
    assert isinstance(made, Accepted)
    assert made.broken == (("*", "unplanned"),)
    made = taken(FORWARDING, {}, "Anna's own thing")
    assert isinstance(made, Accepted)
    assert made.broken == ()


def test_without_a_plan_an_event_has_no_mark_of_one() -> None:
    made = accept(raw({"userId": "1"}), Received(ARRIVAL, Source("shop")), KEY)
    assert isinstance(made, Accepted)
    assert not {"c360plan", "c360violations"} & made.event.extensions.keys()


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none()))
def test_a_rule_is_named_by_its_place_in_the_plan_and_never_by_what_was_sent(sent: dict[str, Any]) -> None:
    strict = {"properties": {"properties": {"additionalProperties": False, "maxProperties": 0}}}
    plan = read_plan({"types": {"t": strict}}, 1)
    place = "properties/properties/"
    rules = {rule for _, rule in check_plan(plan, "t", {"properties": sent})}
    assert rules == ({f"{place}additionalProperties", f"{place}maxProperties"} if sent else set())


def test_no_more_rules_are_told_of_one_event_than_anybody_reads() -> None:
    many = {"allOf": [{"required": [f"field{n}"]} for n in range(50)]}
    assert len(check_plan(read_plan({"types": {"t": many}}, 1), "t", {})) == RULES_TOLD_MAX


def test_a_pattern_takes_linear_time() -> None:
    slow = {"properties": {"properties": {"properties": {"a": {"pattern": "^(a+)+$"}}}}}
    assert check_plan(read_plan({"types": {"t": slow}}, 1), "t", {"properties": {"a": "a" * 20_000 + "!"}})


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"types": []},
        {"types": {"t": "x"}},
        {"types": {"": {}}},
        {"types": {"t": {"type": "objekt"}}},
        {"types": {"t": {"pattern": "("}}},
        {"types": {"t": {"pattern": "(?=a)"}}},
        {"types": {"t": {"$ref": "http://127.0.0.1:9/schema.json"}}},
        {"types": {"t": {"$ref": "file:///etc/hostname"}}},
        {"types": {}, "on_violation": "drop"},
        {"types": {}, "unplanned": "never"},
        {"types": {}, "tipes": {}},
        {"types": {f"t{n}": {} for n in range(501)}},
    ],
)
def test_a_plan_that_cannot_be_read_says_what_is_wrong(document: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_plan(document, 1)


def test_segments_own_schemas_can_be_read() -> None:
    draft = {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", **ORDER}
    assert isinstance(read_plan({"types": {"order.completed": draft}}, 1), Plan)
