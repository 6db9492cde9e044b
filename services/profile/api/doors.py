"""What the calls of the public API share: keys, freshness, today's customer, asking the other services.

Owns no route.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
from fastapi import Query, Request
from starlette.responses import Response

from schemas.codec import Unreadable, write_json_exactly
from schemas.envelope import microseconds
from schemas.identifiers import Identifier, normalise, type_name
from services.profile import domain, inputs, views
from services.profile.access import Access
from services.profile.access.auditing import Auditing
from services.profile.chain import Chain, Freshness
from services.profile.views import segments as memberships
from services.runtime import telemetry, waiting
from services.runtime.http import Database, Problem, answer
from services.runtime.postgres import Connection, ServiceSchema
from services.runtime.settings import Settings

WAIT_MS_DEFAULT = 1_000
COMMAND_TIMEOUT_S = 8.0
"""Longer than intake waits for the log, so that its own word is heard."""
SUMMING_TIMEOUT_S = 20.0
"""Of a sum over 100,000 customers."""

TELLS_OF = "c360.tells_of"
"""In a request's scope: of whom its answer tells beside the customer its path names."""

MinPosition = Annotated[str | None, Query(description="A C360-Position to have reached before answering")]
WaitMs = Annotated[int, Query(ge=0, le=waiting.WAIT_MS_MAX, description="How long to wait for it, in ms")]


class Doors:
    """What the routes share in one process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(settings, ServiceSchema.of("profile", event_sourced=True))
        self.auditing = Auditing(self.database)
        self.access = Access(self.database, settings, self.auditing)
        self.chain = Chain(settings, self.database)
        self._defined = memberships.Defined()
        self._zone = ZoneInfo(settings.business_timezone)

    @property
    def now(self) -> domain.Now:
        """The moment of an answer: what is stale, ended or overdue is so by then."""
        moment = datetime.now(self._zone)
        return domain.Now(moment.date(), microseconds(moment))

    async def close(self) -> None:
        """Disconnect from everything."""
        await self.chain.close()
        await self.database.close()

    async def reach(self, min_position: str | None, wait_ms: int) -> None:
        """Wait until the position is visible. Raises Problem (bad-request, not-caught-up, unavailable)."""
        if not min_position:
            return
        try:
            at = waiting.read_token(min_position)
        except waiting.BadToken:
            raise Problem("bad-request", "min_position is not a C360-Position") from None
        await self.chain.until_visible(at, wait_ms)

    async def answered(self, body: Any, fresh: Freshness | None = None) -> Response:
        """A JSON answer with the headers that say how fresh it is."""
        return answer(body, headers=fresh_headers(fresh or await self.chain.freshness()))

    async def id_today(self, customer_id: str) -> str:
        """The id, today, of the customer an id stands for. Raises Problem("unknown-customer", "erased")."""
        asked = _asked(customer_id)
        pool = await self.database.pool()
        async with pool.acquire() as connection:
            found = await views.today(connection, asked)
            if found is None:
                raise await _nobody(connection, asked)
        return found

    async def today(self, customer_id: str) -> domain.Told:
        """The customer an id stands for today, with his sections. Raises Problem("unknown-customer", "erased")."""
        asked = _asked(customer_id)
        pool = await self.database.pool()
        async with pool.acquire() as connection:
            told = await views.customer(connection, asked)
            if told is None or not told.exists:
                raise await _nobody(connection, asked)
        return told

    async def segments(self) -> Mapping[str, memberships.Definition]:
        """The segments in force by id."""
        pool = await self.database.pool()
        async with pool.acquire() as connection:
            return await self._defined.now(connection)

    async def in_segments(self, told: Iterable[domain.Told], include: Iterable[str]) -> dict[str, domain.Told]:
        """Customer id → customer with his segments, where `include` asks for these, or for all parts."""
        there, asked = {one.customer_id: one for one in told}, list(include)
        if not there or (asked and "segments" not in asked):
            return there
        pool = await self.database.pool()
        async with pool.acquire() as connection:
            found = await self._defined.of(connection, sorted(there))
        return {c: replace(one, segments=found.get(c, [])) if found is not None else one for c, one in there.items()}

    async def part(self, service: str, page: str, query: Mapping[str, str]) -> httpx.Response:
        """What another service answers, whatever its status. Raises Problem("unavailable")."""
        return await self.asked(service, "GET", page, self.settings.part_deadline_ms / 1000, params=query)

    async def summed(
        self, service: str, page: str, query: Mapping[str, str], about: Mapping[str, Any]
    ) -> httpx.Response:
        """What another service answers of so many that it takes long. Raises Problem("unavailable")."""
        body = write_json_exactly(about)
        return await self.asked(service, "POST", page, SUMMING_TIMEOUT_S, params=query, content=body)

    async def give(self, command: Mapping[str, Any], sent_id: str | None) -> httpx.Response:
        """What intake answers to a command; under its id it is the same event. Raises Problem("unavailable")."""
        try:
            content = write_json_exactly({**command, "id": sent_id} if sent_id else command)
        except Unreadable:
            raise Problem("bad-request", "a text in it is no Unicode text") from None
        return await self.asked("intake", "POST", "/commands", COMMAND_TIMEOUT_S, content=content)

    async def asked(self, service: str, method: str, page: str, timeout_s: float, **more: Any) -> httpx.Response:
        """What a page of another service answers, whatever its status. Raises Problem("unavailable")."""
        url = f"{getattr(self.settings, f'{service}_internal_url')}{page}"
        try:
            return await self.chain.client.request(method, url, timeout=timeout_s, **more)
        except httpx.HTTPError as error:
            raise self.silent(service, error) from None

    def silent(self, service: str, error: httpx.HTTPError) -> Problem:
        """The problem that another service does not answer."""
        telemetry.log.warning("part_unavailable", part=service, error=telemetry.where(error))
        return Problem("unavailable", f"{service} does not answer", {"Retry-After": "1"})


async def _nobody(connection: Connection, asked: str) -> Problem:
    """The problem that nobody answers for this id."""
    if await views.is_erased(connection, asked):
        return Problem("erased", "this customer was erased; nothing of him is kept")
    return Problem("unknown-customer", "no customer has or had this id")


def _asked(customer_id: str) -> str:
    """Raises Problem("unknown-customer") for what cannot be a customer's id."""
    try:
        return str(UUID(customer_id))
    except ValueError:
        raise Problem("unknown-customer", "a customer id is a UUID") from None


