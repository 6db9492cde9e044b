"""Interaction's internal pages: /customers/{id}/timeline and /trace, beside /wait and /status.

Asked by the profile service and the command; not for the public.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schemas.envelope import parse_rfc3339
from services.interaction import views
from services.runtime.http import Problem, answer, answer_exactly, whole
from services.runtime.internal import internal_app
from services.runtime.postgres import ServiceSchema
from services.runtime.settings import Settings


def _moment(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        return parse_rfc3339(text)
    except ValueError:
        raise Problem("bad-request", "from and to are RFC 3339 times with a zone") from None


async def timeline(request: Request) -> Response:
    """A customer's timeline, newest first."""
    query = request.query_params
    try:
        customer_id = str(UUID(request.path_params["customer_id"]))
    except ValueError:
        raise Problem("unknown-customer", "not a customer id") from None
    wanted = views.Wanted(
        limit=whole(query.get("limit"), 50, 1, views.TIMELINE_ITEMS_MAX),
        channel=query.get("channel"),
        type=query.get("type"),
        direction=query.get("direction"),
        since=_moment(query.get("from")),
        until=_moment(query.get("to")),
        after=views.read_cursor(query.get("cursor")),
        properties="properties" in query.get("include", "").split(","),
    )
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        return answer_exactly(await views.timeline(connection, customer_id, wanted))


async def trace(request: Request) -> Response:
    """Where one event went."""
    query = request.query_params
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        found = await views.trace(connection, query.get("source", ""), query.get("id", ""))
    if found is None:
        raise Problem("not-found", "interaction has not seen this event")
    return answer(found)


def internal(settings: Settings) -> Starlette:
    """The application."""
    return internal_app(
        settings,
        ServiceSchema.of("interaction", grouped=True, event_sourced=True),
        [Route("/customers/{customer_id}/timeline", timeline), Route("/trace", trace)],
    )
