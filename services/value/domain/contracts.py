"""Contracts: which of somebody's run, until when, and by which words the last of them ended.

Owns the days on which that changes. Who ended one of several is still there: he left when the last that ran was ended
by his word; when the last ran out instead, his renewal is late and then has lapsed. A contract that is late counts as
running: late is not gone. A function of (statements, bookings, policy, business day). Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

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

    @property
    def days(self) -> tuple[int, int]:
        """The days on which that changes."""
        return self.until, self.until + self.grace_days


class Contract(msgspec.Struct, frozen=True):
    """One contract: `until` the first day without it (None: nobody said), and the words by which he ended it.

    Words that a later renewal took back do not count. Of those that do the one that takes effect first ends it.
    """

    until: int | None
    words: tuple[Statement, ...] = ()

    @property
    def ended(self) -> int | None:
        """The day on which it ends by his word; None: he has not ended it."""
        return self.words[0].day if self.words else None

    def runs(self, today: int, grace_days: int) -> bool:
        """Whether it runs on this day, or is late; one whose end nobody told runs on."""
        if self.ended is not None:
            return today < self.ended
        return self.until is None or today < self.until + grace_days


class Contracts(msgspec.Struct, frozen=True):
    """All of somebody's contracts, but for those that he ended before he bought again."""

    known: Sequence[Contract]
    grace_days: int

    def running(self, today: int) -> list[Contract]:
        """Those that run on this day, or are late."""
        return [one for one in self.known if one.runs(today, self.grace_days)]

    def parting(self, today: int) -> tuple[Statement, ...]:
        """The words by which the last of them ended; none while any runs, or where it ran out."""
        if not self.known or self.running(today):
            return ()
        last = max((one.until or 0) if one.ended is None else one.ended for one in self.known)
        return by_day(word for one in self.known if one.ended == last for word in one.words)

    def term(self, last_bought: int | None) -> Term | None:
        """Until when those run that he has not ended.

        None of who has none, has one whose end nobody told, or bought when none ran any more: then silence tells.
        """
        until = self._until
        if until is None or (last_bought is not None and last_bought >= until):
            return None
        return Term(until, self.grace_days)

    @property
    def days(self) -> set[int]:
        """The days on which any of this may change."""
        ends = {one.ended for one in self.known if one.ended is not None}
        return ends | set(Term(self._until, self.grace_days).days) if ends and self._until is not None else ends

    @property
    def _until(self) -> int | None:
        untils = [one.until for one in self.known if one.ended is None]
        if not untils or None in untils:
            return None
        return max(until for until in untils if until is not None)


def contracts_of(said: Sequence[Statement], is_undone: Callable[[Statement], bool], grace_days: int) -> Contracts:
    """His contracts; `is_undone`: whether he came back after this word."""
    begun: dict[str, list[Statement]] = {}
    ended: dict[str, list[Statement]] = {}
    for one in said:
        if one.what is not None and one.kind in (TERM, ENDED):
            (begun if one.kind == TERM else ended).setdefault(one.what, []).append(one)
    known = []
    for what in begun.keys() | ended.keys():
        renewed_us = max((one.time_us for one in begun.get(what, ())), default=None)
        words = [
            word
            for word in ended.get(what, ())
            if word.day is not None and (renewed_us is None or word.time_us >= renewed_us)
        ]
        still = by_day(word for word in words if not is_undone(word))
        if still or (not words and what in begun):
            known.append(
                Contract(max((b.day for b in begun.get(what, ()) if b.day is not None), default=None), still)
            )
    return Contracts(known, grace_days)


def by_day(words: Iterable[Statement]) -> tuple[Statement, ...]:
    """The word that takes effect first before the others."""
    return tuple(sorted(words, key=lambda one: (one.day or 0, one.time_us, one.event_id)))
