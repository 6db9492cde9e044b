"""Likelihoods are those of the story each model tells, and their gradients are their slopes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import roots_genlaguerre, roots_jacobi

from services.value.domain.models.arrays import Floats
from services.value.domain.models.bg import BetaGeometric, ModifiedBetaGeometric
from services.value.domain.models.families import FAMILIES
from services.value.domain.models.history import grouped
from services.value.domain.models.pareto import ParetoGamma
from services.value.domain.models.spend import GammaGamma, spends
from tests.unit.value.models.stating import columns, ints, summaries

STEP = 1e-6
THREE = [(0, 0, 6), (1, 2, 6), (3, 5, 6)]

Objective = Callable[[Floats], tuple[float, Floats]]


def slopes(likelihood: Objective, theta: Floats) -> Floats:
    """Central differences."""
    return np.array([
        (likelihood(theta + step)[0] - likelihood(theta - step)[0]) / (2 * STEP) for step in np.eye(len(theta)) * STEP
    ])  # fmt: skip


def of(family: str, rows: list[tuple[int, int, int]]) -> Objective:
    return FAMILIES[family].likelihood(grouped(*columns(rows)))


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=60)
@given(
    rows=st.lists(summaries(), min_size=1, max_size=6),
    theta=st.tuples(st.floats(-3, 2), st.floats(0, 6), st.floats(-3, 2), st.floats(-1, 6)),
)
def test_the_gradient_of_buying_is_its_slope(
    family: str, rows: list[tuple[int, int, int]], theta: tuple[float, ...]
) -> None:
    likelihood, at = of(family, rows), np.array(theta)
    value, gradient = likelihood(at)
    tolerance = 1e-6 * max(1.0, abs(value), float(np.abs(gradient).max()))
    assert gradient == pytest.approx(slopes(likelihood, at), rel=1e-4, abs=tolerance)


@given(
    rows=st.lists(st.tuples(st.integers(1, 300), st.integers(1, 10**9)), min_size=1, max_size=6),
    theta=st.tuples(st.floats(-2, 4), st.floats(-2, 4), st.floats(0, 20)),
)
def test_the_gradient_of_spending_is_its_slope(rows: list[tuple[int, int]], theta: tuple[float, ...]) -> None:
    likelihood = GammaGamma.likelihood(spends(ints(row[0] for row in rows), ints(row[1] for row in rows)))
    value, gradient = likelihood(np.array(theta))
    tolerance = 1e-6 * max(1.0, abs(value), float(np.abs(gradient).max()))
    assert gradient == pytest.approx(slopes(likelihood, np.array(theta)), rel=1e-4, abs=tolerance)


def over_rates(shape: float, per_day: float) -> tuple[Floats, Floats]:
    """Points and weights of the mean over a Gamma."""
    points, weights = roots_genlaguerre(80, shape - 1)
    return points / per_day, weights / weights.sum()


def over_chances(a: float, b: float) -> tuple[Floats, Floats]:
    """Points and weights of the mean over a Beta."""
    points, weights = roots_jacobi(80, b - 1, a - 1)
    return (1 + points) / 2, weights / weights.sum()


@pytest.mark.parametrize("model", [BetaGeometric(1.3, 5, 1.2, 2.2), ModifiedBetaGeometric(1.3, 5, 1.2, 2.2)])
@pytest.mark.parametrize("row", THREE)
def test_stopping_at_purchases_is_the_mean_over_rates_and_chances(
    model: BetaGeometric, row: tuple[int, int, int]
) -> None:
    x, recency, age = row
    (rates, by_rate), (chances, by_chance) = over_rates(model.r, model.alpha_days), over_chances(model.a, model.b)
    rate, chance = rates[:, None], chances[None, :]
    survived = x + model.survived_first
    density = (1 - chance) ** survived * rate**x * np.exp(-rate * age)
    if survived:
        density = density + chance * (1 - chance) ** (survived - 1) * rate**x * np.exp(-rate * recency)
    value, _ = of(model.family, [row])(np.log([model.r, model.alpha_days, model.a, model.b]))
    assert value == pytest.approx(np.log(by_rate @ density @ by_chance), abs=1e-6)


@pytest.mark.parametrize("row", THREE)
def test_stopping_unseen_is_the_mean_over_both_rates(row: tuple[int, int, int]) -> None:
    x, recency, age = row
    model = ParetoGamma(1.3, 5.0, 1.2, 7.0)
    rates, by_rate = over_rates(model.r, model.alpha_days)
    stops, by_stop = over_rates(model.s, model.beta_days)
    rate, stop = rates[:, None], stops[None, :]
    both = rate + stop
    gone = rate**x * stop / both * (np.exp(-both * recency) - np.exp(-both * age))
    density = gone + rate**x * np.exp(-both * age)
    value, _ = of(model.family, [row])(np.log([model.r, model.alpha_days, model.s, model.beta_days]))
    assert value == pytest.approx(np.log(by_rate @ density @ by_stop), abs=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_customer_twice_counts_twice_in_the_mean(family: str) -> None:
    theta = np.log([0.5, 20.0, 0.8, 3.0])
    a, b = (0, 0, 40), (3, 30, 40)
    once, twice = of(family, [a, b, b])(theta)[0], (of(family, [a])(theta)[0] + 2 * of(family, [b])(theta)[0]) / 3
    assert once == pytest.approx(twice, rel=1e-12)
