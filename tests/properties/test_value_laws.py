"""What holds for any order: the set of its entries decides, parts add up to the whole, all of it is all of it."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from services.value.domain.entries import COST, Entry, read_stored, write
from services.value.domain.ledger import Cell, section, totals
from services.value.domain.orders import Amounts, added, fold
from tests.unit.value.stating import DAY_US, HOUR_US, NOON_US, POLICY, PRAGUE, entry, total

MANY = settings(max_examples=100, deadline=None)
CURRENCIES = st.sampled_from(["USD", "USD", "USD", "JPY"])
PRICES = st.decimals(0, 500, places=3).map(str)
QUANTITIES = st.sampled_from([1, 1, 2, 3, "0.5", -1, 0])
CENTS = st.decimals(-5, 300, places=2).map(str)


def some(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Any of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


PRODUCTS = st.lists(
    st.builds(
        lambda must, may: must | may,
        st.fixed_dictionaries(
            {"product_id": st.sampled_from("abc"), "quantity": QUANTITIES, "price": PRICES},
        ),
        some(
            {"category": st.sampled_from(["Shoes", "Books"]), "cost": PRICES, "margin": PRICES, "sku": st.just("x")}
        ),
    ),
    min_size=1,
    max_size=4,
)
AMOUNTS = some({n: CENTS for n in ("subtotal", "revenue", "total", "shipping", "tax", "discount", "cost")})
RETURNED = some({"total": CENTS, "products": PRODUCTS, "refund_id": st.sampled_from("RS"), "currency": CURRENCIES})


@st.composite
def entries(draw: st.DrawFn, /, kind: str, said: st.SearchStrategy[dict[str, Any]], **fixed: Any) -> Entry:
    """An entry of order 1 under any record, within a few days."""
    weak = draw(st.booleans())
    return entry(
        kind,
        {"order_id": "1", **fixed, **draw(said)},
        at=NOON_US + draw(st.integers(-2, 3)) * DAY_US + draw(st.integers(0, 12)) * HOUR_US,
        id=f"{kind}-{draw(st.integers(0, 5))}",
        record="weak" if weak else "strong",
        identifier="email" if weak else "user_id",
    )


TOLD = st.builds(lambda must, may: must | may, st.fixed_dictionaries({"products": PRODUCTS}), AMOUNTS)
ORDERS = CURRENCIES.flatmap(
    lambda currency: st.one_of(
        entries("order.completed", TOLD, currency=currency), entries("order.updated", TOLD, currency=currency)
    )
)
RETURNS = st.one_of(entries("order.refunded", RETURNED), entries("order.cancelled", RETURNED))
COSTS = entries("cost.incurred", st.fixed_dictionaries({"amount": CENTS, "currency": CURRENCIES}))
STORIES = st.builds(
    lambda orders, returns, costs: [*orders, *returns, *costs],
    st.lists(ORDERS, max_size=3),
    st.lists(RETURNS, max_size=4),
    st.lists(COSTS, max_size=2),
)
TOLD_STORIES = st.builds(lambda one, rest: [one, *rest], ORDERS, STORIES)


def rows(story: list[Entry], record: str | None = None) -> list[Cell]:
    """The cells an order adds, of one record or of all."""
    cells = fold(story, PRAGUE).cells.items()
    return [Cell(k.day, k.area, k.currency, a) for k, a in cells if record in (None, k.record_id)]


@MANY
@given(STORIES, st.randoms(use_true_random=False))
def test_any_shuffle_and_any_copies_give_the_same_order(story: list[Entry], chance: random.Random) -> None:
    first = fold(story, PRAGUE)
    again = [*story, *(chance.choice(story) for _ in range(3) if story)]
    chance.shuffle(again)
    assert fold(again, PRAGUE) == first


@MANY
@given(STORIES)
def test_what_is_stored_is_read_back_and_makes_the_same_order(story: list[Entry]) -> None:
    again = [read_stored(write(one)) for one in story]
    assert again == story
    assert fold(again, PRAGUE) == fold(story, PRAGUE)


@MANY
@given(TOLD_STORIES)
def test_the_net_of_all_cells_is_that_of_the_entry_that_decides(story: list[Entry]) -> None:
    order = fold(story, PRAGUE)
    nets: Counter[str | None] = Counter()
    for key, amounts in order.cells.items():
        nets[key.currency] += amounts.net if key.area == "" else 0
    decides = [e for e in story if (e.record_id, e.event_id) == (order.owner, order.owner_event)]
    allowed = [0] if order.status == "never" else [e.net for e in decides if e.currency == order.currency]
    assert nets[order.currency] in allowed
    assert not any(net for currency, net in nets.items() if currency != order.currency)


@MANY
@given(TOLD_STORIES)
def test_areas_add_up_to_the_whole(story: list[Entry]) -> None:
    order = fold(story, PRAGUE)
    assert total(order.cells).net == total(order.cells, None).net
    assert total(order.cells).refunds == total(order.cells, None).refunds
    assert all(total(order.cells, None)[i] == 0 for i in (2, 6))
    for key, amounts in order.cells.items():
        of_day = [a for k, a in order.cells.items() if k.area and (k.day, k.currency) == (key.day, key.currency)]
        assert key.area or amounts.refunds == sum(a.refunds for a in of_day)


@MANY
@given(TOLD_STORIES)
def test_refunds_lie_between_nothing_and_all_of_every_area(story: list[Entry]) -> None:
    order = fold(story, PRAGUE)
    assert order.status != "returned" or total(order.cells).net == total(order.cells).refunds
    for area in {key.area for key in order.cells}:
        amounts = total(order.cells, area)
        assert min(0, amounts.net) <= amounts.refunds <= max(0, amounts.net)
        assert area == "" or 0 <= abs(amounts.unknown_net) <= abs(amounts.net - amounts.refunds)


@MANY
@given(TOLD_STORIES)
def test_after_a_full_refund_nothing_is_left(story: list[Entry]) -> None:
    last = max(e.time_us for e in story) + DAY_US
    order = fold([*story, entry("order.refunded", {"order_id": "1"}, at=last, id="last")], PRAGUE)
    whole, areas = total(order.cells), total(order.cells, None)
    assert order.status in ("returned", "never")
    assert whole.net == whole.refunds
    assert (areas.margin, areas.unknown_net) == (0, 0)


@MANY
@given(TOLD_STORIES)
def test_only_costs_remain_of_an_order_that_never_was(story: list[Entry]) -> None:
    early = min(e.time_us for e in story) - DAY_US
    order = fold([*story, entry("order.cancelled", {"order_id": "1"}, at=early, id="first")], PRAGUE)
    assert order.status == "never"
    assert all(amounts == Amounts(cost=amounts.cost) for amounts in order.cells.values())


@MANY
@given(STORIES)
def test_every_cost_counts_once_whatever_became_of_the_order(story: list[Entry]) -> None:
    costs = [e for e in story if e.kind == COST]
    distinct = {e.event_id for e in costs}
    if len({(e.event_id, e.cost, e.currency) for e in costs}) == len(distinct):
        expected = sum({e.event_id: e.cost or 0 for e in costs}.values())
        assert total(fold(story, PRAGUE).cells).cost == expected


@MANY
@given(st.lists(STORIES, max_size=3))
def test_a_customer_of_two_records_is_told_as_if_their_rows_were_one_records(stories: list[list[Entry]]) -> None:
    apart = [row for s in stories for record in ("weak", "strong") for row in rows(s, record)]
    summed: dict[tuple[int, str, str], Amounts] = {}
    for day, area, currency, amounts in (row for s in stories for row in rows(s)):
        key = (day, area, currency)
        summed[key] = added(summed.get(key, Amounts()), amounts)
    merged = [Cell(*key, amounts) for key, amounts in summed.items()]
    assert section(apart, POLICY, 1, 2) == section(merged, POLICY, 1, 2)
    a, b = totals(apart), totals(merged)
    assert {c: s.whole for c, s in a.items() if any(s.whole)} == {c: s.whole for c, s in b.items() if any(s.whole)}


@MANY
@given(STORIES)
def test_a_record_that_moves_takes_exactly_its_cells_along(story: list[Entry]) -> None:
    moved = [structs.replace(e, record_id=f"new-{e.record_id}") for e in story]
    was = {k._replace(record_id=f"new-{k.record_id}"): a for k, a in fold(story, PRAGUE).cells.items()}
    assert fold(moved, PRAGUE).cells == was
