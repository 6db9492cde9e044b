"""Rules for integrals: points and weights whose weighted sum is the integral.

Owns Gauss-Jacobi over a Beta distribution, Gauss-Legendre over the unit interval, and the trapezoid over the log-odds
of a Beta distribution for integrands that are too steep for Gauss. Knows no model.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from services.value.domain.models.arrays import Floats

NEGLIGIBLE = 45.0
"""Weights below e^-45 of the largest are left out."""
TRAPEZOID_POINTS = 128
_FLAT = 1e-10
"""Where integrand and weight differ less than this from their limit, the rest of the sum is geometric."""


def beta_rule(a: float, b: Floats, points: int) -> tuple[Floats, Floats]:
    """Points and weights of the mean over p ~ Beta(a, b), one row for each b.

    Golub and Welsch (1969): the points are the eigenvalues of the recurrence's matrix, the weights the squares of the
    first parts of its eigenvectors. The matrix is that of the unit interval, written without differences, so that
    points near 0 (b in the thousands) keep their digits.
    """
    k = np.arange(1.0, points)[None, :]
    b = b[:, None]
    s = a + b
    matrix = np.zeros((len(b), points, points))
    diagonal, beside = np.arange(points), np.arange(points - 1)
    matrix[:, 0, 0] = a / s[:, 0]
    matrix[:, diagonal[1:], diagonal[1:]] = (2 * k * (k + s - 1) + (s - 2) * a) / ((2 * k + s - 2) * (2 * k + s))
    squares = np.empty((len(b), points - 1))
    squares[:, :1] = a * b / (s * s * (s + 1))
    k = k[:, 1:]
    squares[:, 1:] = k * (k + b - 1) * (k + a - 1) * (k + s - 2)
    squares[:, 1:] /= (2 * k + s - 2) ** 2 * (2 * k + s - 1) * (2 * k + s - 3)
    # eigh reads the lower triangle only
    matrix[:, beside + 1, beside] = np.sqrt(squares)
    values, vectors = np.linalg.eigh(matrix)
    return np.clip(values, 1e-300, 1.0), vectors[:, 0, :] ** 2


@cache
def unit_rule(points: int) -> tuple[Floats, Floats]:
    """Gauss-Legendre points and weights of the integral from 0 to 1."""
    places, weights = np.polynomial.legendre.leggauss(points)
    return (places + 1) / 2, weights / 2


def beta_trapezoid(a: float, b: Floats, steepness: Floats) -> tuple[Floats, Floats]:
    """Points and weights of the mean over p ~ Beta(a, b), one row for each b, equally spaced in the log-odds of p.

    For integrands that change over p ~ 1/`steepness`, however small, and are level beyond: in the log-odds these and
    the density are analytic in a strip, so the error falls exponentially with the spacing. Both ends stand for all
    that lies beyond them, where the terms are a geometric series.
    """
    spread_a, spread_b = _spread(np.full_like(b, a)), _spread(b)
    middle = np.log(a / b)
    flat = np.log(_FLAT / np.maximum(steepness, a + b))
    low = np.maximum(middle - spread_a[0] - spread_b[1], np.minimum(flat, middle))
    high = np.minimum(middle + spread_a[1] + spread_b[0], np.maximum(-np.log(_FLAT / (a + b)), middle))
    step = (high - low) / (TRAPEZOID_POINTS - 1)
    odds = low[:, None] + step[:, None] * np.arange(TRAPEZOID_POINTS)
    log_p, log_rest = -np.logaddexp(0.0, -odds), -np.logaddexp(0.0, odds)
    weights = a * log_p + b[:, None] * log_rest
    weights = np.exp(weights - weights.max(axis=1, keepdims=True))
    weights[:, 0] *= 1 + 1 / np.expm1(a * step)
    weights[:, -1] *= 1 + 1 / np.expm1(np.minimum(b * step, 700.0))
    return np.exp(log_p), weights / weights.sum(axis=1, keepdims=True)


def _spread(shape: Floats) -> tuple[Floats, Floats]:
    """How far ln G, G ~ Gamma(shape), goes below and above its mode until its density is negligible."""
    narrow = np.sqrt(2 * NEGLIGIBLE / shape)
    return narrow + NEGLIGIBLE / shape, np.minimum(narrow, np.log(2 + 2 * NEGLIGIBLE / shape))
