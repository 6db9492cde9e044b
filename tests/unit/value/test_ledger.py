"""A customer's section: rows of all his records combined, money as text beside its currency."""

from __future__ import annotations

import random

from services.value.domain.ledger import Cell, section, totals
from services.value.domain.orders import Amounts, Order
from services.value.domain.policy import read_policy
from services.value.domain.summing import AREAS_MAX, MONTHS_MAX
from tests.unit.value.stating import (
    DAY,
    NOON_US,
    POLICY,
    SHIPPED,
    SHOES_AND_BOOKS,
    back,
    cost,
    folded,
    of_lines,
    order,
)

UNIT = 10_000


def rows(*orders: Order) -> list[Cell]:
    """The rows of these orders' cells."""
    return [Cell(key.day, key.area, key.currency, amounts) for one in orders for key, amounts in one.cells.items()]


def bought(amount: int, day: int = DAY, area: str = "Shoes", currency: str = "USD") -> list[Cell]:
    """Rows of one order of known cost 0."""
    whole = Amounts(orders=1, net=amount * UNIT, paid=amount * UNIT)
    return [
        Cell(day, "", currency, whole),
        Cell(day, area, currency, Amounts(orders=1, net=amount * UNIT, margin=amount * UNIT)),
    ]


def test_nobody_without_rows_has_a_section() -> None:
    assert section([], POLICY, None, None) is None
    assert section([Cell(1, "", "USD", Amounts())], POLICY, None, None) is None


def test_a_customer_is_told_in_full() -> None:
    sold = of_lines(*SHOES_AND_BOOKS, total=30, tax=5)
    found = section(rows(folded(sold, back(total=6, days=40), cost(2))), POLICY, NOON_US, NOON_US)
    assert found is not None
    actual, tier = found.pop("actual"), found.pop("tier")
    empty = dict.fromkeys(("as_of", "predicted", "strategic", "churn", "group", "next"))
    assert found == {"currency": "USD", "other_currencies": [], **empty}
    assert (tier["grade"], tier["actual"], tier["since"]) == ("D", "low", "2026-03-02")
    assert actual.pop("by_area") == [
        {"area": "Shoes", "revenue": "16.00", "margin": "9.60", "orders": 1, "last_at": "2026-03-02"},
        {"area": "Books", "revenue": "4.00", "margin": "1.00", "orders": 1, "last_at": "2026-03-02"},
    ]
    names = ("month", "revenue", "margin", "refunds", "cost_to_serve", "contribution", "orders")
    assert actual.pop("by_period") == [
        dict(zip(names, ("2026-04", "-5.00", "-2.65", "5.00", "0.00", "-2.65", 0), strict=True)),
        dict(zip(names, ("2026-03", "25.00", "13.25", "0.00", "2.00", "11.25", 1), strict=True)),
    ]
    assert actual == {
        "revenue": "20.00",
        "margin": "10.60",
        "refunds": "5.00",
        "cost_to_serve": "2.00",
        "contribution": "8.60",
        "orders": 1,
        "margin_estimated": True,
        "days": 1,
        "first_at": "2026-03-02T12:00:00Z",
        "last_at": "2026-03-02T12:00:00Z",
        "average_order": "20.00",
    }


def test_two_records_on_one_day_count_the_day_once() -> None:
    found = section([*bought(5), *bought(5), *bought(5, DAY + 1)], POLICY, None, None)
    assert found is not None
    assert (found["actual"]["days"], found["actual"]["orders"]) == (2, 3)
    assert found["actual"]["average_order"] == "5.00"


def test_known_margin_is_not_estimated_and_a_missing_rate_is() -> None:
    known = section(bought(5), POLICY, None, None)
    unknown = section(rows(folded(order())), read_policy({**SHIPPED, "margin_rates": {}}), None, None)
    assert known is not None
    assert unknown is not None
    assert (known["actual"]["margin"], known["actual"]["margin_estimated"]) == ("5.00", False)
    assert (unknown["actual"]["margin"], unknown["actual"]["margin_estimated"]) == ("0.00", True)


