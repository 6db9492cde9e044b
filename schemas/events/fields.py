"""Kinds of property: the type a model shows and the reader that says whether a sent value can be read.

Owns what "readable" means for one value. Readers never raise; must not know any event type.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from schemas.personal import PERSONAL

MONEY_MAX = Decimal(900_000_000_000_000)
"""Amounts are stored as 64-bit integers of 10⁻⁴ of the unit; from here on they would not fit."""
MONEY_TEXT_CHARS_MAX = 64
MOMENT_CHARS_MAX = 64

_CURRENCY = re.compile(r"[A-Za-z]{3}")
_PERIOD = re.compile(r"P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?")


def text_of(value: Any) -> str | None:
    """The trimmed text, or None when there is none; numbers are written out (ids are often sent so)."""
    if type(value) is str:
        return value.strip() or None
    if type(value) in (int, float, Decimal):
        return str(value)
    return None


def money_of(value: Any) -> Decimal | None:
    """The amount exactly as written, from a number or a decimal in a string; None when it is none."""
    kind = type(value)
    if kind is Decimal:
        amount = value
    elif kind is int:
        amount = Decimal(value)
    elif kind is float or (kind is str and len(value) <= MONEY_TEXT_CHARS_MAX):
        try:
            amount = Decimal(repr(value) if kind is float else value.strip())
        except InvalidOperation:
            return None
    else:
        return None
    return amount if amount.is_finite() and amount.copy_abs() < MONEY_MAX else None


def moment_of(value: Any) -> datetime | None:
    """The moment in UTC, or None when it is not a date with time and zone."""
    if type(value) is not str or len(value) > MOMENT_CHARS_MAX:
        return None
    try:
        moment = datetime.fromisoformat(value.strip().upper())
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _is_text(value: Any) -> bool:
    return text_of(value) is not None


def _is_money(value: Any) -> bool:
    return money_of(value) is not None


def _is_moment(value: Any) -> bool:
    return moment_of(value) is not None


def _is_share(value: Any) -> bool:
    share = money_of(value)
    return share is not None and 0 <= share <= 1


def _is_currency(value: Any) -> bool:
    return type(value) is str and _CURRENCY.fullmatch(value.strip()) is not None


def _is_period(value: Any) -> bool:
    return type(value) is str and _PERIOD.fullmatch(value.strip().upper()) is not None


def _is_flag(value: Any) -> bool:
    return type(value) is bool


@dataclass(frozen=True, slots=True)
class Kind:
    """The kind of a field: `reads` is true for what can be read as it."""

    name: str
    reads: Callable[[Any], bool]


Id = Annotated[str | None, Kind("id", _is_text)]
Text = Annotated[str | None, Kind("text", _is_text)]
PersonalText = Annotated[str | None, Kind("text", _is_text), PERSONAL]
Money = Annotated[Decimal | None, Kind("money", _is_money)]
Number = Annotated[Decimal | None, Kind("number", _is_money)]
Share = Annotated[Decimal | None, Kind("share", _is_share)]
Moment = Annotated[datetime | None, Kind("moment", _is_moment)]
Currency = Annotated[str | None, Kind("currency", _is_currency)]
Period = Annotated[str | None, Kind("period", _is_period)]
Flag = Annotated[bool | None, Kind("flag", _is_flag)]
