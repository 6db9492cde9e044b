"""What the routes share: whose a request is, and taking its events.

Owns the write key's places and the order of checks before the door.
"""

from __future__ import annotations

import base64
import binascii

import httpx
from starlette.requests import Request
from starlette.responses import Response

from services.intake.api.answers import Refusal
from services.intake.domain.mapping import Table
from services.intake.domain.model import Parked, Raw, Source
from services.intake.door import BrokerAway, Door, Taken, mappings
from services.runtime import telemetry
from services.runtime.http import Database, answer
from services.runtime.settings import Settings
from services.runtime.waiting import Ends, write_token

PART_TIMEOUT_S = 3.0
BATCH_EVENTS_MAX = 2_500


class Collector:
    """What the routes share: settings, publisher, sources, database."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(settings, mappings.schema())
        self.door = Door(settings, self.database)
        self.client = httpx.AsyncClient(timeout=PART_TIMEOUT_S)

    async def known(self, request: Request, *keys: str | None) -> Source | None:
        """Whose write key it is: the header's, else the first of `keys` that is a text."""
        named = (header_key(request.headers.get("authorization", "")), *keys)
        key = next((k for k in named if k), None)
        request.state.write_key = key
        return await self.door.sources.of_key(key) if key else None

    async def source(self, request: Request, *keys: str | None) -> Source:
        """As `known`. Raises Refusal 401."""
        source = await self.known(request, *keys)
        if source is None:
            raise unauthorised()
        return source

    async def own_table(self, source: Source) -> Table | None:
        """The source's own mapping, which comes before the shipped ones; None: it has none."""
        return await self.door.mappings.of(source.name)

    async def take(self, source: Source, events: list[Raw | Parked], body: bytes) -> Response:
        """Take a request's events and answer 200. Raises Refusal 413, 429 or 503."""
        return success((await self.taken(source, events, body)).ends)

    async def taken(self, source: Source, events: list[Raw | Parked], body: bytes) -> Taken:
        """Take a request's events; what became of each. Raises Refusal 413, 429 or 503."""
        if len(events) > BATCH_EVENTS_MAX:
            raise Refusal(413, "too_many_events", f"a request holds at most {BATCH_EVENTS_MAX} events")
        wait_s = self.door.pacing.wait_s(source.name, source.events_per_s, len(events))
        if wait_s:
            raise Refusal(429, "too_fast", f"this source may send {source.events_per_s} events/s", wait_s)
        try:
            return await self.door.take(source, events, body)
        except BrokerAway:
            raise Refusal(503, "unavailable", "the log does not answer; send again", 1) from None

    async def applied(self, events: list[str]) -> dict[str, tuple[int, int]]:
        """Event id → where in the log the copy lies that interaction counts. Raises Refusal 503."""
        url = f"{self.settings.interaction_internal_url}/places"
        try:
            asked = await self.client.post(url, json={"events": events})
            asked.raise_for_status()
        except httpx.HTTPError as error:
            telemetry.log.warning("part_unavailable", part="interaction", error=telemetry.where(error))
            raise Refusal(503, "unavailable", "the history does not answer; ask again", 1) from None
        return {event: (at[0], at[1]) for event, at in asked.json()["places"].items()}

    async def close(self) -> None:
        """Disconnect from everything."""
        await self.client.aclose()
        await self.door.close()
        await self.database.close()


def success(ends: Ends) -> Response:
    """Exactly what clients take for success, with the position after the events."""
    return answer({"success": True}, 200, position(ends))


def position(ends: Ends) -> dict[str, str]:
    """The header that says where the events lie; none without events."""
    return {"C360-Position": write_token(ends)} if ends else {}


def unauthorised() -> Refusal:
    """401 in the collector's words."""
    return Refusal(401, "unauthorised", "send a valid write key: Basic user, Bearer, or writeKey")


def without_key(request: Request, body: bytes) -> bytes:
    """The body as it may be kept: a write key that stood in it is made unreadable."""
    return without(body, request.state.write_key)


def without(body: bytes, key: str | None) -> bytes:
    """The body with this key made unreadable."""
    return body.replace(key.encode(), b"***") if key else body


def header_key(header: str) -> str | None:
    """The write key of an Authorization header, or None."""
    scheme, _, value = header.partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer":
        return value or None
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[0] or None
        except (binascii.Error, UnicodeDecodeError):
            return None
    return None
