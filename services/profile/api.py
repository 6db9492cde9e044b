"""The public profile API.

Owns routes and their words; answers come from views.py and domain.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

import httpx
import orjson
from fastapi import APIRouter, FastAPI, Query, Request, Security
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer
from starlette.responses import Response

from schemas.codec import read_json_exactly
from schemas.identifiers import Identifier, is_blocked, normalise, record_id, type_name
from schemas.sections import PARTS, CustomerDocument
from services.profile import domain, inputs, views
from services.profile.access import Access
from services.profile.chain import Chain, Freshness
from services.profile.internal import internal
from services.profile.shapes import LookupAnswer, LookupRequest, Problems, TimelineAnswer
from services.runtime import telemetry, waiting
from services.runtime.http import EXCEPTION_HANDLERS, Database, Problem, answer, answer_exactly
from services.runtime.postgres import ServiceSchema
from services.runtime.settings import Settings

WAIT_MS_DEFAULT = 1_000

MinPosition = Annotated[str | None, Query(description="A C360-Position to have reached before answering")]
WaitMs = Annotated[int, Query(ge=0, le=waiting.WAIT_MS_MAX, description="How long to wait for it, in ms")]


__all__ = ["internal", "public"]

PROBLEM = Problems.model_json_schema()


class Doors:
    """What the routes share in one process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(settings, ServiceSchema.of("profile"))
        self.access = Access(self.database)
        self.chain = Chain(settings, self.database)

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

    async def today(self, customer_id: str) -> domain.Told:
        """The customer an id stands for today. Raises Problem("unknown-customer")."""
        try:
            asked = str(UUID(customer_id))
        except ValueError:
            raise Problem("unknown-customer", "a customer id is a UUID") from None
        pool = await self.database.pool()
        async with pool.acquire() as connection:
            now = (await views.resolve(connection, [asked])).get(asked, asked)
            told = (await views.customers(connection, [now])).get(now)
        if told is None or not told.exists:
            raise Problem("unknown-customer", "no customer has or had this id")
        return told

    def shown(
        self, asked: str, told: domain.Told, include: list[str], key: inputs.ApiKey, fresh: Freshness
    ) -> dict[str, Any]:
        """The document as this key may see it."""
        doc = domain.document(asked, told, include, fresh.lag_ms, fresh.position)
        if "value" in doc and "value:read" not in key.scopes:
            doc["value"] = None
        return doc if "profile:pii" in key.scopes else domain.masked(doc)


def _include(text: str | None) -> list[str]:
    parts = [p for p in (text or "").split(",") if p]
    unknown = sorted(set(parts) - set(PARTS))
    if unknown:
        raise Problem("bad-request", f"include is some of {', '.join(PARTS)}")
    return parts


def fresh_headers(fresh: Freshness) -> dict[str, str]:
    """Headers that say how fresh an answer is."""
    headers = {"C360-Lag-Ms": str(fresh.lag_ms)}
    return headers | ({"C360-Position": fresh.position} if fresh.position else {})


def same(if_none_match: str, tag: str) -> bool:
    """Whether one of the tags asked about is this one (RFC 9110, 13.1.2: weak comparison, `*` is any)."""
    asked = {t.strip().removeprefix("W/") for t in if_none_match.split(",")}
    return "*" in asked or tag.removeprefix("W/") in asked


def etag(doc: dict[str, Any]) -> str:
    """A hash of the document less its freshness, which changes with every look."""
    meta = {k: v for k, v in doc["meta"].items() if k not in ("lag_ms", "position")}
    digest = hashlib.blake2b(orjson.dumps({**doc, "meta": meta}), digest_size=12).hexdigest()
    return f'W/"{digest}"'


