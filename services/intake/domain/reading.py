"""JSON bodies into values: exact numbers, duplicate keys refused, and one bad text does not spoil a batch.

Owns reading of bytes. Raises `schemas.codec.Unreadable` for a body that cannot be read as a whole.
"""

from __future__ import annotations

import base64
import json
import re
from decimal import Decimal
from typing import Any

from schemas.codec import Unreadable, read_json_exactly
from services.intake.domain.reasons import Reason

_KEY_END = re.compile(rb'"\s*:')


def read_body(body: bytes) -> Any:
    """The JSON value with fractions as Decimal.

    Raises Unreadable: no_value, not_json, duplicate_key. Half a surrogate pair is let through, so that only
    the event that holds it is parked.
    """
    if not body.strip():
        raise Unreadable(Reason.NO_VALUE)
    try:
        value = read_json_exactly(body)
    except (Unreadable, ArithmeticError):
        if b"\\u" not in body:
            raise Unreadable(Reason.NOT_JSON) from None
        return _read_slowly(body)
    # Fewer keys than places where a key could end: two keys were equal, or a text looks like a key.
    if len(_KEY_END.findall(body)) != _keys(value):
        _read_slowly(body)
    return value


def from_base64(text: bytes) -> bytes:
    """What stands in base64 of either alphabet, with or without its end, blanks for pluses. Raises ValueError."""
    plain = text.replace(b" ", b"+").replace(b"-", b"+").replace(b"_", b"/").rstrip(b"=")
    return base64.b64decode(plain + b"=" * (-len(plain) % 4), validate=True)


def _keys(value: Any) -> int:
    count = 0
    left = [value]
    while left:
        item = left.pop()
        if type(item) is dict:
            count += len(item)
            left.extend(item.values())
        elif type(item) is list:
            left.extend(item)
    return count


def _read_slowly(body: bytes) -> Any:
    try:
        return json.loads(
            body.decode("utf-8"),
            parse_float=Decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_distinct,
        )
    except Unreadable:
        raise
    except (ValueError, ArithmeticError, RecursionError):
        raise Unreadable(Reason.NOT_JSON) from None


def _refuse_constant(_: str) -> Any:
    raise Unreadable(Reason.NOT_JSON)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unreadable(Reason.DUPLICATE_KEY)
    return found
