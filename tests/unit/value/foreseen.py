"""A model that grades, and purchases on some days: what the tests of silence begin with."""

from __future__ import annotations

from typing import Any

from services.value.domain.ledger import Cell, Known, Looking, Worth, worth
from services.value.domain.orders import Amounts
from services.value.domain.policy import Policy, read_policy
from tests.unit.value.stating import SHIPPED

MODEL: dict[str, Any] = {
    "version": 3,
    "buying": {"family": "bg", "r": "0.24", "alpha_days": "31", "a": "0.79", "b": "2.43"},
    "spend": {"family": "gamma_gamma", "p": "6.25", "q": "3.74", "gamma": "154000"},
    "horizon_days": 365,
    "yearly_discount": "0.1",
    "returned": "0.05",
    "margin": "0.3",
    "cut_offs": {"A": "60", "B": "30", "C": "10"},
}
UNIT = 10_000
FIRST = 20_000
REGULAR = tuple(range(FIRST, FIRST + 200, 10))
"""Twenty purchases, ten days apart."""


def policy(**changes: Any) -> Policy:
    """The shipped policy with this model; `changes` are other parts of the policy."""
    return read_policy({**SHIPPED, "prediction": MODEL, **changes})


GRADING = policy()


def bought(*days: int, net: int = 40, area: str = "Shoes") -> list[Cell]:
    """A purchase on each of these days."""
    return [
        cell
        for day in days
        for cell in (
            Cell(day, "", "USD", Amounts(orders=1, net=net * UNIT, paid=net * UNIT)),
            Cell(day, area, "USD", Amounts(orders=1, net=net * UNIT, unknown_net=net * UNIT)),
        )
    ]


def told_on(day: int, cells: list[Cell], by: Policy = GRADING) -> Worth:
    """What the section and its mark are when they are made on this day."""
    return worth(Known(cells), by, Looking(day))


def answered_on(day: int, cells: list[Cell], by: Policy = GRADING) -> dict[str, Any]:
    """What is answered on this day."""
    body = worth(Known(cells), by, Looking(day, is_answer=True)).body
    assert body is not None
    return body
