"""What a customer is expected to do and to be worth, by the model that the policy has in force.

Owns the policy's part `prediction`, and how what is expected is told. A function of (ledger, model, day); the day is
told with it. The published models are models/. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from services.value.domain.days import date_of
from services.value.domain.models.families import Buying, read_model
from services.value.domain.models.ledgers import Prospect, Rates, Sums, Worths, columns_of, prospect, worths
from services.value.domain.models.scoring import Terms
from services.value.domain.models.single import Single
from services.value.domain.models.spend import GammaGamma
from services.value.domain.money import amount_in, shown

PURCHASES_DIGITS = 4
SINGLES_MAX = 64


@dataclass(frozen=True)
class Prediction:
    """A promoted model. `returned` and `margin` are everybody's shares of gross and of net.

    `cut_offs`: grade → the worth of what is to come from which on he has it, in 10⁻⁴ of the unit, falling; empty for
    a model that grades nobody.
    """

    version: int
    buying: Buying
    spend: GammaGamma
    terms: Terms
    returned: float
    margin: float
    cut_offs: Mapping[str, int]

    def looking(self, horizon_days: float) -> Prediction:
        """The same model with another horizon. Its cut-offs are for its own: it tells what is to come, no grades."""
        return replace(self, terms=Terms(horizon_days, self.terms.yearly_discount))

    @property
    def rates(self) -> Rates:
        """Everybody's shares."""
        return Rates(self.returned, self.margin)

    def worths(self, sums: Sequence[Sums], day: int) -> Worths:
        """What it makes of many customers at once, as of a business day."""
        return worths(self.buying, self.spend, self.terms, self.rates, columns_of(sums, day))

    def prospect(self, sums: Sums) -> Prospect:
        """What this model makes of one customer's bookings."""
        return prospect(_single(self.buying, self.terms), self.spend, self.rates, sums)


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
    return Prediction(int(document["version"]), buying, spend, terms, *rates, _cut_offs(document.get("cut_offs")))


def _cut_offs(said: Any) -> dict[str, int]:
    if said is None:
        return {}
    found = {str(grade): amount_in(value) for grade, value in said.items()}
    bounds = list(found.values())
    if not bounds or min(bounds) <= 0 or bounds != sorted(set(bounds), reverse=True):
        raise ValueError("cut_offs are amounts above 0, one a grade, each below the one before")
    return found


def told(of: Prospect, currency: str, prediction: Prediction, day: int) -> dict[str, Any]:
    """What is to come of a customer within the horizon, as of a business day."""
    found = of.on(day)
    return {
        "model": prediction.buying.family,
        "model_version": prediction.version,
        "as_of": date_of(day).isoformat(),
        "horizon_days": round(prediction.terms.horizon_days),
        "alive_probability": found.alive,
        "expected_purchases": round(found.purchases, PURCHASES_DIGITS),
        "expected_spend": shown(found.spend, currency),
        "clv": shown(found.clv, currency),
    }


@lru_cache(SINGLES_MAX)
def _single(buying: Buying, terms: Terms) -> Single:
    # Parameters are numbers: equal models share what they have worked out.
    return Single(buying, terms)
