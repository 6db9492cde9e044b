"""The HTTP collector.

Owns routes and their words. The hot path is plain Starlette; what an event is, is domain/.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from schemas.codec import Unreadable
from services.intake.domain.cloudevents import read_http
from services.intake.domain.importing import read_import
from services.intake.domain.model import Parked, Raw, Source
from services.intake.domain.reading import read_body
from services.intake.domain.reasons import EXPLANATIONS
from services.intake.domain.segment import read_calls, write_key_of
from services.intake.door import BrokerAway, Door
from services.intake.internal import internal
from services.intake.recent import STATES
from services.runtime import telemetry
from services.runtime.http import Database, answer
from services.runtime.postgres import TRANSIENT, ServiceSchema
from services.runtime.settings import Settings
from services.runtime.waiting import write_token

__all__ = ["internal", "public"]

PART_TIMEOUT_S = 3.0
BODY_BYTES_MAX = 512_000
BATCH_EVENTS_MAX = 2_500
PREFLIGHT_S = 86_400
SEGMENT_CALLS = (
    "track",
    "identify",
    "page",
    "screen",
    "group",
    "alias",
    "t",
    "i",
    "p",
    "s",
    "g",
    "a",
    "b",
    "batch",
)


class Refusal(Exception):
    """An answer other than 200: {"code", "message"}."""

    def __init__(self, status: int, code: str, message: str, retry_after_s: int | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.message, self.retry_after_s = status, code, message, retry_after_s


async def on_refusal(_request: Request, refusal: Exception) -> Response:
    """The answer of a Refusal."""
    assert isinstance(refusal, Refusal)
    headers = {"Retry-After": str(refusal.retry_after_s)} if refusal.retry_after_s else {}
    return answer({"code": refusal.code, "message": refusal.message}, refusal.status, headers)


async def on_http_error(_request: Request, error: Exception) -> Response:
    """The answer where no route, or not this method, is served."""
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "bad_request")
    return answer({"code": code, "message": str(error.detail)}, error.status_code, dict(error.headers or {}))


async def on_disconnect(_request: Request, _error: Exception) -> Response:
    """The client went away before its request was whole: nothing was taken."""
    return Response(status_code=400)


async def on_lost_database(_request: Request, error: Exception) -> Response:
    """Without the database no key can be checked and nothing parked: the sender must send again."""
    telemetry.log.warning("door_without_database", error=telemetry.where(error))
    return await on_refusal(_request, Refusal(503, "unavailable", "send again", 1))


async def bounded_body(request: Request) -> bytes:
    """The unpacked body. Raises Refusal 413 as soon as it is too large, 400 when it cannot be unpacked."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "", "gzip", "x-gzip", "deflate"):
        raise Refusal(415, "unknown_encoding", "content-encoding is gzip, deflate or none")
    unpack = zlib.decompressobj(wbits=47) if encoding not in ("identity", "") else None
    parts, size = [], 0
    try:
        async for chunk in request.stream():
            while chunk:
                part = unpack.decompress(chunk, BODY_BYTES_MAX + 1 - size) if unpack else chunk
                size += len(part)
                if size > BODY_BYTES_MAX:
                    raise Refusal(413, "too_large", f"a request is at most {BODY_BYTES_MAX} bytes, unpacked")
                parts.append(part)
                chunk = unpack.unconsumed_tail if unpack else b""
    except zlib.error:
        raise Refusal(400, "bad_encoding", "the body is not what content-encoding says") from None
    if unpack is not None and not unpack.eof:
        raise Refusal(400, "bad_encoding", "the packed body is cut off")
    return b"".join(parts)


class Collector:
    """What the routes share: settings, publisher, sources, database."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(settings, ServiceSchema.of("intake"))
        self.door = Door(settings, self.database)
        self.client = httpx.AsyncClient(timeout=PART_TIMEOUT_S)

    async def source(self, request: Request, body_key: str | None = None) -> Source:
        """Whose write key it is. Raises Refusal 401."""
        key = _header_key(request.headers.get("authorization", "")) or body_key
        source = await self.door.sources.of_key(key) if key else None
        if source is None:
            raise Refusal(401, "unauthorised", "send a valid write key: Basic user, Bearer, or writeKey")
        return source

    async def take(self, source: Source, events: list[Raw | Parked], body: bytes) -> Response:
        """Take a request's events and answer 200. Raises Refusal 413 or 503."""
        if len(events) > BATCH_EVENTS_MAX:
            raise Refusal(413, "too_many_events", f"a request holds at most {BATCH_EVENTS_MAX} events")
        wait_s = self.door.pacing.wait_s(source.name, source.events_per_s, len(events))
        if wait_s:
            raise Refusal(429, "too_fast", f"this source may send {source.events_per_s} events/s", wait_s)
        try:
            ends = await self.door.take(source, events, body)
        except BrokerAway:
            raise Refusal(503, "unavailable", "the log does not answer; send again", 1) from None
        return answer({"success": True}, 200, {"C360-Position": write_token(ends)} if ends else {})

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
        await self.door.publisher.close()
        await self.database.close()


