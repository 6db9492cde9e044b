"""Fitting the policy's model to the ledger there is: which family tells best what comes, and what that proposes.

Owns the step from day rows to a policy document with a new `prediction`, and what speaks against putting it in force.
The estimates are models/. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from services.value.domain.days import date_of
from services.value.domain.models.choosing import Candidate, choose, refusals
from services.value.domain.models.families import fit, fit_spend, write_model
from services.value.domain.models.ledgers import Sums, bounds_of, purchases_of, ranked
from services.value.domain.money import DIGITS
from services.value.domain.policy import Policy
from services.value.domain.prediction import Prediction, read_prediction

HORIZON_DAYS = 365
YEARLY_DISCOUNT = "0.1"
SHARES = (0.05, 0.2, 0.5)
"""Of four grades the first is for the best twentieth, the first two for the best fifth, three for the better half."""


class TooLittle(ValueError):
    """There is too little to fit a model on; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Days:
    """Business days with a purchase, of all customers: parallel columns; `net` in 10⁻⁴ of the reporting currency.

    `sums`: what each of them comes to, in any order.
    """

    customer: Sequence[int]
    day: Sequence[int]
    net: Sequence[int]
    sums: Sequence[Sums]


def fitted(days: Days, document: Mapping[str, Any], policy: Policy, as_of_day: int) -> dict[str, Any]:
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
    proposed = deepcopy(dict(document))
    proposed["prediction"] = {
        "version": 1 + (policy.prediction.version if policy.prediction is not None else 0),
        "buying": write_model(buying.model),
        "spend": write_model(spend.model),
        "horizon_days": HORIZON_DAYS,
        "yearly_discount": YEARLY_DISCOUNT,
        **_rates(days.sums),
    }
    cut_offs, moves = _cut_offs(days.sums, proposed["prediction"], policy, as_of_day)
    refused = [*refusals(buying, judgement, moves)]
    proposed["prediction"]["cut_offs"] = cut_offs
    proposed["prediction"]["fitted"] = {
        "as_of": date_of(day).isoformat(),
        "customers": buying.customers,
        "log_likelihood": repr(round(buying.log_likelihood, 4)),
        "spend_correlation": repr(round(now.spends.correlation, 4)),
        "tier_moves": None if moves is None else repr(round(moves, 4)),
        "refused": refused,
    }
    candidates = [_shown(one) for one in choice.candidates]
    return {"document": proposed, "champion": family, "candidates": candidates, "refused": refused}


def _rates(sums: Sequence[Sums]) -> dict[str, str]:
    """Everybody's shares: of the gross what went back, of the rest what was left as margin after serving them."""
    gross, refunds = sum(one.gross for one in sums), sum(one.refunds for one in sums)
    return {
        "returned": _rate(refunds, max(1, gross)),
        "margin": _rate(sum(one.margin for one in sums), max(1, gross - refunds)),
    }


def _cut_offs(
    sums: Sequence[Sums], proposed: Mapping[str, Any], policy: Policy, day: int
) -> tuple[dict[str, str], float | None]:
    """The cut-offs in force, else new ones; and what share of the customers would change grade, if graded before."""
    prediction = read_prediction(proposed)
    if prediction is None:
        raise ValueError("a proposed model can be read")
    names = [grade.name for grade in policy.grades[:-1]]
    standing = policy.prediction
    if standing is None or not policy.cut_offs:
        worth = [int(one) for one in prediction.worths(sums, day).clv]
        bounds = falling(bounds_of(worth, shares_of(len(names))))
        return {name: str(Decimal(one).scaleb(-DIGITS)) for name, one in zip(names, bounds, strict=True)}, None
    was, now = (ranks(sums, model, policy.cut_offs, day) for model in (standing, prediction))
    moved = sum(one != other for one, other in zip(was, now, strict=True))
    kept = {name: str(Decimal(one).scaleb(-DIGITS)) for name, one in standing.cut_offs.items()}
    return kept, moved / max(1, len(sums))


def ranks(sums: Sequence[Sums], prediction: Prediction, cut_offs: Sequence[int], day: int) -> list[int]:
    """Which grade, from the best, 0, each of these customers has on a day."""
    return ranked(prediction.worths(sums, day).clv, cut_offs)


def shares_of(bounds: int) -> list[float]:
    """The best shares of the customers that so many cut-offs are to divide, until somebody sets them otherwise."""
    return list(SHARES) if bounds == len(SHARES) else [(n + 1) / (bounds + 1) for n in range(bounds)]


def falling(bounds: Sequence[int]) -> list[int]:
    """The same bounds, each above the next one and the last above 0: where all are alike there is no other way."""
    found: list[int] = []
    for bound in reversed(bounds):
        found.append(max(bound, 1 + (found[-1] if found else 0)))
    return found[::-1]


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
