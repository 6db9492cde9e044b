"""Business days as numbers: days since 1970-01-01. Owns their dates and where they begin in a time zone. Pure."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from schemas.envelope import microseconds

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
