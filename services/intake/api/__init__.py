"""The HTTP collector: which address is whose.

Owns routes. What a request says is read by the module of its client family; what an event is, is domain/.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from services.intake.api import cloudevents, posthog, segment, snowplow, sources
from services.intake.api.answers import Refusal, on_disconnect, on_http_error, on_lost_database, on_refusal
from services.intake.api.collector import Collector
from services.intake.api.cors import Cors
from services.intake.door import BrokerAway
from services.intake.internal import internal
from services.runtime.http import answer
from services.runtime.postgres import TRANSIENT
from services.runtime.settings import Settings

__all__ = ["internal", "public"]


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

    app = Starlette(
        routes=[
            *cloudevents.ROUTES,
            *segment.ROUTES,
            *posthog.ROUTES,
            *snowplow.ROUTES,
            *sources.ROUTES,
            Route("/healthz", healthz),
        ],
        middleware=[Middleware(Cors)],
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
