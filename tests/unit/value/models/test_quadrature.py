"""Rules of quadrature give the moments they must give, however small or lopsided the distribution is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import poch

from services.value.domain.models.quadrature import TRAPEZOID_POINTS, beta_rule, beta_trapezoid, unit_rule
from tests.unit.value.models.stating import floats


def moment(a: float, b: float, power: int) -> float:
    """The mean of p^power, p ~ Beta(a, b)."""
    return float(poch(a, power) / poch(a + b, power))


@given(st.floats(0.01, 50), st.floats(0.01, 20_010), st.integers(0, 31))
def test_sixteen_points_are_exact_for_polynomials_of_degree_31(a: float, b: float, power: int) -> None:
    points, weights = beta_rule(a, floats(b), 16)
    assert ((points > 0) & (points <= 1)).all()
    assert float((weights * points**power).sum()) == pytest.approx(moment(a, b, power), rel=1e-9)


@given(st.floats(0.05, 50), st.floats(0.05, 20_010), st.integers(0, 4))
def test_the_trapezoid_gives_the_moments(a: float, b: float, power: int) -> None:
    points, weights = beta_trapezoid(a, floats(b), floats(1e5))
    assert points.shape == (1, TRAPEZOID_POINTS)
    assert float((weights * points**power).sum()) == pytest.approx(moment(a, b, power), rel=1e-6)


@pytest.mark.parametrize("steep", [1.0, 1e3, 1e6])
def test_the_trapezoid_sees_what_happens_near_nothing(steep: float) -> None:
    """The mean of 1 / (1 + steep p), p uniform, is ln(1 + steep) / steep."""
    points, weights = beta_trapezoid(1.0, floats(1.0), floats(steep))
    assert float((weights / (1 + steep * points)).sum()) == pytest.approx(np.log1p(steep) / steep, rel=1e-8)


def test_a_rule_for_many_is_that_for_each() -> None:
    together = beta_rule(0.8, floats(2.4, 7.4, 20_002.4), 16)
    for row, b in enumerate((2.4, 7.4, 20_002.4)):
        alone = beta_rule(0.8, floats(b), 16)
        assert (together[0][row] == alone[0][0]).all()
        assert (together[1][row] == alone[1][0]).all()


def test_the_unit_rule_is_of_the_unit_interval() -> None:
    points, weights = unit_rule(4)
    assert float((weights * points**7).sum()) == pytest.approx(1 / 8, rel=1e-14)
