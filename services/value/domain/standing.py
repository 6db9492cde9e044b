"""Standing: all of a customer that changes with the days, and on which days it does.

Owns when he is looked at again: a grade, the state of the relationship, words that fade, end or take effect. A
function of (rows, statements, policy, business day) that says the same from one such day to the next. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from services.value.domain.course import Booked, Course, Place, booked
from services.value.domain.leaving import Leaving, leaving_of
from services.value.domain.models.ledgers import Prospect
from services.value.domain.orders import WHOLE, Amounts, added
from services.value.domain.policy import Policy
from services.value.domain.reading import business_day
from services.value.domain.statements import Statement
from services.value.domain.strategy import UNKNOWN, Strategic, strategic_of
from services.value.domain.summing import Cell, margin_parts


class Standing(msgspec.Struct, frozen=True):
    """Where somebody stands. `looked` is the last day on which any of it changed, `next_look` the next that is known.

    None: nothing of him changes with the days, or ever again.
    """

    prospect: Prospect | None = None
    place: Place | None = None
    strategic: Strategic | None = None
    leaving: Leaving | None = None
    looked: int | None = None
    next_look: int | None = None
    zone: ZoneInfo | Any = UTC

    @property
    def is_stated(self) -> bool:
        """Whether what he said, or did not do, is worth telling even of who never bought."""
        return self.strategic is not None or self.leaving is not None

    def day_told(self, answered: int | None) -> int:
        """As of which day he is told: that of the answer, else the last on which anything changed."""
        known = [day for day in (self.looked, answered) if day is not None]
        return max(known, default=0)

    def rank(self, day: int) -> str:
        """High, medium or low by what he could bring; unknown while nothing is known of it."""
        return UNKNOWN if self.strategic is None else self.strategic.rank(day)


NOTHING_BOOKED = Amounts()
NOTHING = Standing()
"""Of whom no day is asked."""


def standing_of(
    said: Sequence[Statement], cells: Sequence[Cell], policy: Policy, day: int, zone: ZoneInfo | Any
) -> Standing:
    """Where bookings, words and silence have brought him by a day. What lies ahead of it counts as if it were now."""
    prediction = policy.prediction
    bookings = bookings_of(cells, policy) if prediction is not None or said else []
    if not bookings and not said:
        return Standing(zone=zone)
    stated = [business_day(one.time_us, zone) for one in said]
    since = max([*stated, *(one.day for one in bookings[-1:])])
    today = max(day, since)
    course = Course(bookings, prediction, policy.cut_offs) if prediction is not None and bookings else None
    place = None if course is None else course.place(today)
    strategic = strategic_of(said, cells, policy, zone)
    gone = leaving_of(said, bookings, course, place, strategic, today, policy, zone)
    looked, ahead = [*stated], list[int | None]()
    if place is not None:
        looked, ahead = [*looked, place.looked], [*ahead, place.next_look]
    if strategic is not None:
        turned, turns = strategic.turns(since, today)
        looked, ahead = [*looked, turned], [*ahead, turns]
    if gone is not None:
        looked, ahead = [*looked, *gone.turned], [*ahead, gone.ahead]
    if place is None and strategic is None and gone is None:
        return Standing(zone=zone)
    next_look = min((one for one in ahead if one is not None), default=None)
    prospect = None if course is None else course.prospect
    return Standing(prospect, place, strategic, gone, max(looked, default=since), next_look, zone)


def bookings_of(cells: Iterable[Cell], policy: Policy) -> list[Booked]:
    """Rows of the reporting currency by business day."""
    days: dict[int, Amounts] = {}
    parts: dict[int, int] = {}
    reporting = policy.reporting_currency
    for day, area, currency, amounts in cells:
        if currency != reporting:
            continue
        if area == WHOLE:
            days[day] = added(days[day], amounts) if day in days else amounts
        else:
            parts[day] = parts.get(day, 0) + margin_parts(amounts, policy, area)
    for day in parts.keys() - days.keys():
        days[day] = NOTHING_BOOKED
    return booked(days, parts)
