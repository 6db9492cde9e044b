"""Limits of one event's content: depth, keys, characters, numbers, size.

Owns what may stand in the log at all. Everything here raises `Refused` and changes nothing.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from schemas.codec import Unreadable, write_json_exactly
from services.intake.domain.model import DEPTH_MAX, EVENT_BYTES_MAX, KEY_CHARS_MAX, TYPE_CHARS_MAX, Refused
from services.intake.domain.reasons import Reason

_DOUBLE_MAX = Decimal("1.7976931348623157E308")
_INT_SAFE = 2**63


def check_content(content: Any) -> None:
    """Walk the whole value. Raises Refused: too_deep, key_too_long, nul_in_text, number_out_of_range, …"""
    level = [content]
    for _ in range(DEPTH_MAX + 1):
        below: list[Any] = []
        for value in level:
            kind = type(value)
            if kind is dict:
                for key in value:
                    _check_key(key)
                below.extend(value.values())
            elif kind is list:
                below.extend(value)
            elif kind is str:
                if "\0" in value:
                    raise Refused(Reason.NUL_IN_TEXT)
            elif kind is not bool and value is not None:
                _check_number(value)
        if not below:
            return
        level = below
    raise Refused(Reason.TOO_DEEP, f"more than {DEPTH_MAX} levels")


def _check_key(key: Any) -> None:
    if type(key) is not str:
        raise Refused(Reason.NOT_A_JSON_VALUE, "a key is not a text")
    if len(key) > KEY_CHARS_MAX:
        raise Refused(Reason.KEY_TOO_LONG, f"{len(key)} characters")
    if "\0" in key:
        raise Refused(Reason.NUL_IN_TEXT, "in a key")


def _check_number(value: Any) -> None:
    kind = type(value)
    if kind is int:
        # the longest int a double holds; comparing with 2**63 first keeps usual numbers cheap
        if not -_INT_SAFE < value < _INT_SAFE and abs(value) > int(_DOUBLE_MAX):
            raise Refused(Reason.NUMBER_OUT_OF_RANGE)
    elif kind is Decimal or kind is float:
        number = value if kind is Decimal else Decimal(value)
        if not number.is_finite() or number.copy_abs() > _DOUBLE_MAX:
            raise Refused(Reason.NUMBER_OUT_OF_RANGE)
    else:
        raise Refused(Reason.NOT_A_JSON_VALUE, kind.__name__)


def encoded(value: Any) -> bytes:
    """The value as JSON. Raises Refused: lone_surrogate, not_a_json_value."""
    try:
        return write_json_exactly(value)
    except Unreadable as broken:
        if "surrogate" in broken.detail:
            raise Refused(Reason.LONE_SURROGATE) from None
        raise Refused(Reason.NOT_A_JSON_VALUE) from None


def check_size(data: dict[str, Any]) -> None:
    """Raises Refused: event_too_large, lone_surrogate, not_a_json_value."""
    size_bytes = len(encoded(data))
    if size_bytes > EVENT_BYTES_MAX:
        raise Refused(Reason.EVENT_TOO_LARGE, f"{size_bytes} bytes of at most {EVENT_BYTES_MAX}")


def type_name(sent: Any) -> str:
    """A sent name as an event's type: without blanks around it. Raises Refused: bad_type."""
    text = sent.strip() if type(sent) is str else sent
    if not printable(text, TYPE_CHARS_MAX):
        raise Refused(Reason.BAD_TYPE)
    return str(text)


def printable(text: Any, chars_max: int) -> bool:
    """Whether it is a text of 1 to `chars_max` printable characters (no line break, no half surrogate)."""
    return type(text) is str and 0 < len(text) <= chars_max and text.isprintable()
