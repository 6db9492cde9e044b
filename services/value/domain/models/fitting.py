"""Fitting: the parameters under which what customers did was most likely.

Owns the search: L-BFGS-B on the logarithms of the parameters with the analytic gradient of the mean log-likelihood,
of a sample of the rows first where there are many, then Newton steps on all of them until the gradient is small. A
prior that is flat within a factor of 100 either side of the centre stops parameters from running away, and moves no
other.
Deterministic: the same rows give the same parameters, bit by bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from services.value.domain.models.arrays import Floats

SAMPLE_ROWS_MAX = 20_000
GRADIENT_SMALL = 1e-7
"""Of the mean log-likelihood by a parameter's logarithm: more steps change no digit that matters."""
ITERATIONS_MAX = 500
NEWTON_STEPS_MAX = 12
FLAT_WITHIN = float(np.log(100.0))
REACH = float(np.log(1e7))
"""How far from the centre a search goes at all."""
_STEP = 1e-4

Objective = Callable[[Floats], tuple[float, Floats]]


@dataclass(frozen=True, slots=True)
class Climbed:
    """Where a search ended: logarithms of the parameters, the mean log-likelihood there without the prior, and the
    largest part of the gradient with it. `evaluations` of all rows and of the sample together.
    """

    theta: Floats
    mean_log_likelihood: float
    gradient: float
    evaluations: int

    @property
    def converged(self) -> bool:
        """Whether it ended at a maximum."""
        return bool(np.isfinite(self.mean_log_likelihood)) and self.gradient <= 10 * GRADIENT_SMALL


def climb(
    likelihood: Objective,
    centre: Floats,
    customers: float,
    start: Floats | None = None,
    sample: Objective | None = None,
) -> Climbed:
    """The maximum of a mean log-likelihood; `start` from earlier parameters, `sample` that of some of the rows.

    `customers` weighs the prior: one customer's worth for all of it.
    """
    counted = [0]

    def with_prior(one: Objective) -> Objective:
        def lost(theta: Floats) -> tuple[float, Floats]:
            counted[0] += 1
            value, gradient = one(theta)
            against, slope = _prior(theta - centre, customers)
            return against - value, slope - gradient

        return lost

    every = with_prior(likelihood)
    cheap = every if sample is None else with_prior(sample)
    theta = _descend(cheap, centre if start is None else start, centre)
    ended = _polish(every, cheap, theta)
    if not ended[2] <= GRADIENT_SMALL and cheap is not every:
        ended = _polish(every, every, _descend(every, theta, centre))
    theta, lost, gradient = ended
    return Climbed(theta, _prior(theta - centre, customers)[0] - lost, gradient, counted[0])


def _descend(lost: Objective, start: Floats, centre: Floats) -> Floats:
    bounds = [(middle - REACH, middle + REACH) for middle in centre]
    options = {"maxiter": ITERATIONS_MAX, "ftol": 1e-13, "gtol": 1e-6}
    found = minimize(lost, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    theta: Floats = found.x
    return theta


def _prior(away: Floats, customers: float) -> tuple[float, Floats]:
    """What the prior takes off the mean log-likelihood, and its slope."""
    beyond = np.sign(away) * np.maximum(np.abs(away) - FLAT_WITHIN, 0.0)
    return float((beyond**2).sum()) / 2 / customers, beyond / customers


def _polish(every: Objective, cheap: Objective, theta: Floats) -> tuple[Floats, float, float]:
    """Newton steps on all rows as long as they help: where they end, what is lost there, and its largest slope.

    The curvature is measured once, of the cheap rows, and learns from each step (the update of BFGS).
    """
    lost, gradient = every(theta)
    curvature = _curvature(cheap, theta)
    for _ in range(NEWTON_STEPS_MAX):
        steepest = float(np.abs(gradient).max())
        if steepest <= GRADIENT_SMALL / 10 or curvature is None:
            break
        step = -np.linalg.solve(curvature, gradient)
        nearer, flatter = every(theta + step)
        if not float(np.abs(flatter).max()) < steepest:
            break
        bent = curvature @ step
        change = flatter - gradient
        if change @ step > 0:
            curvature += np.outer(change, change) / (change @ step) - np.outer(bent, bent) / (step @ bent)
        theta, lost, gradient = theta + step, nearer, flatter
    return theta, lost, float(np.abs(gradient).max())


def _curvature(lost: Objective, theta: Floats) -> Floats | None:
    """The matrix of second derivatives by differences of the gradient; None where it is not that of a minimum."""
    columns = []
    for step in np.eye(len(theta)) * _STEP:
        columns.append((lost(theta + step)[1] - lost(theta - step)[1]) / (2 * _STEP))
    matrix = np.array(columns)
    matrix = (matrix + matrix.T) / 2
    if not np.isfinite(matrix).all() or np.linalg.eigvalsh(matrix)[0] <= 0:
        return None
    return matrix