def test_areas_have_their_own_rates_and_the_margin_is_rounded_once() -> None:
    policy = read_policy({**SHIPPED, "margin_rates": {"Shoes": "0.000005", "Books": "0.000005"}})
    areas = [Cell(DAY, a, "USD", Amounts(orders=1, net=UNIT * 10, unknown_net=UNIT * 10)) for a in ("Shoes", "Books")]
    assert totals(areas)["USD"].margin(policy) == 1


def test_the_reporting_currency_comes_first_and_else_that_of_most_days() -> None:
    many_euros = [*bought(5, DAY, currency="EUR"), *bought(5, DAY + 1, currency="EUR")]
    first = section([*many_euros, *bought(1)], POLICY, None, None)
    assert first is not None
    assert first["currency"] == "USD"
    assert first["other_currencies"] == [
        {
            "currency": "EUR", "revenue": "10.00", "margin": "10.00", "refunds": "0.00",
            "cost_to_serve": "0.00", "contribution": "10.00", "orders": 2,
        },
    ]  # fmt: skip
    own = section([*many_euros, *bought(99, currency="CZK")], POLICY, None, None)
    equal = section([*bought(5, currency="EUR"), *bought(99, currency="CZK")], POLICY, None, None)
    assert own is not None
    assert equal is not None
    assert (own["currency"], equal["currency"]) == ("EUR", "CZK")


def test_who_never_bought_in_the_reporting_currency_is_in_the_last_grade() -> None:
    found = section(bought(99_999, currency="EUR"), POLICY, None, None)
    assert found is not None
    assert (found["tier"]["grade"], found["tier"]["actual"], found["tier"]["since"]) == ("D", "low", None)


def test_who_only_cost_us_something_is_told_without_orders() -> None:
    found = section(rows(folded(cost(3))), POLICY, None, None)
    assert found is not None
    assert found["actual"]["cost_to_serve"] == "3.00"
    assert (found["actual"]["average_order"], found["actual"]["first_at"], found["tier"]["since"]) == (
        None,
        None,
        None,
    )


def test_the_tier_follows_revenue_after_refunds() -> None:
    taken = Cell(DAY + 9, "", "USD", Amounts(refunds=1500 * UNIT))
    found = section([*bought(2000), taken], POLICY, None, None)
    assert found is not None
    assert (found["tier"]["grade"], found["tier"]["since"], found["tier"]["actual"]) == ("C", "2026-03-11", "high")


def test_lists_are_bounded_best_areas_and_newest_months_first() -> None:
    areas = [cell for n in range(AREAS_MAX + 5) for cell in bought(n + 1, area=f"a{n:02}")]
    months = [cell for n in range(MONTHS_MAX + 5) for cell in bought(1, DAY + 31 * n)]
    by_area, by_period = section(areas, POLICY, None, None), section(months, POLICY, None, None)
    assert by_area is not None
    assert by_period is not None
    assert [a["area"] for a in by_area["actual"]["by_area"]] == [
        f"a{n:02}" for n in reversed(range(5, AREAS_MAX + 5))
    ]
    listed = [m["month"] for m in by_period["actual"]["by_period"]]
    assert listed == sorted(listed, reverse=True)
    assert len(listed) == MONTHS_MAX


def test_areas_of_equal_revenue_are_listed_by_name() -> None:
    found = section([*bought(5, area="b"), *bought(5, area="a")], POLICY, None, None)
    assert found is not None
    assert [a["area"] for a in found["actual"]["by_area"]] == ["a", "b"]


def test_the_section_does_not_depend_on_the_order_of_rows() -> None:
    cells = [*bought(5), *bought(7, DAY + 40, "Books"), *bought(9, currency="EUR")]
    first = section(cells, POLICY, None, None)
    random.Random(7).shuffle(cells)
    assert section(cells, POLICY, None, None) == first


def test_rows_that_come_to_nothing_are_as_no_rows() -> None:
    cells = [Cell(DAY, "", "EUR", Amounts(cost=n)) for n in (5, -5)]
    assert section(cells, POLICY, None, None) is None
    assert section([*bought(1), *cells], POLICY, None, None) == section(bought(1), POLICY, None, None)
