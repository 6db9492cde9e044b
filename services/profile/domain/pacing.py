"""How often an API key may ask: so many requests a second on average, and so many at once after a quiet time.

Owns the rule: the generic cell rate algorithm (ITU-T I.371, annex A), a token bucket kept as one moment. Pure: the
moment is given.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """`per_s` on average, `burst` at once."""

    per_s: float
    burst: int


def let_in(due_s: float | None, now_s: float, pace: Pace) -> tuple[float, float]:
    """(when the next one would be due if all came evenly, 0.0), or (as it was, seconds to wait) for one too many.

    `due_s`: what was returned last; None for the first.
    """
    due_s = now_s if due_s is None else max(due_s, now_s)
    ahead_s = due_s - now_s - (pace.burst - 1) / pace.per_s
    # Less than a microsecond is the float's own.
    if ahead_s > 1e-6:
        return due_s, ahead_s
    return due_s + 1 / pace.per_s, 0.0


def retry_after_s(wait_s: float) -> int:
    """Whole seconds for Retry-After, at least one."""
    return max(1, math.ceil(wait_s))
