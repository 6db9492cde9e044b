"""Fitting the policy's model to the ledger there is: which family tells best what comes, and what that proposes.

Owns the step from day rows to a policy document with a new `prediction`, and what speaks against putting it in force.
The estimates are models/. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from services.value.domain.days import date_of
from services.value.domain.models.choosing import Candidate, choose, refusals
from services.value.domain.models.families import fit, fit_spend, write_model
from services.value.domain.models.ledgers import purchases_of
from services.value.domain.prediction import Prediction

HORIZON_DAYS = 365
YEARLY_DISCOUNT = "0.1"


class TooLittle(ValueError):
    """There is too little to fit a model on; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Days:
    """Business days with a purchase, of all customers: parallel columns; `net` in 10⁻⁴ of the reporting currency.

    `refunds`, `margin`: everybody's sums, over all days.
    """

    customer: Sequence[int]
    day: Sequence[int]
    net: Sequence[int]
    refunds: int
    margin: int


def fitted(days: Days, document: Mapping[str, Any], standing: Prediction | None, as_of_day: int) -> dict[str, Any]:
    """{"document": the policy with the champion, "champion", "candidates", "refused"}. Raises TooLittle."""
    if not days.customer:
        raise TooLittle("nobody has bought anything in the reporting currency")
    known = purchases_of(days.customer, days.day, days.net)
    day = min(as_of_day, known.last_day)
    now = known.standing(day)
    choice = choose(known, day)
    family = choice.champion or (choice.candidates[0].family if choice.candidates else None)
    if family is None or not len(now.spends):
        raise TooLittle("too few customers bought on more than one day")
    buying, spend = fit(family, now.histories), fit_spend(now.spends)
    judgement = next((one.judgement for one in choice.candidates if one.family == family), None)
    refused = [*refusals(buying, judgement, None)]
    gross = max(1, sum(days.net))
    proposed = deepcopy(dict(document))
    proposed["prediction"] = {
        "version": 1 + (standing.version if standing is not None else 0),
        "buying": write_model(buying.model),
        "spend": write_model(spend.model),
        "horizon_days": HORIZON_DAYS,
        "yearly_discount": YEARLY_DISCOUNT,
        "returned": _rate(days.refunds, gross),
        "margin": _rate(days.margin, max(1, gross - days.refunds)),
        "fitted": {
            "as_of": date_of(day).isoformat(),
            "customers": buying.customers,
            "log_likelihood": repr(round(buying.log_likelihood, 4)),
            "spend_correlation": repr(round(now.spends.correlation, 4)),
            "refused": refused,
        },
    }
    candidates = [_shown(one) for one in choice.candidates]
    return {"document": proposed, "champion": family, "candidates": candidates, "refused": refused}


def _shown(one: Candidate) -> dict[str, Any]:
    return {
        "family": one.family,
        "total_error": round(one.judgement.total_error, 4),
        "rmse": round(one.judgement.rmse, 4),
        "caught": round(one.judgement.caught, 4),
        "refused": list(one.refused),
    }


def _rate(part: int, whole: int) -> str:
    return repr(round(min(1.0, max(-1.0, part / whole)), 6))
