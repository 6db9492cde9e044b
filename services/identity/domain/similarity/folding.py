"""The letters and digits of a value, without case, accents and punctuation, and whether they say anything.

Owns what every kind of value shares; what a word means in a name or an address is not known here. Pure.
"""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

CHARS_MAX = 200
"""Longer values are cut: nobody is told apart by what comes after."""
_BITS_MAX = 600
"""Of a whole number; about 180 decimal digits."""

PLACEHOLDERS: frozenset[str] = frozenset(
    {
        "", "anonymous", "default", "dummy", "empty", "missing", "n a", "nan", "nil", "no data", "no name",
        "none", "not applicable", "not available", "not given", "not known", "not provided", "not set",
        "not specified", "null", "object object", "tba", "tbc", "tbd", "test", "test test", "tester", "testing",
        "undefined", "unk", "unknown", "unspecified", "void",
    }
)  # fmt: skip
"""Folded values that many systems send instead of one."""

_NOTHING = re.compile(r"[0 ]+|x[x ]*x|9{5,}|1234567890?")
"""All zeros, crosses and what is typed to get past a required field."""
_NOT_ASCII_WORD = re.compile(r"[^a-z0-9]+")
_APOSTROPHES = dict.fromkeys(map(ord, "'`\u00b4\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u2018\u2019\u201b\u2032\uff07"))
"""They join: O'Brien is OBrien, not O Brien."""
_ACCENTS = {
    code: None
    for first, last in ((0x300, 0x36F), (0x591, 0x5C7), (0x64B, 0x65F))
    for code in range(first, last + 1)
    if unicodedata.category(chr(code)).startswith("M")
}
"""Of Latin, Greek and Cyrillic, Hebrew, Arabic. The marks of other scripts are letters of their own there."""
_SPELLED = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "\u0131": "i", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe"}
)
"""Letters that are not one letter and an accent, yet are written as these where keyboards lack them."""


def said(value: Any) -> str:
    """A trait's value as text of at most CHARS_MAX; "" where it is no single value (None, lists, objects)."""
    if isinstance(value, str):
        return value[:CHARS_MAX]
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if not math.isfinite(value):
            return ""
        value = int(value) if value.is_integer() else value
    if isinstance(value, int) and value.bit_length() > _BITS_MAX:
        return ""
    return str(value)[:CHARS_MAX] if isinstance(value, int | float | Decimal | date | UUID) else ""


def fold(text: str) -> str:
    """Lower-case words of letters and digits with one space between; letters of every script stay."""
    if text.isascii():
        return _NOT_ASCII_WORD.sub(" ", text.lower().translate(_APOSTROPHES)).strip()[:CHARS_MAX].rstrip()
    # Twice, for case folding brings forth new compositions.
    bare = unicodedata.normalize("NFKD", text.translate(_APOSTROPHES)).translate(_ACCENTS)
    bare = unicodedata.normalize("NFKD", bare.casefold()).translate(_ACCENTS).translate(_APOSTROPHES)
    words = "".join(map(_kept, bare.translate(_SPELLED))).split(" ")
    return unicodedata.normalize("NFC", " ".join(filter(None, words)))[:CHARS_MAX].rstrip()


def says_nothing(folded: str) -> bool:
    """Whether a folded value stands for none."""
    return folded in PLACEHOLDERS or _NOTHING.fullmatch(folded) is not None


def _kept(char: str) -> str:
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    return char if char.isalnum() or unicodedata.category(char).startswith("M") else " "
