"""What an order comes to: whose it is, on which day, its areas and margin, its costs."""

from __future__ import annotations

from typing import Any

from services.value.domain.entries import Entry
from services.value.domain.orders import Amounts, CellKey
from tests.unit.value.stating import (
    DAY,
    DAY_US,
    HOUR_US,
    NOON_US,
    SHOES_AND_BOOKS,
    back,
    cost,
    entry,
    folded,
    line,
    of_lines,
    order,
    total,
)


def charge(kind: str, **said: Any) -> Entry:
    """An invoice or a subscription's charge."""
    own = {k: said.pop(k) for k in ("at", "id", "record", "identifier", "revenue_from") if k in said}
    terms = {"invoice_id": "I", "subscription_id": "S", "amount": 10, "currency": "EUR"}
    return entry(kind, {**terms, **said}, **own)


def test_segments_example_is_one_order_of_22_50() -> None:
    found = folded(order())
    assert found.cells == {
        CellKey("r1", DAY, "", "USD"): Amounts(orders=1, net=225_000, paid=275_000),
        CellKey("r1", DAY, "other", "USD"): Amounts(orders=1, net=225_000, unknown_net=225_000),
    }
    assert (found.status, found.owner, found.currency, found.day) == ("open", "r1", "USD", DAY)


def test_browser_and_server_send_one_order_which_the_stronger_record_owns() -> None:
    browser = order(id="b", record="browser", identifier="anonymous_id", at=NOON_US - HOUR_US)
    server = order(id="s", record="server", identifier="user_id")
    found = folded(browser, server)
    assert (found.owner, found.shadowed, total(found.cells).orders) == ("server", 1, 1)
    assert {key.record_id for key in found.cells} == {"server"}


def test_of_equal_records_the_latest_update_decides_and_then_the_earliest() -> None:
    first, second = order(id="1", subtotal=1), order(id="2", subtotal=2, at=NOON_US + 1)
    assert total(folded(second, first).cells).net == 10_000
    early, late = (
        order("order.updated", id="3", subtotal=3),
        order("order.updated", id="4", subtotal=4, at=NOON_US + 1),
    )
    assert total(folded(first, second, early, late).cells).net == 40_000


def test_an_update_under_a_weaker_record_is_shadowed() -> None:
    update = order("order.updated", id="u", identifier="email", record="mail", subtotal=99)
    assert folded(update, order()).owner == "r1"


def test_equal_entries_are_told_apart_by_event_id() -> None:
    one, two = order(id="1", record="x"), order(id="2", record="y")
    assert folded(one, two).owner_event == folded(two, one).owner_event == min(one.event_id, two.event_id)


def test_one_event_with_two_contents_counts_the_same_in_any_order() -> None:
    one, two = order(subtotal=1), order(subtotal=2)
    assert folded(one, two) == folded(two, one)


def test_the_day_is_when_it_was_ordered_else_when_the_first_completion_came() -> None:
    completed = order(id="1", at=NOON_US - DAY_US)
    update = order("order.updated", id="2", at=NOON_US)
    assert folded(update, completed).day == DAY - 1
    assert folded(update).day == DAY
    dated = order("order.updated", id="3", at=NOON_US + 1, ordered_at="2026-02-27T12:00:00Z")
    assert folded(update, completed, dated).day == DAY - 3


def test_the_net_is_shared_by_areas_to_the_last_unit() -> None:
    thirds = [line(p, 1, 1, category=p) for p in "abc"]
    found = folded(order(subtotal="10.00", products=thirds))
    shares = [amounts.net for key, amounts in found.cells.items() if key.area]
    assert (sum(shares), sorted(shares)) == (100_000, [33_333, 33_333, 33_334])
    assert all(amounts.orders == 1 for amounts in found.cells.values())


def test_a_return_line_shares_nothing_of_a_bought_order() -> None:
    found = folded(of_lines(line("a", 2, 10, category="A"), line("b", -1, 5, category="B")))
    assert (total(found.cells, "A").net, total(found.cells, "B").net) == (150_000, 0)