def public(settings: Settings) -> FastAPI:
    """The public API on C360_PROFILE_PORT."""
    doors = Doors(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await doors.close()

    app = FastAPI(
        title="customer360 profile API",
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        exception_handlers={**EXCEPTION_HANDLERS, RequestValidationError: _unreadable},
    )
    app.state.doors = doors
    problems: dict[int | str, Any] = {
        code: {"description": Problems.__doc__, "content": {"application/problem+json": {"schema": PROBLEM}}}
        for code in (400, 401, 403, 404, 422, 503)
    }
    key = [Security(HTTPBearer(auto_error=False, description="An API key with the scopes the call needs"))]
    calls = APIRouter(prefix="/v1/customers", responses=problems, dependencies=key)
    calls.get("/{customer_id}", response_model=CustomerDocument)(customer)
    calls.post("/lookup", response_model=LookupAnswer)(lookup)
    calls.get("/{customer_id}/timeline", response_model=TimelineAnswer)(timeline)
    app.include_router(calls)
    app.get("/healthz", include_in_schema=False)(healthz)
    return app


async def _unreadable(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(p) for p in first["loc"])
    return Problem("bad-request", f"{place}: {first['msg']}").answer()


async def healthz(request: Request) -> Response:
    """200 when the database answers."""
    pool = await request.app.state.doors.database.pool()
    await pool.fetchval("SELECT 1")
    return answer({"ok": True})


async def customer(
    request: Request,
    customer_id: str,
    include: Annotated[str | None, Query(description="Comma-separated parts; all when absent")] = None,
    min_position: MinPosition = None,
    wait_ms: WaitMs = WAIT_MS_DEFAULT,
) -> Response:
    """One customer's document. Any id the customer ever had answers with today's customer."""
    doors: Doors = request.app.state.doors
    key = await doors.access.check(request, "profile:read")
    parts = _include(include)
    await doors.reach(min_position, wait_ms)
    told = await doors.today(customer_id)
    fresh = await doors.chain.freshness()
    doc = doors.shown(customer_id, told, parts, key, fresh)
    headers = {"ETag": etag(doc), **fresh_headers(fresh)}
    if same(request.headers.get("if-none-match", ""), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return answer(doc, headers=headers)


async def lookup(request: Request, body: LookupRequest) -> Response:
    """Whose identifiers these are, in the order asked; shared values are ambiguous and name candidates."""
    doors: Doors = request.app.state.doors
    key = await doors.access.check(request, "profile:read")
    parts = _include(",".join(body.include))
    await doors.reach(body.min_position, body.wait_ms)
    named = [(type_name(i.type) or i.type, i.value) for i in body.identifiers]
    wanted = [Identifier(kind, normalise(kind, value)) for kind, value in named]
    ids = [record_id(doors.settings.key_bytes, i) for i in wanted]
    pool = await doors.database.pool()
    async with pool.acquire() as connection:
        bound = await views.bindings(connection, ids)
        owners = {b.customer_id for b in bound.values()} | {c for b in bound.values() for c, _ in b.rivals}
        told = await views.customers(connection, sorted(owners))
    fresh = await doors.chain.freshness()
    results = []
    for asked, identifier, rid in zip(body.identifiers, wanted, ids, strict=True):
        found = None if is_blocked(identifier.value) else bound.get(rid)
        result = _looked_up(found, told, key)
        if body.include and result["customer_id"]:
            result["customer"] = doors.shown(result["customer_id"], told[result["customer_id"]], parts, key, fresh)
        results.append({"type": asked.type, "value": asked.value, "normalised": identifier.value, **result})
    return await doors.answered({"results": results}, fresh)


def _looked_up(found: domain.BindingTold | None, told: dict[str, domain.Told], key: inputs.ApiKey) -> dict[str, Any]:
    owner = told.get(found.customer_id) if found else None
    if found is None or owner is None or not owner.exists:
        return {"customer_id": None, "ambiguous": False, "generic": False, "candidates": []}
    candidates = []
    for customer_id, weight in found.candidates:
        one = told.get(customer_id)
        if one is not None and one.exists:
            doc = domain.document(customer_id, one, ["contact", "interaction"], 0, None)
            shown = doc if "profile:pii" in key.scopes else domain.masked(doc)
            candidates.append(
                {
                    "customer_id": customer_id,
                    "name": (shown["contact"] or {}).get("name"),
                    "last_seen": (doc["interaction"] or {}).get("last_at"),
                    "weight": weight,
                }
            )
    return {
        "customer_id": None if found.generic or found.ambiguous else found.customer_id,
        "ambiguous": found.ambiguous,
        "generic": found.generic,
        "candidates": candidates,
    }


async def timeline(
    request: Request,
    customer_id: str,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before")] = None,
    channel: str | None = None,
    type: str | None = None,
    direction: str | None = None,
    since: Annotated[str | None, Query(alias="from", description="RFC 3339, inclusive")] = None,
    until: Annotated[str | None, Query(alias="to", description="RFC 3339, exclusive")] = None,
    include: Annotated[str | None, Query(description="`properties`")] = None,
    min_position: MinPosition = None,
    wait_ms: WaitMs = WAIT_MS_DEFAULT,
) -> Response:
    """A customer's history, newest first; filters: channel, type, direction, from, to; include=properties."""
    doors: Doors = request.app.state.doors
    key = await doors.access.check(request, "events:read")
    await doors.reach(min_position, wait_ms)
    told = await doors.today(customer_id)
    pii = "profile:pii" in key.scopes
    named = {"cursor": cursor, "channel": channel, "type": type, "direction": direction, "from": since, "to": until}
    query = {k: v for k, v in named.items() if v is not None}
    if pii and include:
        query["include"] = include
    url = f"{doors.settings.interaction_internal_url}/customers/{told.customer_id}/timeline"
    try:
        asked = await doors.chain.client.get(
            url, params={**query, "limit": str(limit)}, timeout=doors.settings.part_deadline_ms / 1000
        )
    except httpx.HTTPError as error:
        telemetry.log.warning("timeline_unavailable", error=telemetry.where(error))
        raise Problem("unavailable", "interaction does not answer", {"Retry-After": "1"}) from None
    if asked.status_code != 200:
        return Response(asked.content, asked.status_code, media_type=asked.headers["content-type"])
    body = read_json_exactly(asked.content)
    if not pii:
        for item in body["items"]:
            item["summary"] = item["actor"] = None
        body["masked"] = ["items[].summary", "items[].actor"]
    return answer_exactly(body, fresh_headers(await doors.chain.freshness()))
