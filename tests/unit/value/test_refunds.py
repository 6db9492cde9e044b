"""What refunds and cancellations take from an order, on which day, and what they leave."""

from __future__ import annotations

from typing import Any

import pytest

from services.value.domain.orders import Amounts, CellKey
from tests.unit.value.stating import (
    DAY,
    DAY_US,
    HOUR_US,
    NOON_US,
    SHOES_AND_BOOKS,
    back,
    cost,
    folded,
    line,
    of_lines,
    order,
    total,
)

FULL = {"total": "27.50"}


@pytest.mark.parametrize(
    "full",
    [
        {},
        FULL,
        {"total": "99"},
        {"products": [line("P", 9)]},
        {"kind": "order.cancelled"},
        {"kind": "order.cancelled", "total": "1"},
        {"kind": "order.cancelled", "products": [line("P")]},
        {"kind": "order.cancelled", "products": [line("Q", 1, 1)], "total": "27.50"},
    ],
)
def test_a_full_refund_or_later_cancellation_leaves_the_day_and_takes_the_money(full: dict[str, Any]) -> None:
    found = folded(order(products=[line("P", 1, "22.50", cost=5)]), back(**full))
    whole, area = total(found.cells), total(found.cells, "other")
    assert found.status == "returned"
    assert (whole.orders, whole.net, whole.refunds) == (1, 225_000, 225_000)
    assert (area.orders, area.net - area.refunds, area.margin, area.unknown_net) == (1, 0, 0, 0)


def test_half_of_what_was_paid_refunds_half_of_the_net_on_its_own_day() -> None:
    found = folded(order(cost=10), back(total="13.75", currency="usd"))
    assert found.cells[CellKey("r1", DAY + 1, "", "USD")] == Amounts(refunds=112_500)
    assert found.cells[CellKey("r1", DAY + 1, "other", "USD")] == Amounts(refunds=112_500, margin=-62_500)
    assert (found.status, found.returns, found.flags) == ("open", 1, ())


def test_refunds_are_counted_together_so_that_roundings_do_not_add_up() -> None:
    thirds = [back(total="1", id=f"b{n}", days=n) for n in (1, 2, 3)]
    found = folded(order(currency="USD", subtotal="0.0100", total=3), *thirds)
    assert [found.cells[CellKey("r1", DAY + n, "", "USD")].refunds for n in (1, 2, 3)] == [33, 34, 33]
    assert found.status == "returned"


def test_a_refund_of_products_takes_their_share_of_the_net() -> None:
    sold = order(currency="USD", subtotal=20, products=SHOES_AND_BOOKS)
    found = folded(sold, back(products=[{"product_id": "s"}]))
    assert (total(found.cells, "Shoes").refunds, total(found.cells, "Books").refunds) == (80_000, 0)
    assert total(found.cells, "Shoes").margin == 40_000
    assert found.status == "open"


def test_products_returned_one_by_one_come_to_all_of_the_line() -> None:
    sold = of_lines(line("a", 3, 5, discount=5))
    pieces = [back(products=[{"product_id": "a"}], id=f"b{n}", days=n) for n in (1, 2, 3)]
    found = folded(sold, *pieces)
    assert (total(found.cells).refunds, found.status, found.flags) == (100_000, "returned", ())
    assert folded(sold, *pieces, back(products=[{"product_id": "a"}], id="b4", days=4)).flags == ("refund_excess",)


def test_more_pieces_than_were_bought_give_no_more_than_was_paid() -> None:
    found = folded(of_lines(*SHOES_AND_BOOKS), back(products=[line("s", 7)]))
    assert (total(found.cells).refunds, found.flags) == (200_000, ("refund_excess",))


def test_products_are_the_same_by_sku_when_both_have_one() -> None:
    sizes = [line("p", 1, 10, sku="S", category="small"), line("p", 1, 20, sku="L", category="large")]
    by_sku = folded(of_lines(*sizes), back(products=[{"product_id": "p", "sku": "L"}]))
    assert total(by_sku.cells, "large").refunds == 200_000
    by_product = folded(of_lines(*sizes), back(products=[{"product_id": "p", "quantity": 2}]))
    assert by_product.status == "returned"


def test_a_product_that_was_not_bought_takes_its_price_from_all() -> None:
    found = folded(order(), back(products=[line("unknown", 2, 3)]))
    assert (total(found.cells).refunds, found.flags) == (60_000, ())
    capped = folded(order(), back(products=[line("unknown", 2, 300)]))
    assert (total(capped.cells).refunds, capped.status, capped.flags) == (225_000, "returned", ("refund_excess",))


