"""Choosing: nothing after the day of the fit is looked at, figures are what they say, and rails hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.value.domain.models.bg import BetaGeometric
from services.value.domain.models.choosing import Rails, choose, held_out, origins, refusals
from services.value.domain.models.families import fit
from services.value.domain.models.history import grouped
from services.value.domain.models.judging import Judgement, calibration, judge, pooled
from services.value.domain.models.purchases import Purchases, purchases
from tests.support.buyers import simulated
from tests.unit.value.models.stating import floats, ints


def bought(*rows: tuple[int, int, int]) -> Purchases:
    """Of (customer, day, amount)."""
    return purchases(ints(r[0] for r in rows), ints(r[1] for r in rows), ints(r[2] for r in rows))


ANN_AND_BOB = ((7, 10, 100), (7, 40, 50), (7, 10, 20), (9, 30, 70), (7, 60, 10), (9, 80, 5))


def test_two_orders_of_a_day_are_one_purchase() -> None:
    known = bought(*ANN_AND_BOB)
    assert list(zip(known.customer, known.day, known.amount, strict=True)) == [
        (7, 10, 120), (7, 40, 50), (7, 60, 10), (9, 30, 70), (9, 80, 5),
    ]  # fmt: skip
    assert (known.first_day, known.last_day) == (10, 80)


def test_what_was_known_on_a_day_is_what_had_happened() -> None:
    then = bought(*ANN_AND_BOB).standing(60)
    assert then.customer.tolist() == [7, 9]
    assert then.frequency.tolist() == [2, 0]
    assert then.recency_days.tolist() == [50, 0]
    assert then.age_days.tolist() == [50, 30]
    assert then.amount_after_first.tolist() == [60, 0]
    assert bought(*ANN_AND_BOB).standing(20).customer.tolist() == [7]
    assert len(bought(*ANN_AND_BOB).standing(9).customer) == 0


def test_what_came_after_is_counted_for_whom_was_known() -> None:
    known = bought(*ANN_AND_BOB, (11, 70, 1_000))
    standing = known.standing(30)
    days, amounts = known.after(standing, 30, 60)
    assert (days.tolist(), amounts.tolist()) == ([2, 0], [60, 0])
    days, amounts = known.after(standing, 30, 80)
    assert (days.tolist(), amounts.tolist()) == ([2, 1], [60, 5])


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(-40, 40), st.integers(-10, 99)), min_size=1).flatmap(
    lambda rows: st.tuples(st.just(rows), st.permutations(rows))
))  # fmt: skip
def test_purchases_do_not_tell_in_which_order_they_came(both: tuple[list[tuple[int, int, int]], ...]) -> None:
    one, other = (bought(*rows) for rows in both)
    for a, b in ((one, other), (one.standing(3), other.standing(3))):
        assert all((x == y).all() for x, y in zip(vars(a).values(), vars(b).values(), strict=False))


def test_the_figures_of_a_judgement_are_what_they_say() -> None:
    found = judge(ints([0, 0, 1, 9, 8]), floats(0.5, 0.5, 1, 3, 2), floats(1, 2, 3, 5, 4), floats(1, 0, 1, 2, 4),
                  floats(10, 0, 10, 30, 50))  # fmt: skip
    assert (found.predicted, found.actual, found.customers) == (7, 8, 5)
    assert found.total_error == pytest.approx(-1 / 8)
    assert found.rmse == pytest.approx(((0.25 + 0.25 + 0 + 1 + 4) / 5) ** 0.5)
    assert found.mae == pytest.approx((0.5 + 0.5 + 0 + 1 + 2) / 5)
    assert (found.caught, found.catchable) == (0.3, 0.5)
    assert [tuple(one) for one in found.by_frequency] == [(0, 2, 1, 1), (1, 1, 1, 1), (7, 2, 5, 6)]
    assert calibration([found]) == pytest.approx(1 / 8)


def test_nobody_bought_is_no_division_by_nothing() -> None:
    nothing = judge(ints([0]), floats(0), floats(0), floats(0), floats(0))
    assert (nothing.total_error, nothing.caught, nothing.catchable, calibration([nothing])) == (0, 0, 0, 0)
    assert judge(ints([0]), floats(1), floats(1), floats(0), floats(0)).total_error == float("inf")


@given(st.permutations(range(10)))
def test_of_customers_alike_each_is_in_the_top_in_part_whatever_their_order(order: list[int]) -> None:
    value, spent = floats(5, 3, 3, 3, 3, 1, 1, 1, 1, 1), floats(10, 8, 0, 4, 0, 1, 1, 1, 1, 1)
    found = judge(ints(order), value[order], value[order], value[order], spent[order])
    assert found.spent_by_top == pytest.approx(10 + 12 / 4)


def parts(seed: int) -> list[Judgement]:
    draw = np.random.default_rng(seed)
    every = draw.integers(0, 9, 40), *draw.gamma(1, 1, (4, 40))
    return [judge(*(column[at : at + 20] for column in every)) for at in (0, 20)]


def test_pooled_parts_are_as_one() -> None:
    one, two = parts(1)
    both = pooled([one, two])
    assert both.actual == pytest.approx(one.actual + two.actual)
    assert both.rmse == pytest.approx(((one.rmse**2 + two.rmse**2) / 2) ** 0.5)
    assert sum(b.customers for b in both.by_frequency) == 40
    assert pooled([two, one]) == both


def test_the_last_third_of_the_window_is_held_out_in_three_parts() -> None:
    assert origins(0, 272) == ((182, 212, 242), 30)
    assert origins(100, 110) == ((103,), 7), "a short window holds no more than it can"
    assert origins(5, 5) == ((), 7)


def shop(seed: int, customers: int = 1_500) -> Purchases:
    """Simulated customers with each purchase's day; the truth is BG/NBD."""
    draw = np.random.default_rng(seed)
    buyers = simulated(BetaGeometric(0.8, 40.0, 0.9, 2.5), customers, 360, seed)
    rows = []
    for customer, (x, recency, age) in enumerate(zip(*buyers, strict=True)):
        days = {0, int(recency), *draw.integers(0, recency + 1, max(int(x) - 1, 0)).tolist()}
        rows += [(customer, 360 - int(age) + day, int(draw.gamma(6, 100)) + 1) for day in days]
    return bought(*rows)


