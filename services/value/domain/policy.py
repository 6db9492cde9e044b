"""The value policy: reporting currency, margin rates, what contacts cost, grades and what each tier is for.

Owns reading a policy from its YAML form (already parsed); pure. Numbers are whole or text, never floats. Parts that
an older policy lacks mean what they meant then: nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from services.value.domain.models.groups import Groups
from services.value.domain.money import amount_in, currency_of
from services.value.domain.policy_parts import (
    ACTUAL_PURPOSES,
    DEFAULT_AREA,
    RATE_UNIT,
    Churn,
    Grade,
    Prices,
    Strategy,
    churn_of,
    grades_of,
    prices_of,
    purposes_of,
    rate_of,
    read_groups,
    strategy_of,
)
from services.value.domain.prediction import Prediction, read_prediction

__all__ = ["RATE_UNIT", "Grade", "Policy", "read_policy"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the policy.

    `margin_rates` are millionths by area. `grades` run from the highest to the one that takes the rest.
    `high_from` and `medium_from` are contributions in 10⁻⁴ of the reporting currency's unit, `purposes` what high,
    medium and low are for. `prediction`: the promoted model, None before one was. `prices`: what contacts cost.
    `groups`: the needs groups that were learnt, None before any were.
    """

    version: int
    reporting_currency: str
    margin_rates: Mapping[str, int]
    grades: tuple[Grade, ...]
    high_from: int
    medium_from: int
    prediction: Prediction | None = None
    purposes: Mapping[str, str] = field(default_factory=lambda: ACTUAL_PURPOSES)
    prices: Prices = field(default_factory=dict)
    strategy: Strategy = field(default_factory=Strategy)
    churn: Churn = field(default_factory=Churn)
    groups: Groups | None = None

    def margin_rate(self, area: str) -> int:
        """Millionths of the area's revenue that are margin; 0 where the policy has no rate for it."""
        return self.margin_rates.get(area, self.margin_rates.get(DEFAULT_AREA, 0))

    @property
    def cut_offs(self) -> tuple[int, ...]:
        """The worths of what is to come from which on there is each grade but the last; () if revenue grades."""
        return tuple(self.prediction.cut_offs.values()) if self.prediction is not None else ()


def read_policy(document: Mapping[str, Any]) -> Policy:
    """A policy from its document. Raises ValueError naming the part that is missing or wrong."""
    high, medium = _part(document, "actual", lambda a: (amount_in(a["high"]), amount_in(a["medium"])))
    if high <= medium:
        raise ValueError("the policy's actual cannot be read: high must be above medium")
    policy = Policy(
        version=_part(document, "version", _whole),
        reporting_currency=_part(document, "reporting_currency", _currency),
        margin_rates=_part(document, "margin_rates", lambda r: {str(area): rate_of(one) for area, one in r.items()}),
        grades=_part(document, "grades", grades_of),
        high_from=high,
        medium_from=medium,
        prediction=_optional(document, "prediction", read_prediction),
        purposes=_part(document, "actual", lambda a: purposes_of(a.get("purposes"), ACTUAL_PURPOSES)),
        prices=_optional(document, "costs", prices_of),
        strategy=_optional(document, "strategic", strategy_of),
        churn=_optional(document, "churn", churn_of),
        groups=_optional(document, "needs", read_groups),
    )
    _check_cut_offs(policy)
    return policy


def _check_cut_offs(policy: Policy) -> None:
    """A model grades by all grades but the last, in their order, or by none."""
    cut_offs = policy.prediction.cut_offs if policy.prediction is not None else {}
    names = [grade.name for grade in policy.grades[:-1]]
    if cut_offs and list(cut_offs) != names:
        raise ValueError(f"the policy's prediction cannot be read: cut_offs are of {', '.join(names)}, in this order")


def _part(document: Mapping[str, Any], name: str, read: Callable[[Any], T]) -> T:
    try:
        return read(document[name])
    except KeyError as missing:
        raise ValueError(f"the policy lacks {name}: {missing.args[0]}") from None
    except (TypeError, ValueError, AttributeError) as wrong:
        raise ValueError(f"the policy's {name} cannot be read: {wrong}") from None


def _optional(document: Mapping[str, Any], name: str, read: Callable[[Any], T]) -> T:
    return _part({name: None, **document}, name, read)


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError("it is a whole number")
    return value


def _currency(value: Any) -> str:
    code = currency_of(value)
    if code is None:
        raise ValueError("it is a currency's code of three letters")
    return code