def _header_key(header: str) -> str | None:
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


def _readable(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except Unreadable as broken:
        raise Refusal(400, broken.reason, EXPLANATIONS.get(broken.reason, "the body cannot be read")) from None


async def segment(request: Request) -> Response:
    """Segment's calls, single or in a batch; the key may stand in the body."""
    collector: Collector = request.app.state.collector
    raw = await bounded_body(request)
    body = _readable(lambda: read_body(raw))
    source = await collector.source(request, write_key_of(body))
    call = request.url.path.rsplit("/", 1)[-1]
    return await collector.take(source, _readable(lambda: read_calls(body, call)), raw)


async def cloudevents(request: Request) -> Response:
    """CloudEvents in binary, structured or batch mode."""
    collector: Collector = request.app.state.collector
    source = await collector.source(request)
    raw = await bounded_body(request)
    return await collector.take(source, _readable(lambda: read_http(request.headers, raw)), raw)


async def imports(request: Request) -> Response:
    """Segment's batch, or JSON lines."""
    collector: Collector = request.app.state.collector
    raw = await bounded_body(request)
    key = None
    if not request.headers.get("authorization"):
        key = write_key_of(_readable(lambda: read_body(raw)))
    source = await collector.source(request, key)
    return await collector.take(source, _readable(lambda: read_import(raw)), raw)


async def project_settings(request: Request) -> Response:
    """What Segment's browser library asks first."""
    collector: Collector = request.app.state.collector
    source = await collector.door.sources.of_key(request.path_params["key"])
    if source is None:
        raise Refusal(404, "not_found", "no such write key")
    return answer({"integrations": {"Segment.io": {"apiKey": request.path_params["key"]}}, "plan": {}})


async def recent(request: Request) -> Response:
    """The last events of a source, newest first, with what became of each: `state` chooses one."""
    collector: Collector = request.app.state.collector
    source = await collector.source(request)
    if source.name != request.path_params["name"]:
        raise Refusal(403, "forbidden", "a write key may look at its own source")
    state = request.query_params.get("state")
    if state is not None and state not in STATES:
        raise Refusal(400, "bad_request", f"state is one of {', '.join(STATES)}")
    listed = collector.door.recent.of(source.name)
    applied = await collector.applied([one.event_id for one in listed if one.event_id is not None])
    shown = [one.shown(applied) for one in listed]
    return answer({"source": source.name, "events": [one for one in shown if state in (None, one["state"])]})


async def healthz(request: Request) -> Response:
    """200 when the door can take events."""
    collector: Collector = request.app.state.collector
    await (await collector.database.pool()).fetchval("SELECT 1")
    try:
        await collector.door.publisher.connect()
    except BrokerAway:
        raise Refusal(503, "unavailable", "the log does not answer", 1) from None
    return answer({"ok": True})


def public(settings: Settings) -> Starlette:
    """The collector on C360_INTAKE_PORT."""
    collector = Collector(settings)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await collector.close()

    cors = Middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "POST", "OPTIONS"],
        allow_headers=["*"],
        expose_headers=["Retry-After", "C360-Position"],
        max_age=PREFLIGHT_S,
    )
    app = Starlette(
        routes=[
            *(Route(f"/v1/{call}", segment, methods=["POST"]) for call in SEGMENT_CALLS),
            Route("/v1/import", imports, methods=["POST"]),
            Route("/v1/projects/{key}/settings", project_settings),
            Route("/v1/sources/{name}/recent", recent),
            Route("/events", cloudevents, methods=["POST"]),
            Route("/healthz", healthz),
        ],
        middleware=[cors],
        exception_handlers={
            Refusal: on_refusal,
            HTTPException: on_http_error,
            ClientDisconnect: on_disconnect,
            **dict.fromkeys(TRANSIENT, on_lost_database),
        },
        lifespan=lifespan,
    )
    app.state.collector = collector
    return app
