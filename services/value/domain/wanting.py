"""What somebody needs next, as it is told: two lists, each item with a score and why it is there.

Owns the words of the reasons. What belongs on the lists is models/tastes.py's. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from services.value.domain.days import date_of
from services.value.domain.models.replenish import Suggestion, bought
from services.value.domain.models.tastes import Found, Tastes

SCORE_DIGITS = 6


def recommended(tastes: Tastes, own: Iterable[tuple[str, int]], day: int, limit: int) -> dict[str, Any]:
    """The lists of who bought these items on these business days, as of a day."""
    mine = bought(one for one in own if one[1] <= day)
    return {
        "replenish": [_again(one) for one in tastes.replenish(mine, day, limit)],
        "discover": [_new(one) for one in tastes.discover(mine, limit)],
    }


def _again(one: Suggestion) -> dict[str, Any]:
    last = date_of(one.last_day).isoformat()
    times = "once" if one.days == 1 else f"on {one.days} days"
    every = "" if one.every_days is None else f", about every {one.every_days} days"
    return {
        "item": one.item,
        "score": round(one.score, SCORE_DIGITS),
        "reason": f"bought {times}{every}, last on {last}",
        "days": one.days,
        "last_on": last,
        "every_days": one.every_days,
        "due_on": None if one.every_days is None else date_of(one.last_day + one.every_days).isoformat(),
    }


def _new(one: Found) -> dict[str, Any]:
    because = one.because
    reason = "bought most by all customers" if because is None else f"bought by many who bought {because}"
    return {"item": one.item, "score": round(one.score, SCORE_DIGITS), "reason": reason, "because": because}
