"""Silence moves a customer on a day known beforehand; a purchase brings him back; looking changes nothing."""

from __future__ import annotations

import random
from datetime import date
from math import isfinite
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.value.domain.days import date_of, day_of
from services.value.domain.ledger import Cell
from services.value.domain.orders import Amounts
from tests.unit.value.foreseen import GRADING, MODEL, REGULAR, UNIT, answered_on, bought, policy, told_on

LAST = REGULAR[-1]
HISTORIES = st.lists(st.integers(20_000, 20_400), min_size=1, max_size=12, unique=True)


def drop_day(body: dict[str, Any]) -> int:
    """The business day on which the grade falls next."""
    return day_of(date.fromisoformat(body["tier"]["next_drop_at"][:10]))


def test_a_customer_who_does_nothing_falls_a_tier_on_the_predicted_day_and_not_before() -> None:
    now = answered_on(LAST, bought(*REGULAR))
    assert now["tier"]["grade"] == "A"
    falls = drop_day(now)
    assert falls > LAST
    before, then = answered_on(falls - 1, bought(*REGULAR)), answered_on(falls, bought(*REGULAR))
    assert (before["tier"]["grade"], drop_day(before)) == ("A", falls)
    assert (then["tier"]["grade"], then["tier"]["was"], then["tier"]["because"]) == ("B", "A", "silence")
    assert then["tier"]["since"] == date_of(falls).isoformat()
    assert drop_day(then) > falls


def test_a_purchase_restores_the_tier() -> None:
    falls = drop_day(answered_on(LAST, bought(*REGULAR)))
    again = answered_on(falls + 1, bought(*REGULAR, falls + 1))
    assert (again["tier"]["grade"], again["tier"]["was"], again["tier"]["because"]) == ("A", "B", "booking")
    assert again["tier"]["since"] == date_of(falls + 1).isoformat()
    assert drop_day(again) > falls + 1


def test_silence_goes_on_to_the_last_grade_and_then_has_nothing_more_to_take() -> None:
    body = answered_on(LAST, bought(*REGULAR))
    grades = [body["tier"]["grade"]]
    while body["tier"]["next_drop_at"] is not None:
        body = answered_on(drop_day(body), bought(*REGULAR))
        grades.append(body["tier"]["grade"])
    assert grades == ["A", "B", "C", "D"]


@settings(max_examples=40, deadline=None)
@given(HISTORIES, st.integers(0, 1500))
def test_what_is_told_stays_as_it_is_until_the_day_that_is_marked(days: list[int], silent: int) -> None:
    cells = bought(*days)
    body, mark = told_on(max(days) + silent, cells)
    assert body is not None
    assert mark is not None
    assert mark.day <= max(days) + silent
    assert told_on(mark.day, cells) == (body, mark), "it is as of the day on which it changed last"
    if mark.next_look is not None:
        assert told_on(mark.next_look - 1, cells) == (body, mark)
        moved = told_on(mark.next_look, cells)
        assert moved.mark is not None
        assert moved.mark.day == mark.next_look
        assert (moved.mark.grade, moved.mark.state) != (mark.grade, mark.state)


@settings(max_examples=30, deadline=None)
@given(HISTORIES, st.randoms(use_true_random=False))
def test_in_any_order_of_rows_he_falls_on_the_same_days(days: list[int], chance: random.Random) -> None:
    cells = bought(*days)
    mixed = list(cells)
    chance.shuffle(mixed)
    assert told_on(21_000, mixed) == told_on(21_000, cells)


@settings(max_examples=30, deadline=None)
@given(HISTORIES, st.integers(0, 1500))
def test_stepping_from_mark_to_mark_comes_where_looking_once_comes(days: list[int], silent: int) -> None:
    cells, today = bought(*days), max(days) + silent
    worth = told_on(max(days), cells)
    while worth.mark is not None and worth.mark.next_look is not None and worth.mark.next_look <= today:
        worth = told_on(worth.mark.next_look, cells)
    assert worth == told_on(today, cells)


def test_without_cut_offs_only_the_state_of_the_relationship_moves() -> None:
    by = policy(prediction={name: part for name, part in MODEL.items() if name != "cut_offs"})
    body, mark = told_on(LAST, bought(*REGULAR), by)
    assert body is not None
    assert mark is not None
    assert (body["tier"]["next_drop_at"], mark.grade, mark.state) == (None, "", "active")
    assert mark.next_look is not None
    moved, later = told_on(mark.next_look, bought(*REGULAR), by)
    assert moved is not None
    assert later is not None
    assert (moved["churn"]["state"], later.state) == ("at_risk", "at_risk")
    assert moved["tier"] == body["tier"]


def test_who_only_cost_us_something_is_in_the_last_grade_and_never_falls() -> None:
    body, mark = told_on(20_500, [Cell(20_000, "", "USD", Amounts(cost=UNIT))])
    assert body is not None
    assert (body["tier"]["grade"], body["tier"]["next_drop_at"], body["churn"]) == ("D", None, None)
    assert mark is None


@pytest.mark.parametrize("day", [-7_300, 0, 47_482])
def test_a_purchase_of_1950_1970_or_2100_is_graded_like_any_other(day: int) -> None:
    body, mark = told_on(day, bought(day))
    assert body is not None
    assert mark is not None
    assert body["tier"]["since"] == date_of(day).isoformat()


def test_a_million_purchases_on_one_day_are_one_purchase_of_much() -> None:
    many = [Cell(20_000, "", "USD", Amounts(orders=10**6, net=40 * UNIT * 10**6, paid=0))]
    body, _ = told_on(20_000, many)
    assert body is not None
    assert body["actual"]["revenue"] == "40000000.00"
    assert isfinite(float(body["predicted"]["clv"]))
    assert body["predicted"]["expected_purchases"] < 10


def test_the_model_in_force_grades_with_its_own_words_of_purpose() -> None:
    tier = answered_on(LAST, bought(*REGULAR))["tier"]
    assert tier["purpose"] == GRADING.grades[0].purpose
    assert tier["purposes"]["actual"] == GRADING.purposes[tier["actual"]]
