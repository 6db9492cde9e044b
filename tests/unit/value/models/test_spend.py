"""Spend: what is published, who says nothing, and rates that are drawn to everybody's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.value.domain.models.clv import clv, purchases_worth
from services.value.domain.models.spend import shrunk, spends
from tests.unit.value.models.stating import SPEND, floats, ints


def test_cdnow_customer_1_as_published() -> None:
    """Fader and Hardie: two repeated purchases of 22.35 on average make 24.66 the expected one."""
    assert float(SPEND.expected(floats(2), floats(2 * 22.35))[0]) == pytest.approx(24.66, abs=0.005)


def test_who_has_bought_nothing_again_is_expected_to_spend_what_everybody_does() -> None:
    assert float(SPEND.expected(floats(0), floats(0))[0]) == pytest.approx(SPEND.mean)
    assert round(SPEND.mean, 1) == 35.2


def test_the_oftener_somebody_bought_the_more_his_own_mean_counts() -> None:
    for times in (1, 10, 1_000, 100_000):
        expected = float(SPEND.expected(floats(times), floats(100.0 * times))[0])
        assert SPEND.mean < expected < 100
    assert expected == pytest.approx(100, rel=1e-4)


def test_money_that_went_back_makes_no_spend_below_nothing() -> None:
    assert float(SPEND.expected(floats(3), floats(-500))[0]) == float(SPEND.expected(floats(3), floats(0))[0]) > 0


def test_only_who_paid_something_again_says_what_is_spent() -> None:
    rows = spends(ints([2, 0, 1, 2, 3]), ints([100, 0, -5, 100, 0]))
    assert (rows.purchases.tolist(), rows.amount.tolist(), rows.customers.tolist()) == ([2], [100], [2])


def test_correlation_is_of_how_often_with_how_much_at_a_time() -> None:
    assert spends(ints([1, 2, 3]), ints([10, 40, 90])).correlation == pytest.approx(1)
    assert spends(ints([1, 2, 3]), ints([30, 40, 30])).correlation == pytest.approx(-1)
    assert spends(ints([1, 2]), ints([10, 20])).correlation == 0
    assert spends(ints([]), ints([])).correlation == 0


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1), st.floats(0, 1e6))
def test_a_rate_lies_between_his_own_and_everybodys(part: float, rest: float, rate: float, weight: float) -> None:
    whole = part + rest
    found = float(shrunk(floats(part), floats(whole), rate, weight)[0])
    own = part / whole if whole else rate
    assert min(own, rate) - 1e-9 <= found <= max(own, rate) + 1e-9


def test_value_is_margin_of_what_stays_of_what_is_spent() -> None:
    assert clv(4.0, 25.0, 0.1, 0.3) == pytest.approx(27.0)


def test_a_bound_of_value_is_a_number_of_purchases() -> None:
    assert purchases_worth(27.0, 25.0, 0.1, 0.3) == pytest.approx(4.0)
    assert purchases_worth(27.0, 25.0, 0.1, -0.3) is None
