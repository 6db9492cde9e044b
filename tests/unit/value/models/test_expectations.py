"""Expectations: what is published, what brute force gives, and nothing absurd anywhere."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from scipy.special import roots_jacobi

from services.value.domain.models.arrays import Floats, Ints
from services.value.domain.models.bg import BetaGeometric, ModifiedBetaGeometric
from services.value.domain.models.families import Buying
from services.value.domain.models.history import History
from services.value.domain.models.pareto import ParetoGamma
from services.value.domain.models.scoring import Scores, Terms, scored
from services.value.domain.models.single import Single
from tests.unit.value.models.stating import BG, MBG, MODELS, PARETO, columns, floats, ints, models, summaries

YEAR = Terms(365.0, 0.1)
WEEKS_39 = Terms(273.0, 0.0)
FREQUENCIES = (0, 1, 2, 5, 10, 30, 100, 365, 1_089, 1_090, 5_000, 20_000)
AGES = (0, 1, 7, 30, 100, 365, 1_000, 3_650, 7_300)
HORIZONS = (1.0, 30.0, 365.0, 1_000.0, 3_650.0)


def one(model: Buying, x: int, recency: int, age: int, terms: Terms) -> tuple[float, float, float]:
    alive, expected, discounted = scored(model, ints([x]), ints([recency]), ints([age]), terms)
    return float(alive[0]), float(expected[0]), float(discounted[0])


def test_cdnow_customer_1_as_published() -> None:
    """Fader, Hardie, Lee: x = 2, t_x = 30.43, T = 38.86 weeks; 39 weeks ahead."""
    alive, expected, _ = one(BG, 2, 213, 272, WEEKS_39)
    assert (round(alive, 4), round(expected, 3)) == (0.7266, 1.226)


def test_a_heavy_buyer_of_pareto_as_published() -> None:
    """Fader and Hardie: x = 26, t_x = 30.86, T = 31 weeks."""
    assert round(one(PARETO, 26, 216, 217, WEEKS_39)[0], 4) == 0.9979


def test_somebody_who_bought_once_is_there_for_certain_only_by_bg() -> None:
    assert one(BG, 0, 0, 700, YEAR)[0] == 1
    assert 0 < one(MBG, 0, 0, 700, YEAR)[0] < 0.5
    assert 0 < one(PARETO, 0, 0, 700, YEAR)[0] < 0.5


def by_brute_force(model: BetaGeometric, x: int, age: int, horizon: float) -> float:
    """The mean over p by 300 points of Gauss-Jacobi."""
    places, weights = roots_jacobi(300, model.b + x + model.survived_first - 1, model.a - 1)
    chance = (1 + places) / 2
    bought = -np.expm1(-(model.r + x) * np.log1p(chance * horizon / (model.alpha_days + age))) / chance
    return float((weights * bought).sum() / weights.sum())


@pytest.mark.parametrize("model", [BG, MBG, BetaGeometric(0.24, 31, 1.0, 2.4), BetaGeometric(2, 60, 3.5, 0.7)])
def test_expected_purchases_are_right_to_a_millionth(model: BetaGeometric) -> None:
    for x, age, horizon in product((0, 1, 3, 10, 30, 100), (0, 7, 100, 1000), (30.0, 365.0)):
        found = float(model.expected_if_there(floats(x), floats(age), floats(horizon)[None, :])[0, 0])
        assert found == pytest.approx(by_brute_force(model, x, age, horizon), rel=1e-6)


def grid() -> tuple[Ints, Ints, Ints]:
    return columns(
        (x, recency, age) for x, age in product(FREQUENCIES, AGES) for recency in sorted({0, age // 2, age})
    )


EDGES: tuple[Buying, ...] = (
    *MODELS,
    *(BetaGeometric(0.24, 31, a, 2.4) for a in (1e-3, 0.5, 1 - 1e-9, 1.0, 1 + 1e-9, 1.5, 50.0)),
    *(ModifiedBetaGeometric(0.01, 0.1, a, 0.05) for a in (0.3, 1.0, 3.0)),
    *(ParetoGamma(0.5, 70, s, 80) for s in (0.01, 1 - 1e-12, 1.0, 1 + 1e-12, 40.0)),
    ParetoGamma(0.01, 1000.0, 30.0, 1.0),
)


@pytest.mark.parametrize("model", EDGES)
def test_everything_is_finite_and_nothing_is_negative(model: Buying) -> None:
    with np.errstate(invalid="raise", over="raise", divide="raise"):
        for horizon in HORIZONS:
            scores = scored(model, *grid(), Terms(horizon, 0.1))
            assert all(np.isfinite(part).all() and (part >= 0).all() for part in scores)
            assert (scores.alive <= 1).all()
            assert (scores.discounted <= scores.expected * (1 + 1e-12)).all()


@pytest.mark.parametrize(
    "low_high", [(BetaGeometric(0.24, 31, 1 - 1e-7, 2.4), BetaGeometric(0.24, 31, 1 + 1e-7, 2.4))]
)
def test_nothing_happens_at_a_1(low_high: tuple[BetaGeometric, BetaGeometric]) -> None:
    for x, age in product((0, 2, 50), (0, 100, 5000)):
        low, high = (one(model, x, age // 2, age, YEAR)[1] for model in low_high)
        assert low == pytest.approx(high, rel=1e-6)


def in_silence(model: Buying, x: int, recency: int, terms: Terms) -> Scores:
    ages = np.arange(recency, recency + 4_000, dtype=np.int64)
    return scored(model, np.full_like(ages, x), np.full_like(ages, recency), ages, terms)


@pytest.mark.parametrize("model", EDGES)
@pytest.mark.parametrize("x_recency", [(0, 0), (1, 1), (3, 40), (40, 200), (300, 300), (20_000, 3_000)])
def test_every_day_of_silence_lowers_what_is_expected(model: Buying, x_recency: tuple[int, int]) -> None:
    for terms in (YEAR, Terms(3_650.0, 0.1)):
        for part in in_silence(model, *x_recency, terms):
            assert (np.diff(part) <= part[:-1] * 1e-12).all()


@given(models(), summaries())
def test_who_bought_longer_ago_is_likelier_gone(model: Buying, row: tuple[int, int, int]) -> None:
    x, recency, age = row
    earlier, later = one(model, x, max(recency - 5, 0), age, YEAR), one(model, x, recency, age, YEAR)
    assert earlier[0] <= later[0] + 1e-12


@given(models(), summaries())
def test_one_customer_alone_has_the_scores_he_has_among_others(model: Buying, row: tuple[int, int, int]) -> None:
    single = Single(model, YEAR)
    for history in (History(*row), History(20_000, 0, 0)):
        assert single.score(history) == pytest.approx(one(model, *history, YEAR), rel=1e-9, abs=1e-300)


def test_scores_stand_in_the_order_of_the_customers() -> None:
    rows = [(3, 40, 90), (0, 0, 5), (3, 40, 90), (7, 10, 12)]
    together = scored(PARETO, *columns(rows), YEAR)
    for at, row in enumerate(rows):
        assert tuple(float(part[at]) for part in together) == pytest.approx(one(PARETO, *row, YEAR), rel=1e-12)


def test_nobody_has_no_scores() -> None:
    assert [len(part) for part in scored(BG, ints([]), ints([]), ints([]), YEAR)] == [0, 0, 0]


def discounted_day_by_day(model: Buying, x: int, age: int, terms: Terms) -> float:
    """Purchases of each sixteenth of a day, discounted to its middle."""
    moments = np.arange(0, terms.horizon_days + 1e-9, 1 / 16)
    bought: Floats = model.expected_if_there(floats(x), floats(age), moments[None, 1:])[0]
    each = np.diff(bought, prepend=0.0)
    return float((each * np.exp(-terms.daily * (moments[1:] - 1 / 32))).sum())


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("x_age", [(0, 0), (0, 100), (3, 10), (30, 60), (12, 365)])
def test_discounting_is_that_of_every_day(model: Buying, x_age: tuple[int, int]) -> None:
    alive, _, discounted = one(model, x_age[0], x_age[1], x_age[1], YEAR)
    assert discounted / alive == pytest.approx(discounted_day_by_day(model, *x_age, YEAR), rel=3e-6)
