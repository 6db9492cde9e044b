"""What he needs next: whole-number weights that forget nothing by their order, and voices of what others bought."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.value.domain.models.discover import Discovery, discover, ease, learn, together
from services.value.domain.models.replenish import (
    EPOCH_DAY,
    HALF_LIFE_DAYS,
    Bought,
    bought,
    everybody,
    replenish,
    weight,
)
from tests.unit.value.models.stating import ints

DAY = 20_500
pairs = st.lists(st.tuples(st.sampled_from("abcde"), st.integers(DAY - 700, DAY)), max_size=20)


@given(st.integers(EPOCH_DAY, EPOCH_DAY + 30_000))
def test_a_purchase_a_half_life_later_weighs_twice_exactly(day: int) -> None:
    assert weight(day + HALF_LIFE_DAYS) in (2 * weight(day), 2 * weight(day) + 1)
    assert weight(day) < weight(day + 1)


def test_days_long_before_the_first_weigh_less_and_then_nothing() -> None:
    assert 0 < weight(EPOCH_DAY - 365) < weight(EPOCH_DAY)
    assert weight(-7_000) == 0


@given(pairs.flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))))
def test_neither_order_nor_copies_make_a_difference(both: tuple[list[tuple[str, int]], ...]) -> None:
    assert bought(both[0]) == bought([*both[1], *both[1][:3]])


@given(pairs, pairs)
def test_everybodys_is_the_sum_of_each(one: list[tuple[str, int]], other: list[tuple[str, int]]) -> None:
    a, b = bought(one), bought(other)
    both = everybody([a, b])
    assert both == everybody([b, a])
    assert {item: both[item] - everybody([a]).get(item, 0) for item in b} == everybody([b])


def test_what_was_bought_oftener_and_later_comes_first_with_its_reason() -> None:
    own = bought([("milk", DAY - day) for day in (0, 7, 14, 21)] + [("salt", DAY - 200), ("tea", DAY - 1)])
    first, second, third = replenish(own, {}, DAY)
    assert (first.item, first.days, first.last_day, first.every_days) == ("milk", 4, DAY, 7)
    assert (second.item, second.every_days) == ("tea", None)
    assert third.item == "salt"
    assert first.score == pytest.approx(sum(2 ** (-day / 90) for day in (0, 7, 14, 21)), rel=1e-12)


def test_of_items_bought_alike_the_one_everybody_buys_comes_first() -> None:
    own = bought([("tea", DAY), ("milk", DAY)])
    assert [one.item for one in replenish(own, {"tea": 3, "milk": 1}, DAY)] == ["tea", "milk"]
    assert [one.item for one in replenish(own, {}, DAY)] == ["milk", "tea"], "by name where nothing tells"
    assert replenish({}, {"tea": 3}, DAY) == []


def test_a_list_has_no_more_than_was_asked_for() -> None:
    own = {str(n): Bought(weight(DAY), 1, DAY, DAY) for n in range(30)}
    assert len(replenish(own, {}, DAY, limit=7)) == 7


def test_customers_who_bought_both_are_counted_once_each() -> None:
    counts = together(ints([5, 5, 5, 8, 8, 9]), ints([0, 1, 1, 0, 1, 2]), 4)
    assert counts.tolist() == [[2, 2, 0, 0], [2, 2, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]


def test_counts_of_two_sets_of_customers_add_up() -> None:
    draw = np.random.default_rng(2)
    customer, item = draw.integers(0, 40, 300), draw.integers(0, 12, 300)
    some = customer < 17
    added = together(customer[some], item[some], 12) + together(customer[~some], item[~some], 12)
    assert (together(customer, item, 12) == added).all()


def test_ease_is_the_ridge_regression_of_each_item_on_the_others() -> None:
    draw = np.random.default_rng(3)
    who = (draw.random((60, 6)) < 0.4).astype(float)
    weights = ease(who.T @ who, 5.0)
    for item in range(6):
        rest = [other for other in range(6) if other != item]
        x = who[:, rest]
        alone = np.linalg.solve(x.T @ x + 5.0 * np.eye(5), x.T @ who[:, item])
        assert weights[rest, item] == pytest.approx(alone, abs=1e-12)
        assert weights[item, item] == 0


def test_what_others_who_bought_the_same_have_is_discovered_with_its_reason() -> None:
    customer = ints(n for n in range(40) for _ in range(2))
    item = ints(i for n in range(40) for i in ((0, 1) if n % 2 else (2, 3)))
    voices = learn(customer, item, 5, ridge=1.0, kept=3)
    assert [(one.item, one.because) for one in discover(voices, [0])] == [(1, 0)]
    assert [(one.item, one.because) for one in discover(voices, [2, 2])] == [(3, 2)]
    assert discover(voices, [0, 1]) == []
    assert discover(voices, []) == []
    assert discover(voices, [4]) == [], "nobody has bought it: it speaks for nothing"


@given(st.permutations(range(6)))
def test_customers_in_another_order_speak_alike(order: list[int]) -> None:
    rows = [(0, 0), (0, 1), (1, 1), (1, 2), (2, 0), (2, 1)]
    one = learn(ints(r[0] for r in rows), ints(r[1] for r in rows), 3, ridge=0.5)
    other = learn(ints(rows[at][0] for at in order), ints(rows[at][1] for at in order), 3, ridge=0.5)
    assert all((a == b).all() for a, b in zip(one, other, strict=True))
    assert all(isinstance(found, Discovery) for found in discover(one, [0]))
