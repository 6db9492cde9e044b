"""Customer lifetime value: what is still to come of a customer, as margin, discounted to the day of the answer.

Owns putting purchases, spend, returns and margin together. It is never added to what he was worth so far.
"""

from __future__ import annotations

from typing import TypeVar

from services.value.domain.models.arrays import Floats

Number = TypeVar("Number", float, Floats)


def clv(discounted: Number, spend: Number, returned: Number, margin: Number) -> Number:
    """Discounted purchases * mean gross spend * what is not returned * margin of it, in the unit of `spend`.

    `returned` and `margin` are shares of gross and of net. A margin below 0 is kept: he costs money.
    """
    return discounted * spend * (1 - returned) * margin


def purchases_worth(value: float, spend: float, returned: float, margin: float) -> float | None:
    """How many discounted purchases come to this value; None where no number of them does.

    A tier's bound of value, told as the bound `silence.age_below` looks for.
    """
    each = spend * (1 - returned) * margin
    return value / each if each > 0 else None
