"""Reading what an event says of money: which amount, which key, and when it says nothing."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from schemas.envelope import microseconds
from services.value.domain.entries import MONEY_TYPES, Entry, Line, read_stored, write
from services.value.domain.money import amount_of
from services.value.domain.reading import business_day, read
from tests.unit.value.stating import (
    DAY,
    NOON_US,
    PRAGUE,
    SEGMENTS_AMOUNTS,
    entry,
    event,
    line,
    of_lines,
    order,
)

ORDER = {"order_id": "1", "currency": "USD"}
INVOICE = {"invoice_id": "I", "amount": "9.90", "currency": "EUR"}
TERMS = {"subscription_id": "S", "amount": "9.90", "currency": "EUR", "plan": "basic", "interval": "P1M"}


def says(kind: str, properties: dict[str, Any], **data: Any) -> Entry | None:
    """What such an event says, if anything."""
    return read(event(kind, properties, **data), NOON_US, PRAGUE)


def test_segments_example_is_22_50_net_and_27_50_paid_and_all_its_fields_agree() -> None:
    found = order(products=[line("a", 1, 19), line("b", 2, 3)])
    assert (found.net, found.paid, found.currency, found.flags) == (225_000, 275_000, "USD", ())


@pytest.mark.parametrize(
    ("left_out", "net", "paid"),
    [
        (set(), 225_000, 275_000),
        ({"subtotal"}, 225_000, 275_000),
        ({"subtotal", "revenue", "discount"}, 225_000, 275_000),
        ({"total"}, 225_000, 275_000),
        ({"total", "tax"}, 225_000, 255_000),
        ({"subtotal", "discount"}, 250_000, 275_000),
    ],
)
def test_the_next_field_gives_the_net_when_one_is_missing(left_out: set[str], net: int, paid: int) -> None:
    properties = {k: v for k, v in SEGMENTS_AMOUNTS.items() if k not in left_out}
    found = entry("order.completed", {"order_id": "1", **properties})
    assert (found.net, found.paid) == (net, paid)


def test_lines_give_the_net_after_their_own_discounts_and_the_orders() -> None:
    found = of_lines(line("a", 3, "1.10", discount="0.30"), line("b", 1, 10), discount=1)
    assert (found.net, found.paid) == (120_000, 120_000)


def test_fields_more_than_one_minor_unit_apart_are_flagged() -> None:
    assert order(subtotal="22.49").flags == ()
    assert order(subtotal="22.48").flags == ("amount_mismatch",)
    assert order(currency="JPY", subtotal=100, revenue=101).flags == ()
    assert order(currency="JPY", subtotal=100, revenue=102).flags == ("amount_mismatch",)


def test_a_total_is_no_second_opinion_when_shipping_and_tax_are_not_said() -> None:
    assert order(currency="USD", subtotal=45, total=50).flags == ()
    assert order(currency="USD", subtotal=45, total=50, shipping=3).flags == ("amount_mismatch",)


def test_a_returned_line_keeps_its_sign_in_the_sum_and_is_flagged() -> None:
    found = of_lines(line("a", 2, 10), line("b", -1, 5))
    assert (found.net, found.flags) == (150_000, ("dirty_line",))


@pytest.mark.parametrize("dirty", [line("b", 1, 0), line("b", 0, 5), line("b", 1, -5), {"product_id": "b"}])
def test_a_line_without_a_positive_amount_is_flagged(dirty: dict[str, Any]) -> None:
    assert of_lines(line("a", 2, 10), dirty).flags == ("dirty_line",)


def test_an_order_below_zero_counts_as_it_is_and_is_flagged() -> None:
    found = of_lines(line("a", -1, 5))
    assert (found.net, found.flags) == (-50_000, ("dirty_line", "negative_order"))


def test_a_line_is_read_with_its_area_cost_and_margin() -> None:
    sent = line("a", "2.5", "1.20", sku="A-1", category="  Shoes ", cost="0.40", margin="2")
    assert of_lines(sent).lines == (Line("Shoes", "a", "A-1", 25_000, 30_000, 10_000, 20_000),)


def test_a_line_without_category_is_of_the_area_other_and_without_quantity_one_piece() -> None:
    assert of_lines({"sku": "x", "price": 3}).lines == (Line("other", None, "x", 10_000, 30_000),)


@pytest.mark.parametrize(
    "properties",
    [
        {"currency": "USD", "total": 5},
        {"order_id": "1", "total": 5},
        {"order_id": "1", "currency": "dollars", "total": 5},
        ORDER,
        {**ORDER, "total": "much"},
        {**ORDER, "products": [{"product_id": "a"}, 7, {}]},
        {**ORDER, "order_id": "1" * 257, "total": 5},
        {**ORDER, "total": "899999999999999"},
        {**ORDER, "products": [line("a", 1, 10**14)] * 5},
    ],
)
def test_an_order_without_a_key_currency_or_storable_amount_says_nothing(properties: dict[str, Any]) -> None:
    assert says("order.completed", properties) is None


def test_an_event_that_is_incomplete_in_what_money_needs_says_nothing() -> None:
    assert says("order.completed", {**ORDER, "total": 5}, incomplete=["currency"]) is None
    assert says("invoice.paid", INVOICE, incomplete=["amount"]) is None
    assert says("order.completed", {**ORDER, "total": 5}, incomplete=[]) is not None


@pytest.mark.parametrize("kind", ["page.viewed", "payment.failed", "subscription.changed", "nonsense"])
def test_an_event_of_another_type_says_nothing(kind: str) -> None:
    assert kind not in MONEY_TYPES
    assert says(kind, {**ORDER, "total": 5}) is None


def test_properties_of_another_shape_say_nothing() -> None:
    broken = msgspec.structs.replace(event("order.completed", {}), data={"properties": [1]})
    assert read(broken, NOON_US, PRAGUE) is None


def test_orders_and_what_names_them_share_a_key_in_the_business_namespace() -> None:
    kinds = ["order.completed", "order.updated", "order.cancelled", "order.refunded", "cost.incurred"]
    properties = {**ORDER, "total": 5, "amount": 5}
    assert {entry(kind, properties).key for kind in kinds} == {"order:shop:1"}
    assert entry("order.completed", properties, business_namespace=None).key == "order:shop:1"
    assert entry("order.completed", properties, business_namespace="b2b").key == "order:b2b:1"
    assert entry("order.completed", {**properties, "order_id": 1}).key == "order:shop:1"


def test_two_namespaces_with_colons_never_write_one_key() -> None:
    properties = {"currency": "USD", "total": 5}
    one = entry("order.completed", {**properties, "order_id": "b:1"}, business_namespace="a")
    two = entry("order.completed", {**properties, "order_id": "1"}, business_namespace="a:b")
    assert one.key == "order:a:b:1"
    assert two.key == "order:a%3Ab:1"


def test_a_cost_without_an_order_stands_alone() -> None:
    said = event("cost.incurred", {"amount": "4.90", "currency": "eur", "kind": "service"})
    found = read(said, NOON_US, PRAGUE)
    assert found is not None
    assert (found.key, found.cost, found.currency) == (f"cost:{said.event_id}", 49_000, "EUR")


def test_an_invoice_is_net_and_paid_at_once() -> None:
    found = entry("invoice.issued", INVOICE)
    assert (found.key, found.net, found.paid, found.flags) == ("invoice:shop:I", 99_000, 99_000, ())


def test_an_invoice_of_an_order_says_only_that() -> None:
    assert entry("invoice.paid", {**INVOICE, "order_id": "1"}).flags == ("of_order",)


def test_revenue_comes_from_invoices_or_from_subscriptions_never_both() -> None:
    of_subscription = {**INVOICE, "subscription_id": "S"}
    assert says("invoice.issued", of_subscription) is not None
    assert says("subscription.renewed", TERMS) is None
    assert says("invoice.issued", of_subscription, revenue_from="subscriptions") is None
    charge = says("subscription.renewed", TERMS, revenue_from="subscriptions")
    assert charge is not None
    assert (charge.key, charge.net) == (f"subscription:shop:S:{DAY}", 99_000)


def test_a_subscription_without_its_interval_is_charged_all_the_same() -> None:
    said = {k: v for k, v in TERMS.items() if k != "interval"}
    assert says("subscription.started", said, revenue_from="subscriptions", incomplete=["interval"]) is not None


def test_a_trial_charges_nothing_until_it_is_over() -> None:
    trial = {**TERMS, "trial_ends_at": "2026-04-01T00:00:00Z"}
    assert says("subscription.started", trial, revenue_from="subscriptions") is None
    assert says("subscription.renewed", trial, revenue_from="subscriptions") is not None
    over = {**TERMS, "trial_ends_at": "2026-03-01T00:00:00Z"}
    assert says("subscription.started", over, revenue_from="subscriptions") is not None


def test_a_refund_with_an_amount_nobody_can_read_is_not_a_full_one() -> None:
    assert says("order.refunded", {"order_id": "1", "total": "half"}) is None
    assert says("order.refunded", {"order_id": "1", "products": ["P"]}) is None
    assert says("order.cancelled", {"order_id": "1", "products": ["P"]}) is None
    assert says("order.cancelled", {"order_id": "1", "total": "all"}) is not None
    assert says("order.refunded", {"order_id": "1"}) is not None
    assert says("order.refunded", {"order_id": "1", "products": []}) is not None


def test_a_refunds_sign_makes_no_difference() -> None:
    assert entry("order.refunded", {"order_id": "1", "total": -5}).paid == 50_000


@pytest.mark.parametrize(
    ("sent", "taken"),
    [
        ("2026-02-01T10:00:00+01:00", "2026-02-01T09:00:00Z"),
        ("2026-03-03T11:59:00Z", "2026-03-03T11:59:00Z"),
        ("2026-03-03T12:01:00Z", None),
        ("1989-12-31T00:00:00Z", None),
        ("yesterday", None),
    ],
)
def test_ordered_at_is_believed_when_it_is_plausible(sent: str, taken: str | None) -> None:
    found = order(ordered_at=sent).ordered_us
    assert found == (None if taken is None else microseconds(datetime.fromisoformat(taken)))


@pytest.mark.parametrize(("identifier", "rank"), [("user_id", 0), ("crm_id.acme", 1), ("email", 3)])
def test_the_rank_is_that_of_the_identifier_that_leads(identifier: str, rank: int) -> None:
    assert order(identifier=identifier).rank == rank


def test_the_weakest_rank_is_for_an_event_without_identifiers() -> None:
    found = read(event("order.completed", {**ORDER, "total": 1}, identifiers={}), NOON_US, PRAGUE)
    assert found is not None
    assert found.rank > order(identifier="anonymous_id").rank


@pytest.mark.parametrize(
    ("moment", "date"),
    [
        ("2026-03-28T22:59:59Z", "2026-03-28"),
        ("2026-03-28T23:00:00Z", "2026-03-29"),
        ("2026-03-29T21:59:59Z", "2026-03-29"),
        ("2026-03-29T22:00:00Z", "2026-03-30"),
        ("2026-10-24T22:00:00Z", "2026-10-25"),
        ("2026-10-25T22:59:59Z", "2026-10-25"),
        ("2026-10-25T23:00:00Z", "2026-10-26"),
    ],
)
def test_the_business_day_follows_the_zone_over_changes_of_summer_time(moment: str, date: str) -> None:
    day = business_day(microseconds(datetime.fromisoformat(moment)), PRAGUE)
    assert day == (datetime.fromisoformat(date) - datetime(1970, 1, 1)).days


def test_amounts_never_pass_through_a_float() -> None:
    found = entry("order.completed", {**ORDER, "total": Decimal("0.29999999999999999")})
    assert found.net == amount_of("0.3") == 3_000


@pytest.mark.parametrize(
    "found",
    [
        order(products=[line(sku="S", category="Shoes", cost=1)], ordered_at="2026-02-01T10:00:00Z"),
        entry("order.refunded", {"order_id": "1", "refund_id": "R"}),
        entry("cost.incurred", {"amount": 1, "currency": "USD"}),
        of_lines(line("a", -1, 5)),
    ],
)
def test_what_is_stored_is_read_back(found: Entry) -> None:
    assert read_stored(write(found)) == found
