"""Business days as numbers: days since 1970-01-01. Pure."""

from __future__ import annotations

from datetime import date

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


def date_of(day: int) -> date:
    """The date of a business day."""
    return date.fromordinal(day + _EPOCH_ORDINAL)


def day_of(found: date) -> int:
    """The business day of a date."""
    return found.toordinal() - _EPOCH_ORDINAL
