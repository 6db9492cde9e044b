"""What became of every event, added up by source and minute.

Owns the fates an event can have and what must add up. The totals are of copies: what was sent twice is two copies,
one applied and one duplicate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Fate(StrEnum):
    """How a copy in the log ended, or that it did not yet.

    `suppressed`: its person was erased, before or since. `waiting`: not come to yet. `missing`: come to, and nowhere:
    that must not be.
    """

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    SHADOWED = "shadowed"
    SUPPRESSED = "suppressed"
    PARKED = "parked"
    WAITING = "waiting"
    MISSING = "missing"


class Cell(NamedTuple):
    """A source and a minute of arrival."""

    source: str
    minute: datetime


class Answered(NamedTuple):
    """What the doors answered for: copies taken into the log, parked at the door, refused to be sent again, or kept
    nowhere because their person was erased."""

    taken: int = 0
    parked: int = 0
    refused: int = 0
    suppressed: int = 0


@dataclass(slots=True)
class Account:
    """One cell's totals."""

    answered: Answered = field(default_factory=Answered)
    fates: Counter[Fate] = field(default_factory=Counter)

    @property
    def logged(self) -> int:
        """Copies in the log."""
        return self.fates.total()

    @property
    def lost(self) -> int:
        """Copies the doors answered for and the log has not."""
        return max(0, self.answered.taken - self.logged)

    @property
    def uncounted(self) -> int:
        """Copies in the log nobody answered for: the door died, or did not hear the log's ack. They count as well."""
        return max(0, self.logged - self.answered.taken)

    @property
    def is_right(self) -> bool:
        """Whether each copy that was answered for ended somewhere, or is still to be come to."""
        return not self.lost and not self.fates[Fate.MISSING]


def minute_of(moment: datetime) -> datetime:
    """The minute it lies in."""
    return moment.replace(second=0, microsecond=0)


def accounts(answered: Mapping[Cell, Answered], fates: Iterable[tuple[Cell, Fate]]) -> dict[Cell, Account]:
    """The totals of each cell, in the order of time and source."""
    found = {cell: Account(said) for cell, said in answered.items()}
    for cell, fate in fates:
        found.setdefault(cell, Account()).fates[fate] += 1
    return dict(sorted(found.items(), key=lambda item: (item[0].minute, item[0].source)))
