"""Tiers follow from day totals alone: grade by revenue, margin beside it, since when."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.value.domain.days import date_of
from services.value.domain.tiers import Ranks, actual_rank, by_revenue, grade_of
from tests.unit.value.stating import POLICY

UNIT = 10_000
LOW = Ranks("low", "unknown")


@pytest.mark.parametrize(
    ("revenue", "grade"),
    [(2000, "A"), (1999, "B"), (750, "B"), (749, "C"), (150, "C"), (149, "D"), (0, "D"), (-5, "D")],
)
def test_a_grade_begins_at_its_bound(revenue: int, grade: str) -> None:
    assert grade_of(revenue * UNIT, POLICY).name == grade


@pytest.mark.parametrize(
    ("margin", "actual"), [(400, "high"), (399, "medium"), (100, "medium"), (99, "low"), (-1, "low")]
)
def test_the_actual_value_follows_the_margin(margin: int, actual: str) -> None:
    assert actual_rank(margin * UNIT, POLICY) == actual


def test_somebody_without_a_day_is_in_the_last_grade_since_never() -> None:
    found = by_revenue({}, LOW, POLICY)
    purposes = found.pop("purposes")
    assert found == {
        "grade": "D",
        "actual": "low",
        "strategic": "unknown",
        "since": None,
        "was": None,
        "because": None,
        "purpose": "serve through low-cost channels",
        "next_drop_at": None,
        "policy_version": 1,
    }
    assert purposes["grade"] == found["purpose"]
    assert set(purposes) == {"grade", "actual", "strategic"}


def test_since_is_the_day_that_brought_him_where_he_is_to_stay() -> None:
    days = {0: 100 * UNIT, 10: 700 * UNIT, 20: -500 * UNIT, 30: 600 * UNIT, 40: UNIT}
    found = by_revenue(days, LOW, POLICY)
    assert (found["grade"], found["since"]) == ("B", "1970-01-31")
    assert (found["was"], found["because"]) == ("C", "booking")


def test_who_never_left_the_last_grade_is_in_it_since_his_first_day() -> None:
    assert by_revenue({5: UNIT, 9: UNIT}, LOW, POLICY)["since"] == "1970-01-06"


def test_a_business_day_has_a_date() -> None:
    assert (date_of(0).isoformat(), date_of(-1).isoformat()) == ("1970-01-01", "1969-12-31")


@given(
    st.dictionaries(st.integers(0, 60), st.integers(-(10**7), 10**7), max_size=8), st.randoms(use_true_random=False)
)
def test_the_tier_does_not_depend_on_the_order_of_days(days: dict[int, int], order: random.Random) -> None:
    shuffled = list(days.items())
    order.shuffle(shuffled)
    found = by_revenue(dict(shuffled), LOW, POLICY)
    assert found == by_revenue(days, LOW, POLICY)
    assert found["grade"] == grade_of(sum(days.values()), POLICY).name
