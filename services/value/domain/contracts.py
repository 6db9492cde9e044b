"""Contracts: until when somebody's run, and since when a renewal that was due has not come.

Owns the days on which that changes. A contract that he ended himself is leaving.py's. A function of (statements,
bookings, policy, business day). Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from services.value.domain.course import ACTIVE, AT_RISK, LAPSED
from services.value.domain.statements import ENDED, TERM, Statement


class Term(msgspec.Struct, frozen=True):
    """`until`: the first business day on which none of his contracts runs; he may be `grace_days` late."""

    until: int
    grace_days: int

    def state(self, today: int) -> str:
        """While one runs he is there; then he is late, then his renewal has lapsed."""
        if today < self.until:
            return ACTIVE
        return AT_RISK if today < self.until + self.grace_days else LAPSED

    def turned(self, today: int) -> tuple[int, ...]:
        """The days up to today on which that changed."""
        return tuple(day for day in (self.until, self.until + self.grace_days) if day <= today)

    def ahead(self, today: int) -> int | None:
        """The next such day; None: none."""
        return next((day for day in (self.until, self.until + self.grace_days) if day > today), None)


def term_of(said: Sequence[Statement], last_bought: int | None, grace_days: int) -> Term | None:
    """His last contract's; None of who has none, or bought when none ran any more: then silence tells."""
    latest: dict[str, Statement] = {}
    for one in said:
        if one.kind == TERM and one.what is not None and one.day is not None:
            latest[one.what] = max(one, latest.get(one.what, one), key=_until)
    for one in said:
        running = latest.get(one.what or "") if one.kind == ENDED else None
        if running is not None and one.time_us >= running.time_us:
            del latest[running.what or ""]
    until = max((one.day for one in latest.values() if one.day is not None), default=None)
    if until is None or (last_bought is not None and last_bought >= until):
        return None
    return Term(until, grace_days)


def _until(one: Statement) -> tuple[int, int, str]:
    return one.day or 0, one.time_us, one.event_id
