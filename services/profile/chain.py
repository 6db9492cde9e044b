"""Waiting through all services until what was published is visible in profiles; freshness of answers.

Owns the chain intake → identity → interaction, value and treatment → profile over the services' internal /wait pages.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass

import httpx
from aiokafka.errors import KafkaError

from schemas.topics import CHANNEL_EVENTS, CHANNEL_RAW, TOPICS
from services.runtime import telemetry, waiting
from services.runtime.http import Database, Problem
from services.runtime.postgres import TRANSIENT
from services.runtime.settings import Settings
from services.runtime.waiting import Ends
from services.runtime.watch import Ending

HEARD = {t.name for t in TOPICS.values() if "profile" in t.read_by}
LOOK_EVERY_S = 0.5
LOOK_WAIT_MS = 5_000
FIRST_LOOK_S = 0.5
ASKED_WITHIN_S = 5.0
"""Freshness is only watched while somebody reads."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """`lag_ms`: an upper bound of the age of the oldest event not in profiles (docs/decisions/0003).

    `position`: the token of what is surely visible, None until that was first known.
    """

    lag_ms: int
    position: str | None


class Chain:
    """Knows how far profiles are. `client` asks the other services."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings = settings
        self.database = database
        self.ending = Ending(settings)
        self.client = httpx.AsyncClient(timeout=waiting.WAIT_MS_MAX / 1000 + 2)
        self._visible: Ends = {}
        self._confirmed_at = time.monotonic()
        self._nothing_newer = False
        self._asked_at = 0.0
        self._looked = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    async def ends(self) -> Ends:
        """Where the raw topic and the log end now."""
        return await self.ending.ends([CHANNEL_RAW.name, CHANNEL_EVENTS.name])

    async def until_visible(self, at: Ends, wait_ms: int) -> None:
        """Return when everything before `at` is in profiles. Raises Problem("not-caught-up", "unavailable")."""
        deadline = time.monotonic() + min(wait_ms, waiting.WAIT_MS_MAX) / 1000
        if any(topic == CHANNEL_RAW.name for topic, _ in at):
            await self._ask("intake", self.settings.intake_internal_url, at, deadline)
            log = await self.ending.ends([CHANNEL_EVENTS.name])
            at = waiting.merge(at, log)
        at = waiting.merge(at, await self._ask("identity", self.settings.identity_internal_url, at, deadline))
        beside = await asyncio.gather(
            self._ask("interaction", self.settings.interaction_internal_url, at, deadline),
            self._ask("value", self.settings.value_internal_url, at, deadline),
            self._ask("treatment", self.settings.treatment_internal_url, at, deadline),
        )
        for told in beside:
            at = waiting.merge(at, told)
        try:
            await waiting.until_applied(await self.database.pool(), at, HEARD, _left_ms(deadline))
        except waiting.NotCaughtUp as behind:
            raise Problem(
                "not-caught-up", f"profile is {behind.behind} records behind", {"Retry-After": "1"}
            ) from None

    async def _ask(self, service: str, url: str, at: Ends, deadline: float) -> Ends:
        query: dict[str, str | int] = {"at": waiting.write_token(at), "wait_ms": _left_ms(deadline)}
        try:
            response = await self.client.get(f"{url}/wait", params=query)
        except httpx.HTTPError as error:
            telemetry.log.warning("chain_part_unavailable", part=service, error=telemetry.where(error))
            raise Problem("unavailable", f"{service} does not answer", {"Retry-After": "1"}) from None
        if response.status_code != 200:
            raise Problem("not-caught-up", f"{service} has not caught up", {"Retry-After": "1"})
        return waiting.read_token(response.json()["token"])

    # -- freshness ---------------------------------------------------------------------------------------

    async def freshness(self) -> Freshness:
        """How fresh answers are now; the first reader after a quiet time waits for one look at the log."""
        self._asked_at = time.monotonic()
        if self._watching is None or self._watching.done():
            self._looked = asyncio.Event()
            self._watching = asyncio.create_task(self._watch())
        if not self._looked.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._looked.wait(), FIRST_LOOK_S)
        lag_ms = 0 if self._nothing_newer else int((time.monotonic() - self._confirmed_at) * 1000)
        return Freshness(lag_ms, waiting.write_token(self._visible) if self._visible else None)

    async def _watch(self) -> None:
        while time.monotonic() - self._asked_at < ASKED_WITHIN_S:
            try:
                await self._look()
            except (Problem, KafkaError, *TRANSIENT) as error:
                self._nothing_newer = False
                telemetry.log.info("freshness_unknown", error=telemetry.where(error))
            self._looked.set()
            await asyncio.sleep(LOOK_EVERY_S)

    async def _look(self) -> None:
        read_at = time.monotonic()
        ends = await self.ending.ends([CHANNEL_EVENTS.name])
        self._nothing_newer = ends == self._visible
        if not self._nothing_newer:
            await self.until_visible(ends, LOOK_WAIT_MS)
            self._visible = ends
            self._nothing_newer = ends == await self.ending.ends([CHANNEL_EVENTS.name])
        self._confirmed_at = read_at

    async def close(self) -> None:
        """Stop watching and disconnect."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        await self.client.aclose()
        await self.ending.stop()


def _left_ms(deadline: float) -> int:
    return max(0, int((deadline - time.monotonic()) * 1000))
