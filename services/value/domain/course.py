"""A customer's course under the model in force: where his bookings and his silence brought him, and bring him next.

Owns when a grade, or the state of a relationship, is entered and left. What is expected of somebody falls with every
day of silence, so all of it is a function of (bookings, policy, day): nothing remembers when anybody looked, and
somebody who is never looked at falls on the same days. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple

import msgspec

from services.value.domain.models.ledgers import SILENCE_DAYS_MAX, Prospect, Sums
from services.value.domain.money import divided
from services.value.domain.orders import Amounts
from services.value.domain.policy_parts import RATE_UNIT
from services.value.domain.prediction import Prediction

ACTIVE, AT_RISK, LAPSED = "active", "at_risk", "lapsed"
STATES = (ACTIVE, AT_RISK, LAPSED)
ALIVE_BOUNDS = (0.5, 0.2)
"""Chances that he is still there below which he is at risk, and lapsed."""
BOOKINGS_MAX = 64
"""For the day on which a grade began so many days of bookings are gone back through; it began no later than then."""
SILENCE, BOOKING = "silence", "booking"


class Booked(NamedTuple):
    """A business day's bookings in the reporting currency; `margin_parts` is margin in 10⁻⁶ of an amount's unit.

    The margin is less what serving him cost; kept in parts, so that it is rounded once however often it is summed.
    """

    day: int
    amounts: Amounts
    margin_parts: int


class Place(msgspec.Struct, frozen=True):
    """Where he is on a day.

    `grade` and `state` are ranks from the best, 0. `since` is the day on which the grade began, `was` the grade
    before (None: there was none, or it was not looked for so far back), `because` silence or a booking. `looked` is
    the last day on which anything of this changed, `drop` the next on which the grade falls if he stays silent,
    `next_look` that on which anything does; None: not within twenty years.
    """

    grade: int
    state: int
    since: int
    was: int | None
    because: str
    looked: int
    drop: int | None
    next_look: int | None


class Step(NamedTuple):
    """From this day on he was of this grade (a rank from the best, 0), by silence or a booking (None: his first)."""

    day: int
    grade: int
    because: str | None


@dataclass(slots=True)
class Course:
    """One customer's bookings, the earliest first, under a model with cut-offs (10⁻⁴ of the unit, falling)."""

    booked: Sequence[Booked]
    prediction: Prediction
    cut_offs: Sequence[int]
    _sums: list[Sums | None] = field(default_factory=list)
    _prospects: dict[int, Prospect | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._sums = list(_running(self.booked))

    @property
    def prospect(self) -> Prospect | None:
        """What the model makes of all his bookings; None for who never bought."""
        return self._after(len(self.booked) - 1)

    def place(self, today: int) -> Place:
        """Where he is; `today` is not before his last booking."""
        last = len(self.booked) - 1
        booked, now = self.booked[last].day, self.prospect
        until = today + SILENCE_DAYS_MAX
        grade = self._grade(last, today)
        state = 0 if now is None else _rank(now.alive(today), ALIVE_BOUNDS)
        entered = self._entered(last, grade, today)
        turned = self.state_since(state, today)
        drop = after = None
        if now is not None:
            drop = now.clv_below(self.cut_offs[grade], today, until) if grade < len(self.cut_offs) else None
            after = now.alive_below(ALIVE_BOUNDS[state], today, until) if state < len(ALIVE_BOUNDS) else None
        since, was, because = self._since(last, grade, entered)
        looked = max(entered if entered is not None else booked, turned)
        next_look = min((day for day in (drop, after) if day is not None), default=None)
        return Place(grade, state, since, was, because, looked, drop, next_look)

    def steps(self, today: int) -> list[Step]:
        """Every change of his grade up to today, the earliest first; of the last bookings, if he has very many."""
        found: list[Step] = []
        first, last = max(len(self.booked) - BOOKINGS_MAX, 0), len(self.booked) - 1
        for index in range(first, last + 1):
            day = self.booked[index].day
            until = today if index == last else self.booked[index + 1].day - 1
            grade, because = self._grade(index, day), BOOKING
            of = self._after(index)
            while True:
                if not found or found[-1].grade != grade:
                    found.append(Step(day, grade, because if found else None))
                may_fall = of is not None and grade < len(self.cut_offs) and day < until
                fell = of.clv_below(self.cut_offs[grade], day, until) if of is not None and may_fall else None
                if fell is None:
                    break
                day, grade, because = fell, self._grade(index, fell), SILENCE
        return found

    def state_since(self, state: int, today: int) -> int:
        """The day on which silence brought him into this state, that of his last booking if none did."""
        now, booked = self.prospect, self.booked[-1].day
        if now is None or state == 0 or _rank(now.alive(booked), ALIVE_BOUNDS) >= state:
            return booked
        return now.alive_below(ALIVE_BOUNDS[state - 1], booked, today) or booked

    def _entered(self, index: int, grade: int, until: int) -> int | None:
        """The day on which silence after these bookings brought him into the grade; None: he had it at once."""
        booked, of = self.booked[index].day, self._after(index)
        if of is None or self._grade(index, booked) == grade:
            return None
        return of.clv_below(self.cut_offs[grade - 1], booked, until)

    def _since(self, last: int, grade: int, entered: int | None) -> tuple[int, int | None, str]:
        if entered is not None:
            return entered, self._grade(last, entered - 1), SILENCE
        for index in range(last, max(last - BOOKINGS_MAX, 0), -1):
            day = self.booked[index].day
            before = self._grade(index - 1, day - 1)
            if before != grade:
                return day, before, BOOKING
            fell = self._entered(index - 1, grade, day - 1)
            if fell is not None:
                return fell, self._grade(index - 1, fell - 1), SILENCE
        return self.booked[max(last - BOOKINGS_MAX, 0)].day, None, BOOKING

    def _grade(self, index: int, day: int) -> int:
        of = self._after(index)
        return len(self.cut_offs) if of is None else _rank(of.clv(max(day, self.booked[index].day)), self.cut_offs)

    def _after(self, index: int) -> Prospect | None:
        if index not in self._prospects:
            sums = self._sums[index]
            self._prospects[index] = None if sums is None else self.prediction.prospect(sums)
        return self._prospects[index]


def booked(days: Mapping[int, Amounts], margin_parts: Mapping[int, int]) -> list[Booked]:
    """Of business days and their sums; `margin_parts` before costs."""
    return [
        Booked(day, days[day], margin_parts.get(day, 0) - days[day].cost * RATE_UNIT)
        for day in sorted(days)
        if any(days[day]) or margin_parts.get(day)
    ]


def _running(bookings: Sequence[Booked]) -> list[Sums | None]:
    found: list[Sums | None] = []
    bought = first = last = gross = after_first = refunds = 0
    margins = accumulate(one.margin_parts for one in bookings)
    for one, margin in zip(bookings, margins, strict=True):
        gross, refunds = gross + one.amounts.net, refunds + one.amounts.refunds
        if one.amounts.orders > 0:
            after_first += one.amounts.net if bought else 0
            first = first if bought else one.day
            bought, last = bought + 1, one.day
        sums = Sums(bought, first, last, after_first, gross, refunds, divided(margin, RATE_UNIT))
        found.append(sums if bought else None)
    return found


def _rank(worth: float, bounds: Sequence[float]) -> int:
    """How many bounds it is below; they fall."""
    return sum(worth < bound for bound in bounds)
