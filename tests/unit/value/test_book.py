"""The book of business adds up, whoever is in it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.value.domain.book import Left, Period, churn, growth, migration, pareto, what_if
from tests.unit.value.stating import POLICY

periods = st.lists(st.builds(Period, st.integers(-900, 900), st.integers(-900, 900), st.booleans()), max_size=30)


def cents(text: str) -> Decimal:
    """An amount."""
    return Decimal(text)


def test_the_best_fifth_and_those_who_bring_four_fifths() -> None:
    found = pareto([8_000_000, 500_000, 500_000, 500_000, 500_000], "USD")
    assert (found["top"], found["four_fifths"]["customers"]) == (
        {"customers": 1, "share_of_customers": "0.2000", "share_of_revenue": "0.8000"},
        1,
    )
    assert found["curve"][-1] == {"share_of_customers": "1.0000", "share_of_revenue": "1.0000"}


def test_nobody_and_all_alike_have_a_book_too() -> None:
    empty = pareto([0, -5], "USD")
    assert (empty["customers"], empty["curve"], empty["top"]["share_of_revenue"]) == (0, [], "0.0000")
    alike = pareto([10_000] * 10, "USD")
    assert (alike["top"]["share_of_revenue"], alike["four_fifths"]["customers"]) == ("0.2000", 8)


@given(st.lists(st.integers(-1_000, 10**9), max_size=60))
def test_the_curve_never_falls_and_the_best_bring_at_least_their_share(revenues: list[int]) -> None:
    found = pareto(revenues, "USD")
    shares = [Decimal(point["share_of_revenue"]) for point in found["curve"]]
    assert shares == sorted(shares)
    assert all(Decimal(p["share_of_revenue"]) >= Decimal(p["share_of_customers"]) - Decimal("0.0001")
               for p in found["curve"])  # fmt: skip


@given(periods)
def test_growth_adds_up_to_the_difference(of_all: list[Period]) -> None:
    found = growth(of_all, "USD")
    # Amounts of a ten-thousandth are shown in cents: what adds up exactly is the sum before it is shown.
    exact = [Period(100 * one.now, 100 * one.before, one.earlier) for one in of_all]
    found = growth(exact, "USD")
    assert sum(cents(part["difference"]) for part in found["parts"]) == cents(found["difference"])
    assert cents(found["revenue"]) - cents(found["revenue_before"]) == cents(found["difference"])


@pytest.mark.parametrize(
    ("one", "kind"),
    [
        (Period(5, 0, False), "new"), (Period(5, 0, True), "returning"), (Period(5, 2, True), "expanded"),
        (Period(1, 2, True), "contracted"), (Period(0, 2, True), "lost"),
    ],
)  # fmt: skip
def test_every_customer_is_of_one_kind(one: Period, kind: str) -> None:
    parts: list[dict[str, Any]] = growth([one], "USD")["parts"]
    assert [part["kind"] for part in parts if part["customers"]] == [kind]


def test_who_is_kept_brings_what_he_brought_before() -> None:
    lost = [Period(0, 100_000, True), Period(0, 300_000, False), Period(5, 5, True)]
    found = what_if(lost, Decimal("0.5"), "USD")
    assert (found["lost_customers"], found["lost_revenue"], found["kept_revenue"]) == (2, "40.00", "20.00")


def test_moves_between_grades_count_everybody_once() -> None:
    found = migration({"a": "A", "b": "D"}, {"a": "A", "b": "B", "c": "D"}, POLICY)
    assert found["moves"] == [
        {"from": "none", "to": "D", "customers": 1},
        {"from": "A", "to": "A", "customers": 1},
        {"from": "D", "to": "B", "customers": 1},
    ]


def test_who_left_is_counted_by_cause_and_month_and_the_parts_add_up() -> None:
    gone = [Left(0, "price", 100_000), Left(40, "price", 50_000), Left(5, None, 10_000), Left(6, "service", 20_000)]
    found = churn(gone, "USD")
    assert (found["customers"], found["revenue"], found["explained"]) == (4, "18.00", "0.7500")
    assert [one["cause"] for one in found["by_cause"]] == ["price", None, "service"]
    assert sum(cents(one["revenue"]) for one in found["by_month"]) == cents(found["revenue"])
    assert found["by_month"][-1] == {"month": "1970-02", "cause": "price", "customers": 1, "revenue": "5.00"}
    assert churn([], "USD")["by_cause"] == []
