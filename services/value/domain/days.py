"""Business days as numbers: days since 1970-01-01. Owns their dates and where they begin in a time zone. Pure."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from schemas.envelope import microseconds

PERIOD_CHARS_MAX, MONTHS_MAX, PERIOD_DAYS_MAX = 20, 1_200, 36_500
_PERIOD = re.compile(r"P(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?")
YEAR_DAYS = 365
FIRST_DAY, LAST_DAY = -(2**31), 2**31 - 1
"""Before and after all business days that are stored."""
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


def date_of(day: int) -> date:
    """The date of a business day."""
    return date.fromordinal(day + _EPOCH_ORDINAL)


def day_of(found: date) -> int:
    """The business day of a date."""
    return found.toordinal() - _EPOCH_ORDINAL


def begins_us(day: int, zone: ZoneInfo) -> int:
    """When a business day begins in the zone, in µs since 1970."""
    found = date_of(day)
    return microseconds(datetime(found.year, found.month, found.day, tzinfo=zone))


def later(day: int, period: str) -> int | None:
    """The day an ISO 8601 period later, by the calendar: a month after 31 January is the last of February.

    None for what is no period, none at all, or more than a hundred years.
    """
    found = _PERIOD.fullmatch(period.strip().upper()) if len(period) <= PERIOD_CHARS_MAX else None
    if found is None:
        return None
    years, months, weeks, days = (int(part or 0) for part in found.groups())
    months, days = 12 * years + months, 7 * weeks + days
    if months + days <= 0 or months > MONTHS_MAX or days > PERIOD_DAYS_MAX:
        return None
    began = date_of(day)
    year, month = divmod(began.year * 12 + began.month - 1 + months, 12)
    moved = date(year, month + 1, min(began.day, monthrange(year, month + 1)[1]))
    return day_of(moved + timedelta(days=days))
