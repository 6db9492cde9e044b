"""The rows of the fault tests in two sizes: `quick` in every run, `full` under the marker `faults`.

Owns the table, seeds and the figures told at the end. Change a bound only with a measured reason beside it.
"""

from __future__ import annotations

import os
import random
import secrets
from dataclasses import dataclass

import pytest

RECOVERY_MAX_S = 15.0
GOES_ON_MAX_S = 2.0
QUICK_SEED = 360

ONLY_LONG = frozenset({"D10", "P6"})
"""Rows that every run can do without: laws and unit tests hold what they hold."""

FIGURES: list[str] = []
"""Lines for the end of the run."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much of a row is done. `count`: rounds, hits, seconds or records, whatever the row counts."""

    row: str
    name: str
    count: int
    events_per_s: int = 200

    def seed(self) -> int:
        """C360_FAULT_SEED, else a fixed one for quick and a new one for full; told at the end of the run."""
        given = os.environ.get("C360_FAULT_SEED")
        seed = int(given) if given else QUICK_SEED if self.name == "quick" else secrets.randbelow(10**6)
        self.tell(f"seed {seed}")
        return seed

    def random(self) -> random.Random:
        """Random numbers of the seed."""
        return random.Random(self.seed())

    def tell(self, figure: str) -> None:
        """A figure for the end of the run."""
        FIGURES.append(f"{self.row} {self.name}: {figure}")


ROWS: dict[str, tuple[Size, Size]] = {
    row: (Size(row, "quick", quick, rate), Size(row, "full", full, 2 * rate))
    for row, quick, full, rate in (
        ("D1", 3, 10, 200),  # kills
        ("D2", 1, 5, 200),  # hits of each point
        ("D3", 1, 5, 50),  # stops at each point
        ("D4", 8, 60, 200),  # seconds
        ("D6", 1, 3, 100),  # records of each kind of failure
        ("D7", 200, 2000, 200),  # events
        ("D10", 200, 2000, 100),  # merges, at 200 a second
        ("X7", 60, 3000, 200),  # pieces of garbage
        ("X8", 100, 2000, 200),  # events under the bad deploy
        ("P6", 5, 50, 200),  # interrupted COMMITs
        ("P1", 3, 10, 200),  # seconds without PostgreSQL
        ("B1", 3, 10, 200),  # seconds without the broker
    )
}


def sizes(row: str) -> pytest.MarkDecorator:
    """Parametrises a test with the row's sizes; rows in ONLY_LONG have both under the marker."""
    quick, full = ROWS[row]
    marks = [pytest.mark.faults] if row in ONLY_LONG else []
    return pytest.mark.parametrize(
        "size",
        [pytest.param(quick, id="quick", marks=marks), pytest.param(full, id="full", marks=pytest.mark.faults)],
    )
