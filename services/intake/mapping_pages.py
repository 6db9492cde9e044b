"""Intake's internal pages /mappings and /remap: sources' own mappings, and events mapped anew by them.

Owns the questions and why they could not be answered. Not for the public.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import orjson
from aiokafka.errors import KafkaError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schemas.envelope import parse_rfc3339
from services.intake import inputs
from services.intake.domain.model import Source
from services.intake.domain.own_mapping import DOCUMENT_BYTES_MAX, BadMapping, expected, read_own
from services.intake.domain.plans import read_plan
from services.intake.door import BrokerAway, mappings, plans
from services.intake.remapping import Nothing, Remap, Wanted
from services.intake.setting import is_meant, moved, said
from services.intake.stretch import TooMuch
from services.runtime import control, telemetry
from services.runtime.exclusive import alone
from services.runtime.http import Problem, answer
from services.runtime.internal import restored
from services.runtime.json_lines import Progress, in_lines
from services.runtime.postgres import TRANSIENT, Connection
from services.runtime.settings import Settings

FIELDS = frozenset({"source", "from", "to", "event", "type", "execute"})


class Busy(RuntimeError):
    """The source is being mapped anew already."""


async def listed(request: Request) -> Response:
    """Every source's own mapping in force."""
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        return answer({"mappings": await mappings.listed(connection)})


async def mapping(request: Request) -> Response:
    """GET: a source's own mapping. PUT {document or null, by, reason} ?execute=: another one, or none."""
    source = request.path_params["source"]
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        if request.method == "PUT":
            return await _put(connection, source, request)
        found = await mappings.in_force(connection, source)
        if found is None:
            raise Problem("not-found", "this source has no mapping of its own")
        return answer(found)


async def _put(connection: Connection, source: str, request: Request) -> Response:
    """What became of a mapping; without `execute` it is only read. All its errors are told, each with its place."""
    document, by, reason = await said(request, "mapping", DOCUMENT_BYTES_MAX)
    if source not in await inputs.sources(connection):
        raise Problem("not-found", "there is no such source")
    try:
        if document is not None:
            read_own(document, source, 0)
        before = await mappings.in_force(connection, source)
        number = before["number"] if before is not None else 0
        if is_meant(request):
            number = await mappings.set_mapping(connection, source, document, by, reason)
            await control.tell_or_later(request.app.state.settings, connection, "intake")
    except BadMapping as wrong:
        errors = [{"place": place, "message": message} for place, message in wrong.errors]
        body = {"type": "bad-request", "title": "The mapping cannot be read", "status": 400, "detail": str(wrong)}
        return Response(orjson.dumps({**body, "errors": errors}), 400, media_type="application/problem+json")
    except ValueError as wrong:
        raise Problem("bad-request", str(wrong)) from None
    changes = moved(_rows(before["document"] if before is not None else {}), _rows(document or {}))
    return answer({"source": source, "number": number, **changes, "expected": expected(document or {})})


def _rows(document: dict[str, Any]) -> dict[str, Any]:
    return {name: row for part in ("calls", "events") for name, row in (document.get(part) or {}).items()}


async def remap(request: Request) -> Response:
    """{source, from?, to?, event?, type?, execute?} → what was found and done, in JSON lines."""
    state = request.app.state
    pool = await state.database.pool()
    async with pool.acquire() as connection:
        wanted, execute = await _wanted(request, connection)

    async def act(progress: Progress) -> dict[str, Any]:
        async with _alone(state.settings, wanted.source.name), pool.acquire() as connection:
            tables = await mappings.tables(connection, wanted.source.name)
            planned = await plans.in_force(connection, wanted.source.name)
            plan = read_plan(planned["document"], planned["version"]) if planned is not None else None
            publisher = state.publisher if execute else None
            return await Remap(state.settings, connection, tables, plan, wanted, publisher, progress).run()

    return in_lines(act, _why)


@asynccontextmanager
async def _alone(settings: Settings, source: str) -> AsyncIterator[None]:
    """Be the only run over this source: two would each add a replacement the other does not know. Raises Busy."""
    async with alone(settings, "intake", f"c360.remap.{source}") as held:
        if held is None:
            raise Busy(f"{source} is being mapped anew already")
        yield


async def _wanted(request: Request, connection: Connection) -> tuple[Wanted, bool]:
    try:
        said = orjson.loads(await request.body())
    except ValueError:
        raise Problem("bad-request", "the request is no JSON") from None
    if type(said) is not dict or not said.keys() <= FIELDS:
        raise Problem("bad-request", f"say some of {', '.join(sorted(FIELDS))}")
    texts = {name: said.get(name) for name in ("source", "event", "type")}
    if not all(text is None or (type(text) is str and text) for text in texts.values()):
        raise Problem("bad-request", "source, event and type are texts")
    source: Source | None = (await inputs.sources(connection)).get(str(said.get("source")))
    if source is None:
        raise Problem("not-found", "there is no such source")
    since, until = _moment(said, "from"), _moment(said, "to")
    if since is not None and until is not None and since >= until:
        raise Problem("bad-request", "from is before to")
    return Wanted(source, since, until, texts["event"], texts["type"]), said.get("execute") is True


def _moment(said: dict[str, Any], name: str) -> datetime | None:
    if said.get(name) is None:
        return None
    try:
        return parse_rfc3339(str(said[name]))
    except (ValueError, OverflowError):
        raise Problem("bad-request", f"{name} is an RFC 3339 time with a zone") from None


def _why(error: Exception) -> str | None:
    if isinstance(error, TooMuch | Nothing | Busy):
        return str(error)
    if isinstance(error, (BrokerAway, KafkaError, *TRANSIENT)):
        telemetry.log.warning("remap_failed", error=telemetry.where(error))
        return f"a part does not answer ({type(error).__name__}); what was published stays, so run it again"
    return None


async def restore(request: Request) -> Response:
    """What control.events has of mappings and the database lacks; written by POST."""
    return answer(await restored("intake", request.app.state.database, execute=request.method == "POST"))


MAPPING_ROUTES = [
    Route("/mappings", listed),
    Route("/mappings/{source}", mapping, methods=["GET", "PUT"]),
    Route("/remap", remap, methods=["POST"]),
    Route("/restore", restore, methods=["GET", "POST"]),
]
