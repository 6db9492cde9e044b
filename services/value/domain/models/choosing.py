"""Choosing: which family of models tells best what comes, and whether a new fit may replace the one in use.

Owns the rolled holdout and the guard rails. Pure: what was known on earlier days is made of the purchases themselves;
nothing after the day of the fit is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import isfinite

import numpy as np

from services.value.domain.models.families import FAMILIES, Buying, Fit, fit, fit_spend
from services.value.domain.models.judging import Judgement, judge, pooled
from services.value.domain.models.purchases import Purchases
from services.value.domain.models.scoring import Terms, scored
from services.value.domain.models.spend import GammaGamma

PARTS, HELD_OUT_PARTS = 9, 3
"""The window is cut into so many parts; each of the last is predicted from all that is before it."""
PART_DAYS_MIN = 7


@dataclass(frozen=True, slots=True)
class Rails:
    """What a fit must hold to be promoted; `tier_moves_max` is a share of the customers."""

    total_error_max: float = 0.25
    tier_moves_max: float = 0.2
    gradient_max: float = 1e-5
    customers_min: int = 100


@dataclass(frozen=True, slots=True)
class Candidate:
    """A family in the rolled holdout: judged over all held-out parts and on each, and what speaks against it."""

    family: str
    judgement: Judgement
    parts: tuple[Judgement, ...]
    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """The champion of the rolled holdout (None: no candidate holds) and all candidates, the best first."""

    champion: str | None
    candidates: tuple[Candidate, ...]
    origins: tuple[int, ...]
    part_days: int


def origins(first_day: int, last_day: int) -> tuple[tuple[int, ...], int]:
    """The days up to which the rolled holdout knows, and for how many days after each it predicts."""
    part = max((last_day - first_day) // PARTS, PART_DAYS_MIN)
    days = [last_day - n * part for n in range(HELD_OUT_PARTS, 0, -1)]
    return tuple(day for day in days if day > first_day), part


def choose(
    known: Purchases, as_of_day: int, rails: Rails = Rails(), families: Sequence[str] = tuple(FAMILIES)
) -> Choice:
    """Hold out the last parts of the window one after the other, and see which family tells most of them.

    Of those within the rails the champion is who caught the most of the true spend in the fifth of the customers he
    predicted to be worth most, for that is what tiers are made of; of equals the one with the lower RMSE.
    """
    days, part = origins(known.first_day, as_of_day)
    found: dict[str, list[tuple[Fit, Judgement]]] = {family: [] for family in families}
    for origin in days:
        for family, fitted, judgement in held_out(known, origin, origin + part, families):
            found[family].append((fitted, judgement))
    candidates = [_candidate(family, of_family, rails) for family, of_family in found.items() if of_family]
    candidates.sort(key=lambda one: (bool(one.refused), -one.judgement.caught, one.judgement.rmse, one.family))
    champion = candidates[0].family if candidates and not candidates[0].refused else None
    return Choice(champion, tuple(candidates), days, part)


def held_out(
    known: Purchases, origin_day: int, until_day: int, families: Sequence[str] = tuple(FAMILIES)
) -> list[tuple[str, Fit, Judgement]]:
    """Each family fitted on what was known at the origin, and its judgement by what came until the later day."""
    standing = known.standing(origin_day)
    if not len(standing.customer):
        return []
    actual, spent = known.after(standing, origin_day, until_day)
    terms = Terms(float(until_day - origin_day), 0.0)
    rows, paid = standing.histories, standing.spends
    x, amount = standing.frequency.astype(float), standing.amount_after_first.astype(float)
    spend = np.ones_like(x)
    if len(paid) and isinstance(model := fit_spend(paid).model, GammaGamma):
        spend = model.expected(x, amount)
    found = []
    for family in families:
        fitted = fit(family, rows)
        if isinstance(fitted.model, Buying):
            scores = scored(fitted.model, standing.frequency, standing.recency_days, standing.age_days, terms)
            judgement = judge(standing.frequency, scores.expected, scores.expected * spend, actual, spent)
            found.append((family, fitted, judgement))
    return found


def _candidate(family: str, of_family: Sequence[tuple[Fit, Judgement]], rails: Rails) -> Candidate:
    judgement = pooled(one for _, one in of_family)
    against = [why for fitted, _ in of_family for why in refusals(fitted, None, None, rails)]
    against += _errors(judgement, rails)
    return Candidate(family, judgement, tuple(one for _, one in of_family), tuple(dict.fromkeys(against)))


def refusals(
    fitted: Fit, judgement: Judgement | None, tier_moves: float | None, rails: Rails = Rails()
) -> tuple[str, ...]:
    """Why this fit must not be promoted, in words; empty when it may. Then the champion stays.

    `judgement` is that of its family on the last rolled holdout, `tier_moves` the share of customers whom it would
    move to another tier; None where there is none to compare with.
    """
    found = []
    parameters = [getattr(fitted.model, field.name) for field in fields(fitted.model)]
    if not all(map(isfinite, (*parameters, fitted.log_likelihood))):
        found.append("a parameter or the likelihood is not finite")
    if not fitted.gradient <= rails.gradient_max:
        found.append(f"the search ended where the likelihood still rises: gradient {fitted.gradient:.1e}")
    if fitted.customers < rails.customers_min:
        found.append(f"fitted on {fitted.customers} customers, {rails.customers_min} at least are needed")
    if judgement is not None:
        found += _errors(judgement, rails)
    if tier_moves is not None and tier_moves > rails.tier_moves_max:
        found.append(f"{tier_moves:.1%} of the customers would change tier, {rails.tier_moves_max:.0%} at most may")
    return tuple(found)


def _errors(judgement: Judgement, rails: Rails) -> list[str]:
    if abs(judgement.total_error) <= rails.total_error_max:
        return []
    return [f"total error {judgement.total_error:+.1%} on the rolled holdout, {rails.total_error_max:.0%} at most"]
