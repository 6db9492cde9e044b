"""How much a source may send: a token bucket each, so that one sender's flood is not everybody's.

Owns the buckets of one process, in memory: a limit is a protection, not an account. `clock` gives seconds that never
go back.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

BURST_S = 2
"""A source that was silent may send so many seconds' worth at once."""
RETRY_AFTER_MAX_S = 60


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Pacing:
    """Counts events against sources' `events_per_s`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def wait_s(self, source: str, events_per_s: int | None, events: int) -> int:
        """0 when these events may come in, and counts them; else whole seconds until as many may.

        A request larger than the bucket is let in when the bucket is full, and paid off after it.
        """
        if events_per_s is None:
            return 0
        now, size = self._clock(), float(events_per_s * BURST_S)
        bucket = self._buckets.setdefault(source, _Bucket(size, now))
        bucket.tokens = min(size, bucket.tokens + (now - bucket.at) * events_per_s)
        bucket.at = now
        needed = min(float(events), size)
        if bucket.tokens >= needed:
            bucket.tokens -= events
            return 0
        return min(RETRY_AFTER_MAX_S, max(1, -int((bucket.tokens - needed) // events_per_s)))
