"""Dates as people write them: one comparable form, and how two of them agree.

Owns the forms that are read and the slips that are made; which dates a person has is not known here. Pure.
Day and month are read in this order where both readings are possible; read wrongly, they are a slip apart.
A time of day and its zone are cut off.
"""

from __future__ import annotations

import re

from rapidfuzz.distance import OSA

from services.identity.domain.similarity.folding import fold

LEVELS = ("exact", "slip", "near", "partial", "different", "clearly_different")
_EXACT, SLIP, NEAR, PARTIAL, DIFFERENT, CLEARLY_DIFFERENT = range(len(LEVELS))

YEARS_APART_MAX = 10
"""Further apart, with another day and month, is no mistake of memory."""
_YEAR_MIN, _YEAR_MAX = 1800, 2199
"""Of a year that eight digits in a row may begin or end with."""

PLACEHOLDERS = frozenset(
    {
        "1111-11-11", "1753-01-01", "1800-01-01", "1899-12-30", "1899-12-31", "1900", "1900-01", "1900-01-01",
        "1901-01-01", "1970-01-01",
    }
)  # fmt: skip
"""What systems store for no date: where their calendars begin. Few are born then; many more have no date."""
_YEARS_OF_NONE = frozenset({"0000", "0001", "9999"})

_FULL_CHARS = len("YYYY-MM-DD")
_DATE_CHARS_MAX = 40
_YEAR_FIRST = re.compile(r"([0-9]{4})[-/. ]([0-9]{1,2})(?:[-/. ]([0-9]{1,2}))?(?![0-9])")
_YEAR_LAST = re.compile(r"([0-9]{1,2})[-/. ]([0-9]{1,2})[-/. ]([0-9]{4})(?![0-9])")
_MONTH_YEAR = re.compile(r"([0-9]{1,2})[-/. ]([0-9]{4})")
_DIGITS = re.compile(r"([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})(?![0-9])")
_YEAR = re.compile(r"[0-9]{4}")


def date_form(text: str) -> str:
    """`YYYY-MM-DD`, or `YYYY-MM` or `YYYY` where no more is said; "" for placeholders and what is no date.

    A month or day beyond the calendar stays as it was typed: the date that was meant is one slip away.
    """
    text = text.strip()[:_DATE_CHARS_MAX]
    if not text.isascii():
        text = fold(text)
    form = _read(text)
    return "" if form in PLACEHOLDERS or form[:4] in _YEARS_OF_NONE else form


def compare_dates(a: str, b: str) -> int:
    """Index into LEVELS of two different forms, the smaller first."""
    if len(a) != _FULL_CHARS or len(b) != _FULL_CHARS:
        return PARTIAL if b.startswith(a) else DIFFERENT
    year, month, day = a[:4] == b[:4], a[5:7] == b[5:7], a[8:] == b[8:]
    agreeing = year + month + day
    if agreeing >= 2:
        # A digit mistyped, or swapped with its neighbour, changes one part.
        return SLIP if OSA.distance(a, b) <= 1 else NEAR
    if agreeing == 1:
        return SLIP if year and a[5:7] == b[8:] and a[8:] == b[5:7] else DIFFERENT
    try:
        return CLEARLY_DIFFERENT if abs(int(a[:4]) - int(b[:4])) > YEARS_APART_MAX else DIFFERENT
    except ValueError:
        return DIFFERENT


def _read(text: str) -> str:
    if found := _YEAR_FIRST.match(text):
        return _form(found[1], found[2], found[3] or "0")
    if found := _YEAR_LAST.match(text):
        return _day_first(found[1], found[2], found[3])
    if found := _DIGITS.match(text):
        return _eight_digits(*found.groups())
    if found := _MONTH_YEAR.fullmatch(text):
        return _form(found[2], found[1], "0")
    return text if _YEAR.fullmatch(text) else ""


def _eight_digits(one: str, two: str, three: str, four: str) -> str:
    """YYYYMMDD unless only the other way is a date."""
    if not (_is_year(one + two) and _is_month(three)) and _is_year(three + four):
        day_month = _day_first(one, two, three + four)
        if _is_month(day_month[5:7]) and _is_day(day_month[8:]):
            return day_month
    return _form(one + two, three, four)


def _day_first(one: str, two: str, year: str) -> str:
    if _is_month(one) and not _is_month(two):
        return _form(year, one, two)
    return _form(year, two, one)


def _is_year(text: str) -> bool:
    return _YEAR_MIN <= int(text) <= _YEAR_MAX


def _is_month(text: str) -> bool:
    return text != "" and 1 <= int(text) <= 12


def _is_day(text: str) -> bool:
    return text != "" and 1 <= int(text) <= 31


def _form(year: str, month: str, day: str) -> str:
    if int(month) == 0:
        return year
    return f"{year}-{month:0>2}" if int(day) == 0 else f"{year}-{month:0>2}-{day:0>2}"
