"""CDNOW: who bought when for how much, as the package lifetimes ships it (deploy/setup/peers.sh installs it).

Owns reading its files and the days on which the literature cuts them. The data is not in the project.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from services.value.domain.models.purchases import Purchases, purchases
from tests.benchmarks.value.peers import PEERS, arrays

Which = Literal["sample", "full"]
FILES = {"sample": "CDNOW_sample.txt", "full": "CDNOW_master.txt"}
"""2,357 customers, every tenth of the 23,570."""
FIRST = date(1997, 1, 1)
CUT_DAY, LAST_DAY = 272, 545
"""Days since 1997-01-01: the end of week 39, and of week 78."""
WEEK_DAYS = 7


def read(which: Which) -> Purchases:
    """All purchases to the end of week 78, days since 1997-01-01, amounts in 10^-4 dollars."""
    found = sorted(PEERS.glob(f"lib/python3*/site-packages/lifetimes/datasets/{FILES[which]}"))
    if not found:
        raise FileNotFoundError(f"{FILES[which]} is not in {PEERS}: run deploy/setup/peers.sh")
    rows = [_row(line.split()) for line in found[0].read_text().splitlines() if line.strip()[:1].isdigit()]
    return purchases(*arrays(rows))


def until(known: Purchases, day: int) -> Purchases:
    """What had happened by the end of a day."""
    then = known.day <= day
    return Purchases(known.customer[then], known.day[then], known.amount[then])


def calibration_and_truth(which: Which) -> tuple[Purchases, Purchases]:
    """Weeks 1 to 39 to fit and choose on, and all of it to judge by."""
    everything = read(which)
    return until(everything, CUT_DAY), everything


def _row(words: list[str]) -> tuple[int, int, int]:
    *labels, day, _number, amount = words
    when = date(int(day[:4]), int(day[4:6]), int(day[6:]))
    return int(labels[0]), (when - FIRST).days, int(Decimal(amount) * 10_000)