def test_nothing_after_the_day_of_the_choice_is_looked_at() -> None:
    known = shop(3)
    until = known.day <= 300
    cut = Purchases(known.customer[until], known.day[until], known.amount[until])
    assert choose(known, 300) == choose(cut, 300)


def test_the_champion_catches_the_most_spend_of_those_within_the_rails() -> None:
    choice = choose(shop(4), 360)
    holding = [one for one in choice.candidates if not one.refused]
    assert {one.family for one in choice.candidates} == {"bg", "mbg", "pareto"}
    assert all(len(one.parts) == 3 for one in choice.candidates)
    assert choice.champion == max(holding, key=lambda one: one.judgement.caught).family


def test_nobody_is_champion_when_none_holds() -> None:
    choice = choose(shop(4), 360, Rails(total_error_max=0.0))
    assert choice.champion is None
    assert all("total error" in one.refused[0] for one in choice.candidates)


def test_a_window_without_a_day_before_it_has_no_champion() -> None:
    assert choose(bought((1, 5, 10)), 5).champion is None
    assert held_out(bought((1, 5, 10)), 4, 9) == []


def test_rails_refuse_in_words() -> None:
    fitted = fit("bg", grouped(*simulated(BetaGeometric(0.8, 40.0, 0.9, 2.5), 500, 300, 5)))
    assert refusals(fitted, None, 0.1) == ()
    assert "not finite" in refusals(replace(fitted, model=BetaGeometric(float("nan"), 1, 1, 1)), None, None)[0]
    assert "still rises" in refusals(replace(fitted, gradient=0.1), None, None)[0]
    assert "still rises" in refusals(replace(fitted, gradient=float("nan")), None, None)[0]
    assert "change tier" in refusals(fitted, None, 0.5)[0]
    assert "99 customers" in refusals(replace(fitted, customers=99), None, None)[0]
    wrong = judge(ints([0]), floats(2), floats(2), floats(1), floats(1))
    assert "total error +100.0%" in refusals(fitted, wrong, None)[0]
