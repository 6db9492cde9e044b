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
from services.value.domain.contracts import Contracts, Term, by_day, contracts_of
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
    contracts = contracts_of(said, lambda one: _undone(one, last, zone), policy.churn.grace_days)
    whole = [one for one in said if one.kind == ENDED and one.what is None and not _undone(one, last, zone)]
    ends = by_day([*whole, *(word for one in contracts.known for word in one.words)])
    troubles = [one for one in said if one.kind == TROUBLE]
    term = contracts.term(last)
    days = {*contracts.days, *(one.day for one in whole if one.day is not None), *(() if term is None else term.days)}
    turned = tuple(sorted(day for day in days if day <= today))
    ahead = min((day for day in days if day > today), default=None)
    words = by_day([*(one for one in whole if (one.day or 0) <= today), *contracts.parting(today)])
    if words:
        since = words[0].day or 0
        cause = _why([*words, *_near(ends, since, since, policy)], troubles, policy, zone)
        return Leaving(DEFECTED, since, cause, turned, ahead, tuple(dict.fromkeys(one.event_id for one in words)))
    state, began = _there(_of_silence(course, place, today), contracts, whole, strategic, term, today, zone)
    if state is None:
        return None
    why = None
    if state != ACTIVE:
        near = _near(ends, began, None, policy)
        around = term.until if term is not None and began == term.until else last
        why = _why(near, troubles, policy, zone) if near else _nearest(troubles, around, policy, zone, after=True)
    return Leaving(state, began, why, turned, ahead)


def _there(
    silence: tuple[str | None, int | None], contracts: Contracts, whole: Sequence[Statement],
    strategic: Strategic | None, term: Term | None, today: int, zone: ZoneInfo,
) -> tuple[str | None, int | None]:  # fmt: skip
    """The state, and since when, of who has not left by a word of his; None where nothing is known of it."""
    state, since = silence if term is None else _of_term(term, *silence, today)
    running, word = contracts.running(today), strategic.leaving(today) if strategic is not None else None
    ahead = [business_day(one.time_us, zone) for one in whole if (one.day or 0) > today]
    if running and all(one.ended is not None for one in running):
        # He has ended all that still run: they keep him, however silent he is, to their end.
        said_on = max(min(business_day(said.time_us, zone) for said in one.words) for one in running)
        state, since = AT_RISK, since if state == AT_RISK else said_on
    elif state in (None, ACTIVE) and ahead:
        state, since = AT_RISK, min(ahead)
    if word is not None and state in (None, ACTIVE, AT_RISK):
        state, since = AT_RISK, word.day
    return state, since


def _near(ends: Sequence[Statement], day: int | None, until: int | None, policy: Policy) -> list[Statement]:
    """Words that may explain what began on a day: from the policy's days before it on."""
    within = policy.churn.cause_days
    return [
        one
        for one in ends
        if (day is None or (one.day or 0) >= day - within) and (until is None or (one.day or 0) <= until)
    ]


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
