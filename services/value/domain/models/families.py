"""The families of models: fitting one, and the form in which a fit is kept.

Owns the registry, what a fit tells of itself, and reading it back exactly: numbers are kept as text that gives the
same number again. Promotion and versions are events of others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from hashlib import blake2b
from math import isfinite
from typing import Any

import numpy as np

from services.value.domain.models.arrays import Floats
from services.value.domain.models.bg import BetaGeometric, ModifiedBetaGeometric
from services.value.domain.models.fitting import SAMPLE_ROWS_MAX, Climbed, climb
from services.value.domain.models.history import Histories
from services.value.domain.models.pareto import ParetoGamma
from services.value.domain.models.spend import GammaGamma, Spends

Buying = BetaGeometric | ParetoGamma
"""A model of when customers buy."""

FAMILIES: dict[str, type[BetaGeometric] | type[ParetoGamma]] = {
    one.family: one for one in (BetaGeometric, ModifiedBetaGeometric, ParetoGamma)
}


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted model of buying or spending, and how the fit went.

    `log_likelihood` is the sum over customers, times in days; `gradient` the largest part of the mean's at the end;
    `fingerprint` tells whether two fits are of the same customers.
    """

    model: Buying | GammaGamma
    log_likelihood: float
    customers: int
    rows: int
    gradient: float
    converged: bool
    evaluations: int
    fingerprint: str


def fit(family: str, rows: Histories, start: Buying | None = None) -> Fit:
    """Fit a family of FAMILIES; `start` from an earlier fit, which saves time and changes nothing else.

    Raises KeyError for an unknown family, ValueError without customers.
    """
    which = FAMILIES[family]
    if not len(rows):
        raise ValueError("a model cannot be fitted without customers")
    likelihood = which.likelihood(rows)
    sample = rows.sampled(SAMPLE_ROWS_MAX)
    cheap = None if sample is rows else which.likelihood(sample)
    begin = _theta(start) if start is not None and start.family == family else None
    ended = climb(likelihood, which.centre(rows), rows.total, begin, cheap)
    model = which(*(float(one) for one in np.exp(ended.theta)))
    return _told(model, ended, rows.total, rows.frequency, rows.recency_days, rows.age_days, rows.customers)


def fit_spend(rows: Spends, start: GammaGamma | None = None) -> Fit:
    """Fit Gamma-Gamma. Raises ValueError without customers who bought again."""
    if not len(rows):
        raise ValueError("a model of spend cannot be fitted without repeated purchases")
    begin = None if start is None else np.log([start.p, start.q - 1, start.gamma])
    ended = climb(GammaGamma.likelihood(rows), GammaGamma.centre(rows), rows.total, begin)
    return _told(GammaGamma.of(ended.theta), ended, rows.total, rows.purchases, rows.amount, rows.customers)


def _told(model: Buying | GammaGamma, ended: Climbed, total: float, *columns: Floats) -> Fit:
    digest = blake2b(digest_size=16)
    for column in columns:
        digest.update(np.ascontiguousarray(column, dtype="<f8").tobytes())
    return Fit(
        model,
        ended.mean_log_likelihood * total,
        round(total),
        len(columns[0]),
        ended.gradient,
        ended.converged,
        ended.evaluations,
        digest.hexdigest(),
    )


def _theta(model: Buying) -> Floats:
    return np.log(list(asdict(model).values()))


def write_model(model: Buying | GammaGamma) -> dict[str, str]:
    """The stored form: the family, and each parameter as the shortest text that reads as the same number."""
    return {"family": model.family, **{name: repr(float(value)) for name, value in asdict(model).items()}}


def read_model(document: Mapping[str, Any]) -> Buying | GammaGamma:
    """From the stored form. Raises ValueError naming what is wrong."""
    family = document.get("family")
    which = {**FAMILIES, GammaGamma.family: GammaGamma}.get(str(family))
    if which is None:
        raise ValueError(f"there is no family of models {family!r}")
    values = {}
    for name in (field.name for field in fields(which)):
        try:
            values[name] = float(document[name])
        except (KeyError, TypeError, ValueError):
            raise ValueError(f"the model's {name} is missing or no number") from None
        if not (isfinite(values[name]) and values[name] > 0):
            raise ValueError(f"the model's {name} is not above 0")
    if which is GammaGamma and values["q"] <= 1:
        raise ValueError("the model's q is not above 1: no mean exists")
    return which(**values)
