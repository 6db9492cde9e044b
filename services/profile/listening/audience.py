"""Who listens to changes: admitted up to a limit, each with a buffer of its own, told in the order of the log.

Owns the limits and what becomes of a listener who does not keep up. Does no I/O: what is told comes from changes.py,
what is sent goes through streams.py.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from services.runtime.http import Problem

BUFFER_CHANGES_MAX = 1_000
"""Changes that wait for one listener; when there are more, he is sent away and may come back where he was."""
STREAMS_PER_KEY_MAX = 20
STREAMS_MAX = 200
"""Of one process."""

SLOW, GONE, KEY_ENDED, UNAVAILABLE = "slow-reader", "customer-gone", "key-ended", "unavailable"
"""Why a stream ends."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change as it stands in the log. `event` is the CloudEvent's JSON, `cursor` the place after it."""

    key: str
    id: str
    type: str
    event: bytes
    cursor: str


class Listener:
    """One stream: whom it is about (`keys`; everybody when None) and what waits for it. Without a key it is ours."""

    def __init__(self, key_id: str | None, keys: frozenset[str] | None) -> None:
        self.key_id = key_id
        self.keys = keys
        self.ended: str | None = None
        self._waiting: asyncio.Queue[Change | None] = asyncio.Queue(BUFFER_CHANGES_MAX)

    def is_over(self) -> bool:
        """It has ended, whatever waits."""
        return self.ended is not None

    @property
    def is_idle(self) -> bool:
        """Nothing waits."""
        return self._waiting.empty()

    async def next(self, timeout_s: float) -> Change | None:
        """The next change; None when it has ended, or none came in time."""
        if self.is_over():
            return None
        try:
            async with asyncio.timeout(timeout_s):
                return await self._waiting.get()
        except TimeoutError:
            return None

    def offer(self, change: Change) -> bool:
        """Whether there was room for it; without, the stream ends."""
        try:
            self._waiting.put_nowait(change)
        except asyncio.QueueFull:
            self.ended = SLOW
            return False
        return True

    def end(self, why: str) -> None:
        """End it, also while it waits."""
        self.ended = why
        if self._waiting.empty():
            self._waiting.put_nowait(None)


class Audience:
    """All listeners of a process."""

    def __init__(self) -> None:
        self._admitted: Counter[str] = Counter()
        self._ours = 0
        self._of: dict[str | None, list[Listener]] = {}

    @property
    def is_empty(self) -> bool:
        """Nobody was admitted, or all have left."""
        return not self._admitted and not self._ours

    def admit(self, key_id: str | None, keys: Iterable[str] | None) -> Listener:
        """A listener, who hears nothing before `seat`; without a key it is ours, and not counted with the streams.

        Raises Problem("too-many-streams").
        """
        if key_id is None:
            self._ours += 1
            return Listener(None, None if keys is None else frozenset(keys))
        if self._admitted[key_id] >= STREAMS_PER_KEY_MAX:
            raise Problem("too-many-streams", f"at most {STREAMS_PER_KEY_MAX} for one key", {"Retry-After": "15"})
        if self._admitted.total() >= STREAMS_MAX:
            raise Problem("too-many-streams", f"at most {STREAMS_MAX} in all", {"Retry-After": "15"})
        self._admitted[key_id] += 1
        return Listener(key_id, None if keys is None else frozenset(keys))

    def seat(self, listener: Listener) -> None:
        """From now on it hears what is told."""
        for key in _places(listener):
            self._of.setdefault(key, []).append(listener)

    def leave(self, listener: Listener) -> None:
        """It hears nothing more, and another may come."""
        self._unseat(listener)
        if listener.key_id is None:
            self._ours -= 1
            return
        self._admitted[listener.key_id] -= 1
        if not self._admitted[listener.key_id]:
            del self._admitted[listener.key_id]

    def wants(self, key: str) -> bool:
        """Whether anybody listens for this customer's changes."""
        return bool(self._of.get(key) or self._of.get(None))

    def tell(self, change: Change) -> None:
        """A change to all who are to hear it."""
        for listener in [*self._of.get(None, ()), *self._of.get(change.key, ())]:
            if not listener.offer(change):
                self._unseat(listener)

    def end_all(self, why: str) -> None:
        """End every stream that hears."""
        for listener in {one for those in self._of.values() for one in those}:
            listener.end(why)
            self._unseat(listener)

    def _unseat(self, listener: Listener) -> None:
        for key in _places(listener):
            those = self._of.get(key, [])
            if listener in those:
                those.remove(listener)
            if not those:
                self._of.pop(key, None)


def _places(listener: Listener) -> Iterable[str | None]:
    return (None,) if listener.keys is None else listener.keys
