"""What a customer is expected to do and to be worth, by the model that the policy has in force.

Owns the policy's part `prediction`, and how a ledger becomes a summary. A function of (ledger, model, day); the
day is told with it. The published models are models/. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from services.value.domain.days import date_of
from services.value.domain.models.families import Buying, read_model
from services.value.domain.models.ledgers import Ledger, Rates, expectation
from services.value.domain.models.scoring import Terms
from services.value.domain.models.single import Single
from services.value.domain.models.spend import GammaGamma
from services.value.domain.money import shown
from services.value.domain.orders import Amounts

ALIVE_DIGITS, PURCHASES_DIGITS = 4, 4
AT_RISK_BELOW, LAPSED_BELOW = 0.5, 0.2
"""Probabilities that he is still there, below which he is at risk, and lapsed."""
SINGLES_MAX = 64


@dataclass(frozen=True)
class Prediction:
    """A promoted model. `returned` and `margin` are everybody's shares of gross and of net."""

    version: int
    buying: Buying
    spend: GammaGamma
    terms: Terms
    returned: float
    margin: float

    def looking(self, horizon_days: float) -> Prediction:
        """The same model with another horizon."""
        terms = Terms(horizon_days, self.terms.yearly_discount)
        return Prediction(self.version, self.buying, self.spend, terms, self.returned, self.margin)


def read_prediction(document: Any) -> Prediction | None:
    """The policy's `prediction`; None where no model was promoted. Raises ValueError, TypeError, KeyError."""
    if document is None:
        return None
    buying, spend = read_model(document["buying"]), read_model(document["spend"])
    if not isinstance(buying, Buying) or not isinstance(spend, GammaGamma):
        raise ValueError("buying is a model of purchases, spend one of amounts")
    terms = Terms(float(document["horizon_days"]), float(document["yearly_discount"]))
    if not (terms.horizon_days > 0 and terms.yearly_discount >= 0):
        raise ValueError("horizon_days is above 0, yearly_discount at least 0")
    rates = float(document["returned"]), float(document["margin"])
    return Prediction(int(document["version"]), buying, spend, terms, *rates)


def predicted(
    days: Mapping[int, Amounts], margin: int, currency: str, prediction: Prediction, as_of_day: int
) -> dict[str, Any] | None:
    """What is to come of a customer within the horizon, as of a business day; None for who never bought.

    `days`: business day → sums of one currency (10⁻⁴ of its unit); `margin`: his margin so far, in the same.
    """
    bought = sorted(day for day, amounts in days.items() if amounts.orders > 0 and day <= as_of_day)
    if not bought:
        return None
    ledger = Ledger(
        bought,
        sum(days[day].net for day in bought[1:]),
        sum(a.net for a in days.values()),
        sum(a.refunds for a in days.values()),
        margin,
    )
    rates = Rates(prediction.returned, prediction.margin)
    found = expectation(_single(prediction), prediction.spend, rates, ledger, as_of_day)
    return {
        "model": prediction.buying.family,
        "model_version": prediction.version,
        "as_of": date_of(as_of_day).isoformat(),
        "horizon_days": round(prediction.terms.horizon_days),
        "alive_probability": round(found.alive, ALIVE_DIGITS),
        "expected_purchases": round(found.purchases, PURCHASES_DIGITS),
        "expected_spend": shown(found.spend, currency),
        "clv": shown(found.clv, currency),
    }


def churn_of(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The risk that he is gone, and what that makes him; None where nothing is predicted."""
    if found is None:
        return None
    alive = found["alive_probability"]
    state = "lapsed" if alive < LAPSED_BELOW else "at_risk" if alive < AT_RISK_BELOW else "active"
    return {"risk": round(1 - alive, ALIVE_DIGITS), "state": state, "cause": None}


@lru_cache(SINGLES_MAX)
def _single(prediction: Prediction) -> Single:
    # Parameters are numbers: equal models share what they have worked out.
    return Single(prediction.buying, prediction.terms)


def total_days(cells: Iterable[tuple[int, Amounts]]) -> dict[int, Amounts]:
    """Business day → sums."""
    found: dict[int, Amounts] = {}
    for day, amounts in cells:
        found[day] = Amounts(*(a + b for a, b in zip(found.get(day, Amounts()), amounts, strict=True)))
    return found
