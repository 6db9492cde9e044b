"""Amounts: whole numbers of 10⁻⁴ of a currency's unit, exact until they are shown.

Owns reading, sharing out and showing amounts. Pure; no floats, and nothing converts between currencies.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

from schemas.events.fields import money_of

DIGITS = 4
UNIT = 10**DIGITS
AMOUNT_MAX = 2**61
"""Amounts stay below this, so that sums of three still fit 64 bits."""

_EXACT = Context(prec=80, rounding=ROUND_HALF_EVEN)
_STEP = Decimal(1).scaleb(-DIGITS)
_CURRENCY_CHARS = 3

_CURRENCY_DIGITS = {
    **dict.fromkeys(
        (
            "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV",
            "XAF", "XOF", "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}  # fmt: skip
"""ISO 4217's exceptions from two digits."""


def amount_of(value: Any) -> int | None:
    """The amount in 10⁻⁴ of the unit, half-even, from a number or a decimal in a string; None when it is none."""
    amount = money_of(value)
    return None if amount is None else int(_EXACT.scaleb(_EXACT.quantize(amount, _STEP), DIGITS))


def times(price: Decimal, quantity: Decimal) -> int | None:
    """price by quantity as an amount; None when it is beyond what an amount may be."""
    return amount_of(_EXACT.multiply(price, quantity))


def currency_of(value: Any) -> str | None:
    """The currency's code in capitals, or None when it is no code of three letters."""
    if type(value) is not str:
        return None
    code = value.strip().upper()
    return code if len(code) == _CURRENCY_CHARS and code.isascii() and code.isalpha() else None


def minor_unit(currency: str) -> int:
    """The smallest amount that is shown in this currency: 100 for a cent."""
    return int(10 ** (DIGITS - _digits(currency)))


def shown(amount: int, currency: str) -> str:
    """The amount as text, rounded half-even to the currency's digits: "22.50"; zero has no sign."""
    digits = _digits(currency)
    rounded = divided(amount, minor_unit(currency))
    sign = "-" if rounded < 0 else ""
    if not digits:
        return f"{sign}{abs(rounded)}"
    whole, part = divmod(abs(rounded), 10**digits)
    return f"{sign}{whole}.{part:0{digits}}"


def divided(numerator: int, denominator: int) -> int:
    """The quotient rounded half-even; `denominator` is above 0."""
    quotient, rest = divmod(numerator, denominator)
    twice = 2 * rest
    return quotient + (twice > denominator or (twice == denominator and quotient % 2 == 1))


def shares(total: int, weights: Sequence[int]) -> list[int]:
    """The total shared out by weights (none below 0): largest remainders, the earlier of equals first.

    The shares add up to the total exactly and have its sign; when nothing weighs anything, all weigh the
    same. There must be a weight, or a total of 0.
    """
    heavy = sum(weights)
    if not heavy:
        weights, heavy = [1] * len(weights), len(weights)
    sign = -1 if total < 0 else 1
    parts = [divmod(abs(total) * weight, heavy) for weight in weights]
    given = [quotient for quotient, _ in parts]
    by_rest = sorted(range(len(parts)), key=lambda i: -parts[i][1])
    for i in by_rest[: abs(total) - sum(given)]:
        given[i] += 1
    return [sign * part for part in given]


def _digits(currency: str) -> int:
    return _CURRENCY_DIGITS.get(currency, 2)
