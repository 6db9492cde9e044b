"""What nobody should send, and somebody will: each has its rule, nothing fails, and sums stay exact."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import pytest

from schemas.envelope import microseconds
from services.value.domain.days import date_of, day_of
from services.value.domain.fitting import Days, TooLittle, fitted
from services.value.domain.ledger import Cell, Known, Looking, worth
from services.value.domain.models.ledgers import Sums
from services.value.domain.models.replenish import bought as bought_items
from services.value.domain.models.replenish import replenish
from services.value.domain.orders import ITEMS_MAX, Amounts
from services.value.domain.policy import Policy, read_policy
from services.value.domain.reading import read
from tests.unit.value.foreseen import FIRST, GRADING, UNIT, bought
from tests.unit.value.stating import (
    DAY,
    NOON_US,
    POLICY,
    PRAGUE,
    SHIPPED,
    back,
    cost,
    event,
    folded,
    line,
    of_lines,
    order,
    total,
)

LINES = 10_000
LONG_AGO, FAR_AHEAD = day_of(datetime(1970, 1, 1)), day_of(datetime(2100, 1, 1))
OWN = {"1970": LONG_AGO, "2100": FAR_AHEAD}


def body_of(cells: list[Cell], day: int, policy: Policy = GRADING) -> dict[str, Any]:
    """What is answered on this day."""
    found = worth(Known(cells), policy, Looking(day, PRAGUE, is_answer=True)).body
    assert found is not None
    return found


def floats_of(part: Any) -> list[float]:
    """All numbers with a fraction in an answer."""
    if isinstance(part, dict):
        return [one for value in part.values() for one in floats_of(value)]
    if isinstance(part, list):
        return [one for value in part for one in floats_of(value)]
    return [part] if isinstance(part, float) else []


def test_an_order_of_ten_thousand_lines_adds_up_and_its_products_are_bounded() -> None:
    lines = [line(f"p{n:05}", 1 + n % 3, "0.07", category=f"area {n % 40}", cost="0.03") for n in range(LINES)]
    found = folded(of_lines(*lines))
    pieces = sum(1 + n % 3 for n in range(LINES))
    assert total(found.cells).net == pieces * 700
    assert total(found.cells, None).net == pieces * 700, "areas add up to the whole"
    assert total(found.cells, None).margin == pieces * 400
    assert len(found.items) == ITEMS_MAX
    gone = folded(of_lines(*lines), back())
    assert (gone.status, total(gone.cells).refunds, total(gone.cells, None).margin) == ("returned", pieces * 700, 0)


@pytest.mark.parametrize("amount", ["0", "0.00", "-0"])
def test_an_order_of_nothing_is_an_order_on_its_day(amount: str) -> None:
    found = folded(order(currency="USD", total=amount))
    assert total(found.cells) == Amounts(orders=1)
    assert found.flags == ()


def test_a_cost_below_zero_is_money_back_and_lowers_what_serving_cost() -> None:
    found = folded(order(), cost("5"), cost("-2", id="credit"))
    assert total(found.cells).cost == 3 * UNIT


def test_any_three_letters_are_a_currency_of_two_digits_that_counts_beside_the_others() -> None:
    odd = folded(order(currency="xyz", total="12.345"))
    assert {key.currency for key in odd.cells} == {"XYZ"}
    cells = [Cell(k.day, k.area, k.currency, a) for k, a in odd.cells.items()]
    alone, beside = body_of(cells, DAY, POLICY), body_of([*cells, *bought(DAY)], DAY, POLICY)
    assert (alone["currency"], alone["actual"]["revenue"], alone["tier"]["grade"]) == ("XYZ", "12.34", "D")
    assert (beside["currency"], beside["other_currencies"][0]["currency"]) == ("USD", "XYZ")
    assert beside["actual"]["revenue"] == "40.00", "nothing is converted"


@pytest.mark.parametrize("sent", ["", "US", "DOLLARS", "U$D", "12€", 840, None, ["USD"]])
def test_what_is_no_code_says_nothing_of_money(sent: Any) -> None:
    said = event("order.completed", {"order_id": "1", "currency": sent, "total": "5"})
    assert read(said, NOON_US, PRAGUE) is None


def test_a_refund_larger_than_its_order_takes_all_of_it_and_no_more() -> None:
    found = folded(order(), back(total="9999"))
    assert (found.status, found.flags, total(found.cells).refunds) == ("returned", ("refund_excess",), 225_000)


def test_a_refund_without_an_order_waits_for_it_and_takes_nothing_meanwhile() -> None:
    alone = folded(back(total="5"))
    assert (alone.status, alone.owner, alone.cells) == ("waiting", None, {})
    assert folded(back(total="5"), order()) == folded(order(), back(total="5"))


@pytest.mark.parametrize("name", [*OWN])
def test_an_order_of_another_age_is_booked_on_its_day_and_predictions_stay_finite(name: str) -> None:
    at = microseconds(datetime.fromisoformat(f"{name}-01-01T12:00:00Z"))
    found = folded(order(at=at))
    assert {key.day for key in found.cells} == {OWN[name]}
    odd = [Cell(k.day, k.area, k.currency, a) for k, a in found.cells.items()]
    for cells in (odd, [*odd, *bought(FIRST, FIRST + 10)]):
        body = body_of(cells, FIRST + 20)
        assert body["actual"]["by_period"][-1 if name == "1970" else 0]["month"] == f"{name}-01"
        assert body["predicted"] is not None
        assert all(math.isfinite(one) and one >= 0 for one in floats_of(body))
        assert 0 <= body["predicted"]["alive_probability"] <= 1


def test_a_purchase_of_another_age_is_listed_as_such_and_weighs_what_its_day_does() -> None:
    own = bought_items([("tent", LONG_AGO), ("tea", FIRST), ("boat", FAR_AHEAD)])
    scores = {one.item: one.score for one in replenish(own, {}, FIRST)}
    assert scores["tea"] == 1.0
    assert scores["tent"] == pytest.approx(0.5 ** (FIRST / 90), abs=1e-9)
    assert math.isfinite(scores["boat"])


def days_of(customers: dict[int, list[int]]) -> Days:
    """Each of these customers bought for 40 on each of his days."""
    rows = [(customer, day) for customer, days in customers.items() for day in days]
    net = 40 * UNIT
    sums = [
        Sums(len(days), min(days), max(days), net * (len(days) - 1), net * len(days), 0, 10 * UNIT * len(days))
        for days in customers.values()
    ]
    return Days([c for c, _ in rows], [d for _, d in rows], [net] * len(rows), sums)


ALIKE = {n: [FIRST, FIRST + 30, FIRST + 60, FIRST + 90] for n in range(400)}


def test_customers_who_are_all_alike_give_a_model_by_which_all_are_worth_the_same() -> None:
    document = fitted(days_of(ALIKE), SHIPPED, POLICY, FIRST + 180)["document"]
    prediction = read_policy(document).prediction
    assert prediction is not None
    found = prediction.worths(days_of(ALIKE).sums, FIRST + 180)
    for column in (found.alive, found.purchases, found.clv):
        assert set(column.tolist()) == {column[0]}
        assert math.isfinite(column[0])


def test_a_model_of_one_customer_is_finite_and_refused() -> None:
    proposed = fitted(days_of({0: ALIKE[0]}), SHIPPED, POLICY, FIRST + 180)
    assert proposed["refused"] == ["fitted on 1 customers, 100 at least are needed"]
    assert read_policy(proposed["document"]).prediction is not None, "what is not finite is no policy"


@pytest.mark.parametrize(
    "customers", [{n: [FIRST] for n in range(300)}, {0: [FIRST]}, {0: [LONG_AGO, FAR_AHEAD]}, {}]
)
def test_of_who_bought_once_or_not_yet_nothing_is_fitted(customers: dict[int, list[int]]) -> None:
    with pytest.raises(TooLittle, match=r"too few customers bought|nobody has bought"):
        fitted(days_of(customers), SHIPPED, POLICY, FIRST + 180)


def test_the_days_of_the_ages_are_what_they_are_called() -> None:
    assert [date_of(day).isoformat() for day in (LONG_AGO, FAR_AHEAD)] == ["1970-01-01", "2100-01-01"]
