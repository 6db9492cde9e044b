"""Refitting: whether the nightly fit of the model in force is due, and what comes of one.

Owns when: at a set hour of the business time zone, once a business day, later where nobody was up. Only a model that
somebody promoted is fitted again: the first one grades everybody anew, which is for a person to say. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from schemas.envelope import microseconds
from services.value.domain.days import date_of
from services.value.domain.reading import business_day

OFF = -1
"""The hour at which nothing is fitted by itself."""
PROMOTED, REFUSED, TOO_LITTLE = "promoted", "refused", "too_little"


class Outcome(NamedTuple):
    """What a refit came to: the model's version, what speaks against it, and the policy that has it."""

    outcome: str
    version: int | None = None
    reasons: tuple[str, ...] = ()
    document: dict[str, Any] | None = None


def due_day(now_us: int, since_us: int, hour: int, zone: ZoneInfo) -> int | None:
    """The business day whose refit is due, unless it was done; None where none is.

    `since_us`: when the policy in force was set. What was set since the hour struck is as fresh as a refit.
    """
    if hour == OFF:
        return None
    day = business_day(now_us, zone)
    if _strikes_us(day, hour, zone) > now_us:
        day -= 1
    return day if since_us < _strikes_us(day, hour, zone) else None


def outcome_of(proposed: Mapping[str, Any]) -> Outcome:
    """What follows from a fit: who holds the guard rails replaces the model in force, who does not is kept beside."""
    document: dict[str, Any] = proposed["document"]
    reasons = tuple(map(str, proposed["refused"]))
    version = int(document["prediction"]["version"])
    return Outcome(REFUSED if reasons else PROMOTED, version, reasons, document)


def _strikes_us(day: int, hour: int, zone: ZoneInfo) -> int:
    """The hour of a business day, in µs since 1970; one that the clocks leave out is that after them."""
    found = date_of(day)
    return microseconds(datetime(found.year, found.month, found.day, hour, tzinfo=zone))
