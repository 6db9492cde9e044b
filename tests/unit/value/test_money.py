"""Amounts are exact: read, shared out and shown without a float."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.value.domain.money import amount_of, currency_of, divided, minor_unit, shares, shown, times

AMOUNTS = st.integers(-(10**18), 10**18)


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        (Decimal("22.50"), 225_000),
        ("22.50", 225_000),
        (" -3 ", -30_000),
        (7, 70_000),
        (0, 0),
        (Decimal("0.00005"), 0),
        (Decimal("0.00015"), 2),
        (Decimal("-0.00025"), -2),
        (Decimal("899999999999999.99995"), 9_000_000_000_000_000_000),
        (Decimal("1E-999999"), 0),
        ("90071992547409.9301", 900_719_925_474_099_301),
    ],
)
def test_an_amount_is_read_exactly_and_half_even(value: Any, amount: int) -> None:
    assert amount_of(value) == amount


@pytest.mark.parametrize("value", [None, "", "ten", True, [], "NaN", Decimal("Infinity"), Decimal("9E+14"), "1e400"])
def test_what_is_no_amount_is_none(value: Any) -> None:
    assert amount_of(value) is None


def test_a_price_of_many_digits_times_a_quantity_is_rounded_once() -> None:
    assert times(Decimal("0.333333333"), Decimal(3)) == 10_000
    assert times(Decimal("0.00005"), Decimal(3)) == 2
    assert times(Decimal(10**14), Decimal(10)) is None


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (225_000, "USD", "22.50"),
        (225_050, "USD", "22.50"),
        (225_150, "USD", "22.52"),
        (-225_150, "USD", "-22.52"),
        (-30, "EUR", "0.00"),
        (500, "USD", "0.05"),
        (12_990_000, "JPY", "1299"),
        (5_000, "JPY", "0"),
        (15_000, "KRW", "2"),
        (-15_000, "CLP", "-2"),
        (12_345, "KWD", "1.234"),
        (12_355, "TND", "1.236"),
        (12_345, "CLF", "1.2345"),
        (10_000, "XYZ", "1.00"),
    ],
)
def test_an_amount_is_shown_with_the_digits_of_its_currency(amount: int, currency: str, text: str) -> None:
    assert shown(amount, currency) == text


def test_the_minor_unit_is_the_smallest_amount_shown() -> None:
    assert [minor_unit(c) for c in ("USD", "JPY", "BHD", "UYW")] == [100, 10_000, 10, 1]


@pytest.mark.parametrize(("value", "code"), [(" czk ", "CZK"), ("EURO", None), ("", None), (5, None), ("ÉUR", None)])
def test_a_currency_is_three_letters(value: Any, code: str | None) -> None:
    assert currency_of(value) == code


@given(st.integers(-(10**12), 10**12), st.integers(1, 10**6))
def test_dividing_rounds_half_even(numerator: int, denominator: int) -> None:
    exact = Decimal(numerator) / Decimal(denominator)
    assert divided(numerator, denominator) == round(exact)


@given(AMOUNTS, st.lists(st.integers(0, 10**15), min_size=1, max_size=12))
def test_shares_add_up_and_are_within_one_of_what_weighs(amount: int, weights: list[int]) -> None:
    given_out = shares(amount, weights)
    assert sum(given_out) == amount
    heavy = sum(weights)
    for share, weight in zip(given_out, weights, strict=True):
        if heavy:
            assert abs(share * heavy - amount * weight) < heavy
            assert weight or not share


@given(AMOUNTS, st.lists(st.integers(0, 10**15), min_size=1, max_size=12))
def test_shares_of_a_negative_total_mirror_those_of_a_positive(amount: int, weights: list[int]) -> None:
    assert shares(-amount, weights) == [-share for share in shares(amount, weights)]


def test_of_equal_remainders_the_earlier_gets_more() -> None:
    assert shares(100, [1, 1, 1]) == [34, 33, 33]


def test_when_nothing_weighs_anything_all_weigh_the_same() -> None:
    assert shares(5, [0, 0]) == [3, 2]
    assert shares(0, []) == []
