"""When an event happened: the sender's time, corrected for a wrong clock, or arrival when it is implausible.

Owns plausibility and clock skew. Pure: the arrival is an argument.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from schemas.envelope import moment_at, rfc3339
from schemas.events.fields import moment_of, text_of
from services.intake.domain.model import FUTURE_MAX_S, SKEW_MIN_S, YEAR_MIN

MS_CHARS_MAX = 15
_EARLIEST = datetime(YEAR_MIN, 1, 1, tzinfo=UTC)
_SKEW_MIN = timedelta(seconds=SKEW_MIN_S)
_FUTURE_MAX = timedelta(seconds=FUTURE_MAX_S)


class Timed(NamedTuple):
    """`changed`: the time is not the one sent (corrected or clamped); `clamped`: it is arrival instead."""

    time: datetime
    clamped: bool
    changed: bool


def of_ms(sent: Any) -> str | None:
    """A number of milliseconds since 1970 as people's clients write it, in RFC 3339; None for what is none."""
    text = text_of(sent)
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > MS_CHARS_MAX:
        return None
    try:
        return rfc3339(moment_at(int(text) * 1_000))
    except OverflowError:
        return None


def time_of(sent_time: Any, sent_at: Any, arrival: datetime) -> Timed:
    """The event's time in UTC.

    No time at all is arrival, unclamped: the sender claimed nothing. One that cannot be read, has no zone,
    lies before 1990 or more than 5 minutes after arrival is clamped to arrival. The client's clock is
    corrected by `sent_at` only when it is off by 60 s or more, so that slow networks shift nothing.
    """
    if sent_time is None:
        return Timed(arrival, clamped=False, changed=False)
    moment = moment_of(sent_time)
    if moment is None:
        return Timed(arrival, clamped=True, changed=True)
    corrected = _corrected(moment, sent_at, arrival)
    if not _EARLIEST <= corrected <= arrival + _FUTURE_MAX:
        return Timed(arrival, clamped=True, changed=True)
    return Timed(corrected, clamped=False, changed=corrected != moment)


def _corrected(moment: datetime, sent_at: Any, arrival: datetime) -> datetime:
    sent = moment_of(sent_at)
    if sent is None:
        return moment
    skew = arrival - sent
    if abs(skew) < _SKEW_MIN:
        return moment
    try:
        return moment + skew
    except OverflowError:
        return moment
