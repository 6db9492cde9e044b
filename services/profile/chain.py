"""Waiting through all services until what was published is visible in profiles; freshness of answers.

Owns the chain intake → identity → interaction → profile over the services' internal /wait pages.
"""

from __future__ import annotations

import asyncio
import time

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
PROBE_EVERY_S = 0.5
PROBE_WAIT_MS = 5_000
ASKED_WITHIN_S = 5.0
"""Freshness is only watched while somebody reads."""


class Chain:
    """Knows how far profiles are. `client` asks the other services."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings = settings
        self.database = database
        self.ending = Ending(settings)
        self.client = httpx.AsyncClient(timeout=waiting.WAIT_MS_MAX / 1000 + 2)
        self.visible: Ends = {}
        self._visible_at = 0.0
        self._behind_since: float | None = time.monotonic()
        self._asked_at = 0.0
        self._probe: asyncio.Task[None] | None = None

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
        identity = await self._ask("identity", self.settings.identity_internal_url, at, deadline)
        at = waiting.merge(at, identity)
        at = waiting.merge(at, await self._ask("interaction", self.settings.interaction_internal_url, at, deadline))
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

    def lag_ms(self) -> int:
        """An upper bound of the age of the oldest event that is in the log and not yet in profiles."""
        self._asked_at = time.monotonic()
        if self._probe is None or self._probe.done():
            self._probe = asyncio.create_task(self._watch())
        behind = self._behind_since
        return 0 if behind is None else int((time.monotonic() - behind) * 1000)

    def position(self) -> str | None:
        """The token of what is surely visible; None until it was first known."""
        return waiting.write_token(self.visible) if self.visible else None

    async def _watch(self) -> None:
        while time.monotonic() - self._asked_at < ASKED_WITHIN_S:
            taken_at = time.monotonic()
            try:
                ends = await self.ending.ends([CHANNEL_EVENTS.name])
                if ends != self.visible:
                    self._behind_since = self._behind_since or taken_at
                    await self.until_visible(ends, PROBE_WAIT_MS)
                    self.visible = ends
                # Everything up to the moment the ends were read is visible; later events are younger.
                self._behind_since = None if time.monotonic() - taken_at < PROBE_EVERY_S else taken_at
            except (Problem, KafkaError, *TRANSIENT) as error:
                telemetry.log.info("freshness_unknown", error=telemetry.where(error))
            await asyncio.sleep(PROBE_EVERY_S)
        self._behind_since = time.monotonic()

    async def close(self) -> None:
        """Stop watching and disconnect."""
        if self._probe is not None:
            self._probe.cancel()
            await asyncio.gather(self._probe, return_exceptions=True)
        await self.client.aclose()
        await self.ending.stop()


def _left_ms(deadline: float) -> int:
    return max(0, int((deadline - time.monotonic()) * 1000))
