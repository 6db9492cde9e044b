"""The lane's side of the nightly refit: start the process that does it, when it is due.

Owns the process it started and when it may start another. The lane never waits for it; services/value/refit.py looks
again whether it is due, and is the only one at work whoever started it.
"""

from __future__ import annotations

import asyncio
import sys
from zoneinfo import ZoneInfo

from services.runtime import telemetry
from services.runtime.policies import PolicyInForce
from services.runtime.postgres import Connection
from services.runtime.settings import Settings
from services.value.domain.policy import Policy, read_policy
from services.value.domain.refitting import OFF, due_day
from services.value.handlers import POLICY
from services.value.store import refits

REFIT = (sys.executable, "-m", "services.value.refit")
DAY_US = 86_400_000_000
PAUSE_US = 60_000_000
"""Least time between two processes: one that was killed, or could not, is started again."""


class Refits:
    """Starts refits for one worker."""

    def __init__(self, settings: Settings) -> None:
        # A rebuild decides nothing: the policies it works by are those of the live generation.
        self.hour = OFF if settings.silent else settings.value_refit_hour
        self.zone = ZoneInfo(settings.business_timezone)
        self.ahead_us = settings.value_days_ahead * DAY_US
        self.policy = PolicyInForce[Policy](POLICY, read_policy)
        self._again_us = 0
        self._running: asyncio.Task[None] | None = None

    async def look(self, connection: Connection, clock_us: int) -> bool:
        """Start what is due at this time of the machine's clock; whether anything was started."""
        now_us = clock_us + self.ahead_us
        is_at_work = self._running is not None and not self._running.done()
        if self.hour == OFF or is_at_work or now_us < self._again_us:
            return False
        policy = await self.policy.hold(connection)
        day = due_day(now_us, self.policy.since_ms * 1_000, self.hour, self.zone)
        if day is None or policy.prediction is None or await refits.is_done(connection, day):
            return False
        self._again_us = now_us + PAUSE_US
        self._running = asyncio.create_task(_run())
        return True

    async def ended(self) -> None:
        """Wait for the process that was started, if any is at work."""
        if self._running is not None:
            await self._running


async def _run() -> None:
    try:
        process = await asyncio.create_subprocess_exec(*REFIT, stdin=asyncio.subprocess.DEVNULL)
    except OSError as error:
        telemetry.log.warning("refit_not_started", error=telemetry.where(error))
        return
    code = await process.wait()
    if code:
        telemetry.log.warning("refit_failed", code=code)