def shown(
    asked: str, told: domain.Told, include: list[str], key: inputs.ApiKey, fresh: Freshness, now: domain.Now
) -> dict[str, Any]:
    """The document as this key may see it."""
    doc = domain.document(asked, told, include, fresh.lag_ms, fresh.position, now)
    if "profile:pii" not in key.scopes:
        doc = domain.masked(doc)
    return doc if "value:read" in key.scopes else domain.without(doc, "value")


def tells_of(request: Request, body: Any) -> None:
    """Let it be noted, if the key may see personal data, that this answer tells of every customer it names."""
    request.scope.setdefault(TELLS_OF, set()).update(_named_in(body))


def _named_in(body: Any) -> set[str]:
    if isinstance(body, list):
        return {one for part in body for one in _named_in(part)}
    if not isinstance(body, dict):
        return set()
    found = {one for part in body.values() for one in _named_in(part)}
    return found | ({body["customer_id"]} if isinstance(body.get("customer_id"), str) else set())


def passed_on(response: httpx.Response) -> Response:
    """Another service's problem as it stands."""
    return Response(response.content, response.status_code, media_type=response.headers["content-type"])


def fresh_headers(fresh: Freshness) -> dict[str, str]:
    """Headers that say how fresh an answer is."""
    headers = {"C360-Lag-Ms": str(fresh.lag_ms)}
    return headers | ({"C360-Position": fresh.position} if fresh.position else {})


def identifiers(asked: Iterable[tuple[str, str]]) -> list[Identifier]:
    """What people and systems type, as the identifiers that are stored."""
    named = [(type_name(type_) or type_, value) for type_, value in asked]
    return [Identifier(kind, normalise(kind, value)) for kind, value in named]
