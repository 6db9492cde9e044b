"""Making the copies that were asked for: everything that is kept of one customer, from all services, as one JSON.

Owns what is in a copy and the loop that makes it. A service that does not answer makes it wait, never leaves it out.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from schemas.codec import read_json_exactly, write_json_exactly
from schemas.envelope import rfc3339
from services.profile import domain
from services.profile.api.doors import Doors
from services.profile.api.treatment import of_customer, with_treatment
from services.profile.inputs import exports
from services.profile.inputs.exports import Wanted
from services.runtime import telemetry
from services.runtime.http import Problem
from services.runtime.postgres import AWAY

LOOK_EVERY_S = 1.0
AGAIN_AFTER_S = 5.0
REMOVE_EVERY = 3_600
"""Looks."""
BYTES_MAX = 128 * 1024 * 1024
PAGE_ITEMS = "200"
GONE = ("unknown-customer", "erased")
LATER: tuple[type[Exception], ...] = (Problem, *AWAY)
EVERYTHING = "properties,corrections"
PAGES: dict[str, tuple[str, str]] = {
    "identity": ("identity", "identity"),
    "identity_history": ("identity", "history"),
    "conversations": ("interaction", "conversations"),
    "known": ("interaction", "known"),
    "feedback": ("interaction", "feedback"),
    "ledger": ("value", "value"),
}
"""Part of a copy → the service and its page that tell it."""


class TooLarge(Exception):
    """There is more of him than one copy holds."""


class Exporter:
    """One of a process. `run` ends only by being cancelled."""

    def __init__(self, doors: Doors) -> None:
        self.doors = doors
        self._asked = asyncio.Event()
        self._looks = 0

    def look(self) -> None:
        """Somebody asked for one: look at once."""
        self._asked.set()

    async def run(self) -> None:
        """Make what is asked for, one after the other."""
        while True:
            self._asked.clear()
            try:
                while await self._make_one():
                    pass
                await self._remove_old()
            except LATER as error:
                telemetry.log.warning("export_waits", error=telemetry.where(error))
                await asyncio.sleep(AGAIN_AFTER_S)
            except Exception as error:
                # A mistake of ours must not end all exports until the next start.
                telemetry.log.error("export_failed", error=telemetry.where(error))
                await asyncio.sleep(AGAIN_AFTER_S)
            try:
                await asyncio.wait_for(self._asked.wait(), LOOK_EVERY_S)
            except TimeoutError:
                continue

    async def _remove_old(self) -> None:
        if self._looks % REMOVE_EVERY == 0:
            pool = await self.doors.database.pool()
            async with pool.acquire() as connection:
                await exports.remove_old(connection)
        self._looks += 1

    async def _make_one(self) -> bool:
        pool = await self.doors.database.pool()
        async with pool.acquire() as connection:
            wanted = await exports.claim(connection)
        if wanted is None:
            return False
        state, body, position = await self._made(wanted)
        async with pool.acquire() as connection:
            await exports.finish(connection, wanted.export_id, state, body, position)
        telemetry.log.info("export_made", export=wanted.export_id, state=state, bytes=len(body or b""))
        return True

    async def _made(self, wanted: Wanted) -> tuple[str, bytes | None, str | None]:
        try:
            told = await self.doors.today(wanted.customer_id)
            fresh = await self.doors.chain.freshness()
            copy = await self._copy(told)
            body = write_json_exactly({"position": fresh.position, **copy})
        except Problem as problem:
            if problem.kind in GONE:
                return exports.GONE, None, None
            raise
        except TooLarge:
            return exports.TOO_LARGE, None, None
        if len(body) > BYTES_MAX:
            return exports.TOO_LARGE, None, None
        return exports.DONE, body, fresh.position

    async def _copy(self, told: domain.Told) -> dict[str, Any]:
        now = self.doors.now
        in_segments = (await self.doors.in_segments([told], []))[told.customer_id]
        document = await with_treatment(
            self.doors, told, domain.document(told.customer_id, in_segments, [], 0, None, now)
        )
        del document["meta"]
        parts = {
            part: await self._part(service, f"/customers/{told.customer_id}/{page}", {})
            for part, (service, page) in PAGES.items()
        }
        return {
            "exported_at": rfc3339(datetime.now(UTC)),
            "customer_id": told.customer_id,
            "profile": document,
            **parts,
            "treatments": await self._treatments(told.customer_id),
            "timeline": await self._timeline(told.customer_id),
        }

    async def _treatments(self, customer_id: str) -> Any:
        asked = await of_customer(self.doors, customer_id, "/treatments/all")
        if asked.status_code != 200:
            raise Problem("unavailable", "treatment does not answer")
        return read_json_exactly(asked.content)["treatments"]

    async def _timeline(self, customer_id: str) -> list[Any]:
        """Every event with what it said, newest first."""
        items: list[Any] = []
        query = {"limit": PAGE_ITEMS, "include": EVERYTHING}
        size = 0
        while True:
            page = await self._part("interaction", f"/customers/{customer_id}/timeline", query)
            items += page["items"]
            size += len(write_json_exactly(page))
            if size > BYTES_MAX:
                raise TooLarge
            if page["next_cursor"] is None:
                return items
            query["cursor"] = page["next_cursor"]

    async def _part(self, service: str, page: str, query: dict[str, str]) -> Any:
        asked = await self.doors.part(service, page, query)
        if asked.status_code != 200:
            raise Problem("unavailable", f"{service} does not answer")
        return read_json_exactly(asked.content)
