"""Intake's internal pages: /sources, /plans, /mappings, /remap, /parked, /trace, /tail, /audit, /commands, /erasures.

Beside them stand /wait and /status. Owns routes and their words. Not for the public.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schemas.topics import PARTITIONS
from services.intake import erasing, inputs, views
from services.intake.audit_pages import AUDIT_ROUTES
from services.intake.commands import command
from services.intake.domain.plans import read_plan
from services.intake.door import Publisher, mappings, plans
from services.intake.erasing import ERASURE_ROUTES
from services.intake.mapping_pages import MAPPING_ROUTES
from services.intake.replacing import REPLACING_ROUTES
from services.intake.setting import is_meant, moved, said
from services.intake.tail_pages import TAIL_ROUTES
from services.intake.trail import trail
from services.runtime.http import Problem, answer, whole
from services.runtime.internal import internal_app
from services.runtime.postgres import Connection
from services.runtime.settings import Settings

OFFSET_MAX = 2**62


def internal(settings: Settings) -> Starlette:
    """The application, with a publisher of its own for commands."""
    app = internal_app(
        settings,
        mappings.schema(),
        [
            Route("/sources", sources, methods=["GET", "POST"]),
            Route("/sources/revoke", revoke, methods=["POST"]),
            Route("/plans", listed_plans),
            Route("/plans/{source}", plan, methods=["GET", "PUT"]),
            Route("/parked", parked),
            Route("/trace", trace),
            *AUDIT_ROUTES,
            *MAPPING_ROUTES,
            *TAIL_ROUTES,
            *ERASURE_ROUTES,
            *REPLACING_ROUTES,
            Route("/commands", command, methods=["POST"]),
        ],
    )
    app.state.publisher = Publisher(settings)
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with inner(app):
            telling = asyncio.create_task(erasing.telling(settings, app.state.database, app.state.publisher))
            try:
                yield
            finally:
                telling.cancel()
                await asyncio.gather(telling, return_exceptions=True)
                await app.state.publisher.close()

    app.router.lifespan_context = lifespan
    return app


async def sources(request: Request) -> Response:
    """List sources, or register one: {name, …settings} → {name, write_key}."""
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        if request.method == "GET":
            found = await inputs.sources(connection)
            return answer({"sources": [{"name": name, "may": list(source.may)} for name, source in found.items()]})
        try:
            document = orjson.loads(await request.body())
            source = inputs.read_new_source(document)
            write_key = await inputs.create_source(connection, source)
        except (ValueError, TypeError, AttributeError) as wrong:
            detail = str(wrong) if type(wrong) is ValueError else "a source is an object with a name"
            raise Problem("bad-request", detail) from None
    return answer({"name": source.name, "write_key": write_key})


async def revoke(request: Request) -> Response:
    """Revoke a write key: {write_key, execute} → {name}; without `execute` it is only looked up."""
    try:
        document = orjson.loads(await request.body())
        write_key, execute = str(document["write_key"]), document.get("execute") is True
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Problem("bad-request", "a write_key is needed") from None
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        source = await inputs.source_of(connection, write_key)
        if source is None:
            raise Problem("not-found", "no source has this write key")
        if execute:
            await inputs.revoke(connection, write_key)
    return answer({"name": source.name, "revoked": execute})


async def listed_plans(request: Request) -> Response:
    """Every source's tracking plan in force."""
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        return answer({"plans": await plans.listed(connection)})


async def plan(request: Request) -> Response:
    """GET: a source's plan and which rules were broken. PUT {document, by, reason} ?execute=: another one."""
    source = request.path_params["source"]
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        if request.method == "PUT":
            return answer(await _set_plan(connection, source, request))
        found = await plans.in_force(connection, source)
        if found is None:
            raise Problem("not-found", "this source has no plan")
        return answer({**found, "violations": await plans.violations(connection, source)})


async def _set_plan(connection: Connection, source: str, request: Request) -> dict[str, Any]:
    """What became of a plan; without `execute` it is only read."""
    document, by, reason = await said(request, "plan", plans.PLAN_BYTES_MAX)
    try:
        read_plan(document, 0)
    except (TypeError, KeyError):
        raise Problem("bad-request", "say document, by and reason") from None
    except ValueError as wrong:
        raise Problem("bad-request", str(wrong)) from None
    before = await plans.in_force(connection, source)
    version = before["version"] if before is not None else 0
    if is_meant(request):
        try:
            version = await plans.set_plan(connection, source, document, by, reason)
        except LookupError:
            raise Problem("not-found", "there is no such source") from None
    known = before["document"]["types"] if before is not None else {}
    return {"source": source, "version": version, **moved(known, document["types"])}


async def trace(request: Request) -> Response:
    """When the log's record at `partition` and `offset` was received and acknowledged."""
    query = request.query_params
    partition = whole(query.get("partition"), 0, 0, PARTITIONS - 1)
    offset = whole(query.get("offset"), 0, 0, OFFSET_MAX)
    return answer(await trail(request.app.state.settings, partition, offset))


async def parked(request: Request) -> Response:
    """Parked events, newest first, without their content."""
    limit = whole(request.query_params.get("limit"), 100, 1, views.PARKED_LISTED_MAX)
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        return answer(await views.parked(connection, limit))
