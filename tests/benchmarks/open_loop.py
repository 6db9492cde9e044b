"""Doing things when they are due, at a steady rate, however long each takes: the loop of every load that is sent.

Owns the times: each is counted from when it was due, so that a stall counts for everyone who waited in it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def when_due(
    items: Iterable[T], per_s: float, connections: int, act: Callable[[T], Awaitable[None]]
) -> list[float]:
    """Act on each, `connections` at once; ms of each from when it was due. With 0 per second each is due at once."""
    left = list(enumerate(items))[::-1]
    took_ms: list[float] = []
    started = time.monotonic()

    async def connection() -> None:
        while left:
            number, item = left.pop()
            due = started + number / per_s if per_s else time.monotonic()
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await act(item)
            took_ms.append(round((time.monotonic() - due) * 1000, 2))

    await asyncio.gather(*(connection() for _ in range(connections)))
    return took_ms
