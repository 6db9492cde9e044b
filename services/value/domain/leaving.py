"""Leaving: whether somebody is still a customer, since when not, and what drove him away.

Owns the state of a relationship and its cause: what he said himself, else the last thing that went wrong within a set
number of days of the beginning of his silence or of his leaving, with the event that shows it. A function of
(statements, bookings, model, business day). Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from schemas.envelope import moment_at, rfc3339
from services.value.domain.contracts import Term, term_of
from services.value.domain.course import ACTIVE, AT_RISK, LAPSED, STATES, Booked, Course, Place
from services.value.domain.days import date_of
from services.value.domain.policy import Policy
from services.value.domain.reading import business_day
from services.value.domain.statements import ENDED, TROUBLE, Statement
from services.value.domain.strategy import Strategic

DEFECTED = "defected"
GONE = (LAPSED, DEFECTED)
RISK_DIGITS = 4
STATED, INFERRED = "stated", "inferred"


class Cause(msgspec.Struct, frozen=True):
    """Why: `evidence` is the event that shows it, `kind` whether he said so or it is inferred."""

    cause: str
    kind: str
    evidence: Statement


class Leaving(msgspec.Struct, frozen=True):
    """The state of a relationship on a day. `since`: when it began, of who is at risk, lapsed or defected.

    `turned` are the days up to now on which a word of his took effect, `ahead` the next such day; None: none.
    `words` are the events by which he left, of who defected.
    """

    state: str
    since: int | None
    cause: Cause | None
    turned: tuple[int, ...] = ()
    ahead: int | None = None
    words: tuple[str, ...] = ()

    @property
    def left_day(self) -> int | None:
        """Since when he is gone, of who is."""
        return self.since if self.state in GONE else None


def leaving_of(
    said: Sequence[Statement], bookings: Sequence[Booked], course: Course | None, place: Place | None,
    strategic: Strategic | None, today: int, policy: Policy, zone: ZoneInfo,
) -> Leaving | None:  # fmt: skip
    """The state of his relationship as of a business day; None where nothing is known of it."""
    last = max((one.day for one in bookings if one.amounts.orders > 0), default=None)
    ends = sorted((one for one in said if one.kind == ENDED and one.day is not None and not _undone(one, last, zone)),
                  key=lambda one: (one.day or 0, one.time_us, one.event_id))  # fmt: skip
    troubles = [one for one in said if one.kind == TROUBLE]
    gone = [one for one in ends if (one.day or 0) <= today]
    ahead = min((one.day for one in ends if one.day is not None and one.day > today), default=None)
    if gone:
        turned = tuple(one.day for one in gone if one.day is not None)
        words = tuple(dict.fromkeys(one.event_id for one in gone))
        return Leaving(DEFECTED, min(turned), _why(gone, troubles, policy, zone), turned, ahead, words)
    word = strategic.leaving(today) if strategic is not None else None
    term = term_of(said, last, policy.churn.grace_days)
    state, since = _of_silence(course, place, today)
    if term is not None:
        state, since, ahead_of_term = *_of_term(term, state, since, today), term.ahead(today)
    else:
        ahead_of_term = None
    if (word is not None or ahead is not None) and state in (None, ACTIVE, AT_RISK):
        state, since = AT_RISK, word.day if word is not None else since
    if state is None:
        return None
    cause = None
    if state != ACTIVE:
        around = term.until if term is not None and since == term.until else last
        cause = _why(ends, troubles, policy, zone) if ends else _nearest(troubles, around, policy, zone, after=True)
    days = [day for day in (ahead, ahead_of_term) if day is not None]
    return Leaving(state, since, cause, () if term is None else term.turned(today), min(days, default=None))


def _of_silence(course: Course | None, place: Place | None, today: int) -> tuple[str | None, int | None]:
    """What the model makes of his silence; None where there is none, or he never bought."""
    if course is None or place is None or course.prospect is None:
        return None, None
    state = STATES[place.state]
    return state, course.state_since(place.state, today) if state != ACTIVE else None


def _of_term(term: Term, state: str | None, since: int | None, today: int) -> tuple[str, int | None]:
    """Who has a contract is there while it runs, however silent he is; when it does not, the worse of both tells."""
    of_term = term.state(today)
    if of_term == ACTIVE:
        return ACTIVE, None
    worse = state is None or STATES.index(of_term) >= STATES.index(state)
    return (of_term, term.until) if worse or state is None else (state, since)


def told(of: Leaving, alive: float | None) -> dict[str, Any]:
    """The section's part; `alive`: the chance that he is still there, None where no model tells."""
    cause = of.cause
    risk = None if alive is None else round(1 - alive, RISK_DIGITS)
    return {
        "risk": 1.0 if of.state == DEFECTED else risk,
        "state": of.state,
        "since": None if of.since is None else date_of(of.since).isoformat(),
        "cause": None if cause is None else cause.cause,
        "evidence": None if cause is None else {
            "kind": cause.kind,
            "event_id": cause.evidence.event_id,
            "at": rfc3339(moment_at(cause.evidence.time_us)),
        },
    }  # fmt: skip


def _undone(end: Statement, last: int | None, zone: ZoneInfo) -> bool:
    """He bought again after he had left: on a later day than he said it, and than it took effect."""
    return last is not None and last > max(end.day or 0, business_day(end.time_us, zone))


def _why(ends: Sequence[Statement], troubles: Sequence[Statement], policy: Policy, zone: ZoneInfo) -> Cause | None:
    """What he said himself, the first word first; else what went wrong last before he said it."""
    named = next((one for one in ends if one.cause is not None), None)
    if named is not None and named.cause is not None:
        return Cause(named.cause, STATED, named)
    if not ends:
        return None
    said = min(business_day(ends[0].time_us, zone), ends[0].day or 0)
    return _nearest(troubles, said, policy, zone, after=False)


def _nearest(
    troubles: Sequence[Statement], day: int | None, policy: Policy, zone: ZoneInfo, *, after: bool
) -> Cause | None:
    """The last trouble within the policy's days before a day, and after it where what follows counts as well."""
    if day is None:
        return None
    within = policy.churn.cause_days
    near = [
        (one.time_us, one.event_id, one)
        for one in troubles
        if -within <= business_day(one.time_us, zone) - day <= (within if after else 0)
    ]
    last = max(near, default=None, key=lambda found: found[:2])
    return None if last is None else Cause(last[2].cause or "", INFERRED, last[2])
