"""Internal pages every service has: /wait (read your own write), /status, /restore. Not for the public.

Owns their form; a service adds its own routes beside them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from schemas.topics import TOPICS
from services.runtime import control, pauses, policies, positions, waiting
from services.runtime.host import BuildPlan
from services.runtime.http import EXCEPTION_HANDLERS, Database, Problem, answer, whole
from services.runtime.lane_pages import lane_pages
from services.runtime.parked_pages import parked_pages
from services.runtime.postgres import ServiceSchema
from services.runtime.repair.pages import repair_pages
from services.runtime.replay_pages import replay_pages
from services.runtime.report import workers
from services.runtime.settings import Settings
from services.runtime.watch import Ending

RECORDS_WAIT_MS = 1_000
PARKED = """
    SELECT reason, count(*) AS count FROM parked p WHERE NOT EXISTS (SELECT FROM discarded d
        WHERE (d.topic, d.partition, d.first_offset) = (p.topic, p.partition, p.first_offset)) GROUP BY 1
"""
UNTOLD = """
    SELECT (SELECT count(*) FROM marker) AS markers,
        coalesce(extract(epoch FROM now() - min(at))::float, 0) AS oldest_s FROM telling
"""
"""What waits to be told, and since when the first of it."""
SIZE = """
    SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c
    WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
"""
"""Bytes of the live generation's tables with their indexes."""


def internal_app(
    settings: Settings, schema: ServiceSchema, routes: Sequence[BaseRoute] = (), plan: BuildPlan | None = None
) -> Starlette:
    """The internal application of a service. `request.app.state.database` is its Database.

    `plan`: its lane's, where its generations can be rebuilt.
    """
    service = schema.service
    heard = {t.name for t in TOPICS.values() if service in t.read_by}
    told = [t.name for t in TOPICS.values() if service in t.written_by]
    database = Database(settings, schema)
    ending = Ending(settings)

    async def wait(request: Request) -> Response:
        try:
            at = waiting.read_token(request.query_params.get("at", ""))
        except waiting.BadToken:
            raise Problem("bad-request", "at is not a position token") from None
        wait_ms = whole(request.query_params.get("wait_ms"), RECORDS_WAIT_MS, 0, waiting.WAIT_MS_MAX)
        try:
            await waiting.until_applied(await database.pool(), at, heard, wait_ms)
        except waiting.NotCaughtUp as behind:
            detail = f"{service} is {behind.behind} records behind"
            raise Problem("not-caught-up", detail, {"Retry-After": "1"}) from None
        return answer({"token": waiting.write_token(await ending.ends(told))})

    async def restore(request: Request) -> Response:
        return answer(await restored(service, database, execute=request.method == "POST"))

    async def status(_request: Request) -> Response:
        return answer(await lane_status(schema, database, ending, sorted(heard)))

    own: list[BaseRoute] = [Route("/wait", wait), Route("/status", status)]
    own += [*parked_pages(service), *lane_pages(service)]
    own += [Route("/restore", restore, methods=["GET", "POST"])] if schema.event_sourced else []
    if plan is not None:
        own += [*replay_pages(settings, schema, plan, ending), *repair_pages(settings, schema, plan)]
    return _app([*own, *routes], database, ending)


def _app(routes: Sequence[BaseRoute], database: Database, ending: Ending) -> Starlette:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await ending.stop()
        await database.close()

    app = Starlette(routes=routes, exception_handlers=EXCEPTION_HANDLERS, lifespan=lifespan)
    app.state.database, app.state.settings = database, database.settings
    return app


async def restored(service: str, database: Database, *, execute: bool) -> dict[str, object]:
    """What control.events has of the service's inputs and the store lacks; written with `execute`."""
    pool = await database.pool()
    told = await control.read_control(database.settings, service)
    async with pool.acquire() as connection:
        done = await policies.restore(connection, told, execute=execute)
    conflicting = [{"aggregate": str(i), "version": version} for i, version in done.conflicting]
    return {"added": done.added, "known": done.known, "conflicting": conflicting}


async def lane_status(
    schema: ServiceSchema, database: Database, ending: Ending, heard: list[str]
) -> dict[str, object]:
    """Positions, ends, lag, lane states, tallies, parked counts, policies in force and size of one service."""
    service = schema.service
    pool = await database.pool()
    async with pool.acquire() as connection:
        stored = await positions.stored(connection)
        told = await workers(connection)
        paused = pauses.shown(await pauses.lasting(connection, service))
        tally = await connection.fetch("SELECT outcome, sum(count)::bigint AS count FROM tally GROUP BY 1")
        parked = await connection.fetch(PARKED)
        untold = await connection.fetchrow(UNTOLD)
        number_of = await connection.fetch("SELECT name, number FROM in_force") if schema.event_sourced else []
        size = await connection.fetchval(SIZE)
        generation = await connection.fetchrow(f"SELECT live, epoch FROM {service}.generation")
    rows = _partitions(await ending.ends(heard), stored)
    return {
        "service": service,
        "generation": generation["live"] if generation else None,
        "epoch": generation["epoch"] if generation else None,
        "positions": rows,
        "lag": sum(r["lag"] for r in rows),
        "lag_ms": max((r["lag_ms"] for r in rows), default=0),
        "workers": told,
        "paused": paused,
        "per_s": sum(worker["per_s"] for worker in told),
        "markers": untold["markers"] if untold else 0,
        "oldest_marker_s": untold["oldest_s"] if untold else 0.0,
        "policies": {r["name"]: r["number"] for r in number_of},
        "disk_mib": round(size / 2**20, 1),
        "tally": {r["outcome"]: r["count"] for r in tally},
        "parked": {r["reason"]: r["count"] for r in parked},
    }  # fmt: skip


def _partitions(ends: waiting.Ends, stored: Mapping[positions.Partition, tuple[int, int]]) -> list[dict[str, Any]]:
    """How far each partition is applied, and how late that is."""
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    rows = []
    for (topic, partition), end in sorted(ends.items()):
        next_offset, log_time_ms = stored.get((topic, partition), (0, 0))
        lag = max(0, end - next_offset)
        lag_ms = max(0, now_ms - log_time_ms) if lag and log_time_ms else 0
        rows.append(
            {"topic": topic, "partition": partition, "position": next_offset, "end": end, "lag": lag,
             "lag_ms": lag_ms}
        )  # fmt: skip
    return rows
