"""What an event is incomplete without: missing and unreadable count alike, and nothing is ever refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from schemas.events import EVENT_TYPES, incomplete_fields
from schemas.events.fields import moment_of, money_of

ORDER = {"order_id": "1", "currency": "EUR", "total": Decimal("27.50")}


def of(event_type: str, properties: dict[str, Any], **data: Any) -> list[str]:
    return incomplete_fields(
        event_type, {"identifiers": {"user_id": ["1"]}, "properties": properties, **data}
    )


def test_nothing_is_required_of_an_unknown_type() -> None:
    assert incomplete_fields("Signed Contract", {}) == []


def test_names_come_sorted_and_one_of_is_written_with_bars() -> None:
    assert incomplete_fields("order.completed", {}) == [
        "currency",
        "order_id",
        "subtotal|revenue|total|products",
    ]
    assert of("page.viewed", {"name": "Home"}) == []


@pytest.mark.parametrize("total", [27.5, 27, "27.50", Decimal("-1"), 0])
def test_amounts_are_read_from_numbers_and_texts(total: object) -> None:
    assert of("order.completed", {**ORDER, "total": total}) == []


@pytest.mark.parametrize(
    "total",
    ["much", "", True, None, {}, [], "1e30", float("nan"), float("inf"), "NaN", "1E999999999999999999"],
)
def test_an_unreadable_amount_is_missing(total: object) -> None:
    assert of("order.completed", {**ORDER, "total": total}) == ["subtotal|revenue|total|products"]


def test_lines_may_stand_for_the_amount_but_empty_lines_do_not() -> None:
    without = {k: v for k, v in ORDER.items() if k != "total"}
    assert of("order.completed", {**without, "products": [{"sku": "A", "price": 1}]}) == []
    assert of("order.completed", {**without, "products": [{}]}) == ["subtotal|revenue|total|products"]


def test_a_choice_must_be_one_of_the_known() -> None:
    assert of("treatment.outcome", {"treatment_id": "t", "outcome": "converted"}) == []
    assert of("treatment.outcome", {"treatment_id": "t", "outcome": "liked"}) == ["outcome"]


def test_a_score_needs_its_scale() -> None:
    assert of("feedback.given", {"score": 9, "scale": "nps"}) == []
    assert of("feedback.given", {"text": "fine"}) == []
    assert of("feedback.given", {"score": 9}) == ["score+scale|text|answer|declined"]


def test_a_conversation_may_be_named_among_the_common_fields() -> None:
    assert of("conversation.message", {"text": "hi"}, conversation_id="c") == []
    assert of("conversation.message", {"text": "hi"}) == ["conversation_id"]


def test_two_identifiers_or_traits_make_somebody_identified() -> None:
    assert of("contact.identified", {}, identifiers={"user_id": ["1"]}) == ["identifiers|traits"]
    assert of("contact.identified", {}, identifiers={"user_id": ["1"], "email": ["a@x.com"]}) == []
    assert of("contact.identified", {}, traits={"name": "Ann"}) == []


def test_a_bounce_without_address_needs_an_email_identifier() -> None:
    assert of("message.bounced", {"message_id": "m"}) == ["address|identifiers.email"]
    assert of("message.bounced", {"message_id": "m"}, identifiers={"email": ["a@x.com"]}) == []


def test_an_imported_record_needs_its_own_id() -> None:
    assert of("contact.imported", {}, identifiers={"email": ["a@x.com"]}) == ["identifiers.own"]
    assert of("contact.imported", {}, identifiers={"crm_id.acme": ["7"]}) == []


def test_an_assertion_is_about_exactly_two_records() -> None:
    record = {"type": "user_id", "value": "1"}
    assert of("identity.same_asserted", {"records": [record, record], "reason": "r"}) == []
    for records in ([record], [record] * 3, [record, {"type": "user_id"}], "both", None):
        assert of("identity.same_asserted", {"records": records, "reason": "r"}) == ["records"]


@pytest.mark.parametrize("event_type", sorted(EVENT_TYPES))
@pytest.mark.parametrize(
    "data", [{}, {"properties": None}, {"properties": [1]}, {"identifiers": 3, "traits": "x"}]
)
def test_any_shape_of_data_gives_an_answer(event_type: str, data: dict[str, Any]) -> None:
    assert len(incomplete_fields(event_type, data)) == len(EVENT_TYPES[event_type].required)


def test_amounts_are_read_as_written() -> None:
    assert money_of("0.10") == Decimal("0.10")
    assert money_of(0.1) == Decimal("0.1")
    assert money_of(True) is None


@pytest.mark.parametrize(
    "sent", ["2026-03-02T09:15:00", "soon", "0001-01-01T00:00:00+05:00", 5, None, "9" * 9000]
)
def test_a_moment_needs_date_time_and_zone(sent: object) -> None:
    assert moment_of(sent) is None


def test_a_moment_may_be_written_in_small_letters() -> None:
    moment = moment_of("2026-03-02t09:15:00z")
    assert moment is not None
    assert moment.isoformat() == "2026-03-02T09:15:00+00:00"