def test_amounts_and_products_refunded_one_after_the_other_never_take_more_than_there_was() -> None:
    sold = of_lines(*SHOES_AND_BOOKS)
    found = folded(sold, back(total="12.50", id="b1"), back(products=[line("s", 2)], id="b2", days=2))
    assert (total(found.cells, "Shoes").refunds, total(found.cells, "Books").refunds) == (200_000, 25_000)
    assert found.flags == ("refund_excess",)


def test_more_than_was_paid_is_a_full_refund_with_a_flag() -> None:
    found = folded(order(), back(total="27.51"))
    assert (total(found.cells).refunds, found.status, found.flags) == (225_000, "returned", ("refund_excess",))


def test_a_refund_after_everything_is_gone_is_flagged() -> None:
    found = folded(order(), back(id="b1"), back(id="b2", days=2))
    assert (total(found.cells).refunds, found.flags) == (225_000, ("refund_excess",))


def test_a_cancellation_takes_what_refunds_left() -> None:
    found = folded(order(), back(total="13.75", id="b1"), back("order.cancelled", id="b2", days=2))
    assert found.cells[CellKey("r1", DAY + 2, "", "USD")].refunds == 112_500
    assert (found.status, found.flags) == ("returned", ())


def test_one_refund_id_is_one_refund_and_the_strongest_telling_counts() -> None:
    weak = back(total=5, refund_id="R", id="w", identifier="email", record="m")
    strong = back(total="2.75", refund_id="R", id="s", days=3)
    found = folded(order(), weak, strong)
    assert (total(found.cells).refunds, found.returns) == (22_500, 1)
    assert CellKey("r1", DAY + 3, "", "USD") in found.cells


def test_a_refund_in_another_currency_has_no_effect_and_is_flagged() -> None:
    found = folded(order(), back(total=5, currency="EUR"))
    assert (total(found.cells).refunds, found.returns, found.flags) == (0, 0, ("refund_currency",))


def test_a_return_of_everything_needs_no_currency() -> None:
    assert folded(order(), back(currency="EUR")).status == "returned"
    assert folded(order(), back("order.cancelled", currency="EUR", total=1)).status == "returned"


@pytest.mark.parametrize(
    "cancelled",
    [{}, {"products": [line("P")]}, {"total": "27.50", "products": [line("Q")]}],
)
def test_an_order_cancelled_on_its_day_never_was(cancelled: dict[str, Any]) -> None:
    found = folded(
        order(products=[line("P", 1, 5)]),
        back("order.cancelled", at=NOON_US + HOUR_US, **cancelled),
        cost(3, at=NOON_US + DAY_US),
    )
    assert (found.status, found.owner) == ("never", "r1")
    assert found.cells == {CellKey("r1", DAY + 1, "", "USD"): Amounts(cost=30_000)}


def test_a_cancellation_of_some_products_on_the_day_leaves_the_rest() -> None:
    found = folded(of_lines(*SHOES_AND_BOOKS), back("order.cancelled", days=0, products=[line("b")]))
    assert (found.status, total(found.cells).refunds) == ("open", 50_000)


def test_a_full_refund_on_the_day_is_no_cancellation() -> None:
    assert folded(order(), back(days=0)).status == "returned"


def test_the_day_of_a_cancellation_is_that_of_the_time_zone() -> None:
    late = order(at=NOON_US + 10 * HOUR_US)
    assert folded(late, back("order.cancelled", at=NOON_US + 11 * HOUR_US - 1)).status == "never"
    assert folded(late, back("order.cancelled", at=NOON_US + 11 * HOUR_US)).status == "returned"


def test_a_refund_dated_before_its_order_counts_on_the_orders_day() -> None:
    found = folded(order(), back(total="13.75", days=-3))
    assert {key.day for key in found.cells} == {DAY}
    assert folded(order(), back("order.cancelled", days=-3)).status == "never"


def test_an_order_that_cost_nothing_is_an_order() -> None:
    free = of_lines(line("gift", 1, 0, cost=2))
    assert total(folded(free).cells, "other") == Amounts(orders=1, margin=-20_000)
    returned = folded(free, back(products=[line("gift")]))
    assert (returned.status, total(returned.cells, "other").margin) == ("returned", 0)


def test_a_gift_goes_with_the_order_it_came_with() -> None:
    sold = of_lines(line("a", 1, 10, cost=4), line("gift", 1, 0, cost=2))
    assert total(folded(sold, back(total=5)).cells, "other").margin == 20_000
    assert total(folded(sold, back()).cells, "other").margin == 0


def test_a_negative_order_can_be_taken_back_whole() -> None:
    found = folded(of_lines(line("a", -1, 5)), back())
    assert (total(found.cells).net, total(found.cells).refunds, found.status) == (-50_000, -50_000, "returned")
