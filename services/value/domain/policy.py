"""The value policy: reporting currency, margin rates of areas, grades and what they are for.

Owns reading a policy from its YAML form (already parsed); pure. Numbers are whole or text, never floats.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from schemas.events.fields import money_of
from services.value.domain.money import amount_of, currency_of
from services.value.domain.prediction import Prediction, read_prediction

T = TypeVar("T")

DEFAULT_AREA = "default"
RATE_UNIT = 10**6
"""Margin rates are whole millionths."""


@dataclass(frozen=True, slots=True)
class Grade:
    """A tier by revenue: `revenue_from` in 10⁻⁴ of the unit; None: everybody below the others."""

    name: str
    revenue_from: int | None
    purpose: str


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the policy.

    `margin_rates` are millionths by area. `grades` run from the highest to the one that takes the rest.
    `high_from` and `medium_from` are margins in 10⁻⁴ of the reporting currency's unit. `prediction`: the promoted
    model, None before one was.
    """

    version: int
    reporting_currency: str
    margin_rates: Mapping[str, int]
    grades: tuple[Grade, ...]
    high_from: int
    medium_from: int
    prediction: Prediction | None = None

    def margin_rate(self, area: str) -> int:
        """Millionths of the area's revenue that are margin; 0 where the policy has no rate for it."""
        return self.margin_rates.get(area, self.margin_rates.get(DEFAULT_AREA, 0))


def read_policy(document: Mapping[str, Any]) -> Policy:
    """A policy from its document. Raises ValueError naming the part that is missing or wrong."""
    high, medium = _part(document, "actual", lambda a: (_amount(a["high"]), _amount(a["medium"])))
    if high <= medium:
        raise ValueError("the policy's actual cannot be read: high must be above medium")
    return Policy(
        version=_part(document, "version", _whole),
        reporting_currency=_part(document, "reporting_currency", _currency),
        margin_rates=_part(document, "margin_rates", lambda r: {str(area): _rate(rate) for area, rate in r.items()}),
        grades=_part(document, "grades", _grades),
        high_from=high,
        medium_from=medium,
        prediction=_part({"prediction": None, **document}, "prediction", read_prediction),
    )


def _part(document: Mapping[str, Any], name: str, read: Callable[[Any], T]) -> T:
    try:
        return read(document[name])
    except KeyError as missing:
        raise ValueError(f"the policy lacks {name}: {missing.args[0]}") from None
    except (TypeError, ValueError, AttributeError) as wrong:
        raise ValueError(f"the policy's {name} cannot be read: {wrong}") from None


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError("it is a whole number")
    return value


def _currency(value: Any) -> str:
    code = currency_of(value)
    if code is None:
        raise ValueError("it is a currency's code of three letters")
    return code


def _number(value: Any) -> Decimal:
    if type(value) is float:
        raise TypeError(f'{value} is not exact: write it as text, "{value}"')
    number = money_of(value)
    if number is None:
        raise ValueError(f"{value!r} is no number")
    return number


def _amount(value: Any) -> int:
    number = _number(value)
    amount = amount_of(number)
    if amount is None or Decimal(amount).scaleb(-4) != number:
        raise ValueError(f"{value!r} has more than four digits after the point")
    return amount


def _rate(value: Any) -> int:
    millionths = _number(value) * RATE_UNIT
    if not 0 <= millionths <= RATE_UNIT or millionths != int(millionths):
        raise ValueError(f"{value!r} is no rate from 0 to 1 with at most six digits after the point")
    return int(millionths)


def _grades(listed: Any) -> tuple[Grade, ...]:
    if not isinstance(listed, list) or not listed:
        raise TypeError("it is a list of grades")
    grades = tuple(_grade(one) for one in listed)
    *higher, last = (grade.revenue_from for grade in grades)
    if last is not None:
        raise ValueError("the last grade takes everybody else and has no revenue_from")
    bounds = [bound for bound in higher if bound is not None]
    if len(bounds) < len(higher) or bounds != sorted(set(bounds), reverse=True):
        raise ValueError("every grade but the last has a revenue_from below the one before")
    if len({grade.name for grade in grades}) < len(grades):
        raise ValueError("a grade is listed twice")
    return grades


def _grade(one: Any) -> Grade:
    name, purpose = one["grade"], one["purpose"]
    if not isinstance(name, str) or not isinstance(purpose, str):
        raise TypeError("a grade's name and purpose are texts")
    return Grade(name, _amount(one["revenue_from"]) if "revenue_from" in one else None, purpose)
