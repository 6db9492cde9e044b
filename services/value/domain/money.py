"""Amounts: whole numbers of 10⁻⁴ of a currency's unit, exact until they are shown.

Owns reading, sharing out and showing amounts. Pure; no floats, and nothing converts between currencies.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache
from typing import Any

from schemas.events.fields import MONEY_MAX, MONEY_TEXT_CHARS_MAX, money_of

DIGITS = 4
UNIT = 10**DIGITS
AMOUNT_MAX = 2**61
"""Amounts stay below this, so that sums of three still fit 64 bits."""

AMOUNTS_REMEMBERED_MAX = 16_384
"""Prices and quantities come again and again."""

_EXACT = Context(prec=80, rounding=ROUND_HALF_EVEN)
_STEP = Decimal(1).scaleb(-DIGITS)
_PRODUCT_MAX = int(MONEY_MAX) * UNIT * UNIT
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
_MINOR_UNITS: tuple[int, ...] = tuple(10 ** (DIGITS - digits) for digits in range(DIGITS + 1))


def amount_of(value: Any) -> int | None:
    """The amount in 10⁻⁴ of the unit, half-even, from a number or a decimal in a string; None when it is none."""
    found = _amount_of(value)
    return None if found is None else found[0]


def _amount_of(value: Any) -> tuple[int, bool] | None:
    """The amount, and whether it is all that was said: nothing was rounded."""
    kind = type(value)
    if kind is Decimal:
        return _remembered(value) if value.is_finite() else None
    if kind is str:
        return _remembered(value) if len(value) <= MONEY_TEXT_CHARS_MAX else None
    return _remembered(value) if kind is int or kind is float else None


@lru_cache(AMOUNTS_REMEMBERED_MAX, typed=True)
def _remembered(value: Decimal | str | float) -> tuple[int, bool] | None:
    number = money_of(value)
    if number is None:
        return None
    rounded = _EXACT.quantize(number, _STEP)
    return int(_EXACT.scaleb(rounded, DIGITS)), rounded == number


def number_in(value: Any) -> Decimal:
    """The number a policy says, exactly. Raises TypeError for a float, ValueError for what is no number."""
    if type(value) is float:
        raise TypeError(f'{value} is not exact: write it as text, "{value}"')
    number = money_of(value)
    if number is None:
        raise ValueError(f"{value!r} is no number")
    return number


def amount_in(value: Any) -> int:
    """The amount a policy says, exactly. Raises TypeError for a float, ValueError for what is no exact amount."""
    number = number_in(value)
    amount = amount_of(number)
    if amount is None or Decimal(amount).scaleb(-DIGITS) != number:
        raise ValueError(f"{value!r} has more than four digits after the point")
    return amount


def times(price: Any, quantity: Any) -> int | None:
    """price by quantity as an amount; None when one is no number, or all of it beyond what an amount may be."""
    a, b = _amount_of(price), _amount_of(quantity)
    if a is None or b is None:
        return None
    if a[1] and b[1]:
        product = a[0] * b[0]
        return divided(product, UNIT) if -_PRODUCT_MAX < product < _PRODUCT_MAX else None
    one, other = money_of(price), money_of(quantity)
    return None if one is None or other is None else amount_of(_EXACT.multiply(one, other))


def currency_of(value: Any) -> str | None:
    """The currency's code in capitals, or None when it is no code of three letters."""
    if type(value) is not str:
        return None
    code = value.strip().upper()
    return code if len(code) == _CURRENCY_CHARS and code.isascii() and code.isalpha() else None


def minor_unit(currency: str) -> int:
    """The smallest amount that is shown in this currency: 100 for a cent."""
    return _MINOR_UNITS[_CURRENCY_DIGITS.get(currency, 2)]


def shown(amount: int, currency: str) -> str:
    """The amount as text, rounded half-even to the currency's digits: "22.50"; zero has no sign."""
    digits = _CURRENCY_DIGITS.get(currency, 2)
    unit = _MINOR_UNITS[digits]
    rounded, rest = divmod(amount, unit)
    if rest and (2 * rest > unit or (2 * rest == unit and rounded & 1)):
        rounded += 1
    if not digits:
        return str(rounded)
    sign, text = ("-", str(-rounded)) if rounded < 0 else ("", str(rounded))
    if len(text) <= digits:
        text = text.rjust(digits + 1, "0")
    return f"{sign}{text[:-digits]}.{text[-digits:]}"


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
    if heavy and heavy == total:
        return [*weights]
    if not heavy:
        weights, heavy = [1] * len(weights), len(weights)
    sign = -1 if total < 0 else 1
    parts = [divmod(abs(total) * weight, heavy) for weight in weights]
    given = [quotient for quotient, _ in parts]
    by_rest = sorted(range(len(parts)), key=lambda i: -parts[i][1])
    for i in by_rest[: abs(total) - sum(given)]:
        given[i] += 1
    return [sign * part for part in given]
