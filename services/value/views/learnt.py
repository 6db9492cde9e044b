"""What this process has learnt of everybody's purchases, for the lists of what somebody needs next.

Owns when it is learnt: with the first question of a business day, beside the answers, which meanwhile go by what was
known the day before. Only the first question of all waits. Losing it costs learning once more.
"""

from __future__ import annotations

import asyncio
from zoneinfo import ZoneInfo

from services.runtime import telemetry
from services.runtime.http import Database
from services.value.domain.days import begins_us
from services.value.domain.models.tastes import Tastes
from services.value.views import wanting


class Learnt:
    """Of one process."""

    def __init__(self, database: Database, zone: ZoneInfo) -> None:
        self._database = database
        self._zone = zone
        self._known: tuple[int, Tastes] | None = None
        self._learning: asyncio.Task[Tastes] | None = None

    async def on(self, day: int, *, anew: bool = False) -> Tastes:
        """Of this business day, or of one before while it is learnt. Raises what TRANSIENT lists.

        `anew`: what was bought until now counts, and is waited for.
        """
        if self._known is not None and self._known[0] == day and not anew:
            return self._known[1]
        if self._learning is None:
            self._learning = asyncio.create_task(self._learn(day))
            self._learning.add_done_callback(self._ended)
        if self._known is not None and not anew:
            return self._known[1]
        # Who asked may be gone before it is learnt; others want it all the same.
        return await asyncio.shield(self._learning)

    async def _learn(self, day: int) -> Tastes:
        pool = await self._database.pool()
        async with pool.acquire() as connection:
            found = await wanting.learnt(connection, self._zone, begins_us(day + 1, self._zone) - 1)
        self._known = (day, found)
        return found

    def _ended(self, task: asyncio.Task[Tastes]) -> None:
        self._learning = None
        if not task.cancelled() and (error := task.exception()) is not None:
            telemetry.log.warning("tastes_not_learnt", error=telemetry.where(error))