def test_the_areas_of_returned_lines_take_a_negative_order() -> None:
    found = folded(of_lines(line("a", 1, 10, category="A"), line("b", -3, 10, category="B")))
    assert (total(found.cells, "A").net, total(found.cells, "B").net) == (0, -200_000)
    assert found.flags == ("dirty_line", "negative_order")


def test_margin_is_the_net_less_the_cost_of_the_pieces() -> None:
    found = folded(of_lines(*SHOES_AND_BOOKS))
    assert total(found.cells, "Shoes")[4:6] == (120_000, 0)
    assert total(found.cells, "Books")[4:6] == (0, 50_000)
    assert total(found.cells)[4:6] == (0, 0)


def test_a_discount_lowers_the_margin() -> None:
    assert total(folded(of_lines(line(cost=6), discount=1)).cells, "other").margin == 30_000


def test_a_lines_margin_counts_before_its_cost() -> None:
    assert total(folded(of_lines(line(cost=6, margin=3))).cells, "other").margin == 30_000


def test_an_orders_cost_counts_when_its_lines_have_none() -> None:
    assert total(folded(order(cost=10)).cells, "other")[4:6] == (125_000, 0)
    shared = folded(of_lines(line("a", 3, 10, category="A"), line("b", 1, 10, category="B"), cost=20))
    assert (total(shared.cells, "A").margin, total(shared.cells, "B").margin) == (150_000, 50_000)
    lines_know = folded(of_lines(*SHOES_AND_BOOKS, cost=1))
    assert total(lines_know.cells, "Shoes").margin == 120_000


def test_refunds_without_their_order_wait_and_costs_do_not() -> None:
    found = folded(back(), cost("4.90", record="r2"))
    assert (found.status, found.owner, found.currency, found.day) == ("waiting", None, None, None)
    assert found.cells == {CellKey("r2", DAY, "", "USD"): Amounts(cost=49_000)}
    assert folded(back(), order()).status == "returned"


def test_a_cost_counts_for_the_orders_owner_on_its_own_day_in_its_own_currency() -> None:
    found = folded(order(), cost(3, record="r2", at=NOON_US + DAY_US, currency="EUR"))
    assert found.cells[CellKey("r1", DAY + 1, "", "EUR")] == Amounts(cost=30_000)
    assert total(found.cells, "other").cost == 0


def test_one_cost_under_two_records_counts_once() -> None:
    assert total(folded(cost(3), cost(3, record="r2", identifier="email")).cells).cost == 30_000


def test_an_invoice_issued_and_paid_is_one_and_the_issue_decides() -> None:
    issued = charge("invoice.issued", id="i", record="weak", identifier="email")
    paid = charge("invoice.paid", id="p", amount=11, at=NOON_US + 9 * DAY_US)
    found = folded(issued, paid)
    assert (found.owner, found.day, total(found.cells), found.shadowed) == (
        "weak",
        DAY,
        Amounts(orders=1, net=100_000, paid=100_000),
        1,
    )
    assert folded(paid).day == DAY + 9


def test_an_invoice_of_an_order_counts_for_nothing_even_when_its_payment_does_not_say_so() -> None:
    found = folded(charge("invoice.issued", id="i", order_id="1"), charge("invoice.paid", id="p"))
    assert (found.status, found.owner, found.cells, found.flags) == ("never", None, {}, ("of_order",))


def test_a_subscription_started_and_renewed_on_one_day_is_charged_once() -> None:
    said = {"revenue_from": "subscriptions"}
    started = charge("subscription.started", id="s", **said)
    renewed = charge("subscription.renewed", id="r", at=NOON_US + HOUR_US, **said)
    assert started.key == renewed.key
    found = folded(started, renewed)
    assert (total(found.cells).net, found.shadowed) == (100_000, 1)


def test_nothing_said_is_nothing() -> None:
    assert folded().status == "waiting"
    assert folded().cells == {}
