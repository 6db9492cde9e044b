"""Intake's internal page /tail: the last events and what became of them, and those since the last look.

Owns the question and its answers. Not for the public: a source's own key asks /v1/sources/{name}/recent.
"""

from __future__ import annotations

import httpx
from aiokafka.errors import KafkaError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.intake import inputs
from services.intake.auditing import ANSWER_TIMEOUT_S
from services.intake.tailing import EVENTS_MAX, STATES, Look, tail
from services.runtime import telemetry
from services.runtime.http import Problem, answer, whole
from services.runtime.waiting import BadToken, read_token, write_token

LIMIT = 20


async def tailed(request: Request) -> Response:
    """?source=&state=&limit=&after=&settled=: {events, after}; `after` is the mark that the next look gives back."""
    query, state = request.query_params, request.app.state
    source, wanted = query.get("source"), query.get("state")
    if wanted is not None and wanted not in STATES:
        raise Problem("bad-request", f"state is one of {', '.join(STATES)}")
    try:
        after = read_token(query["after"]) if "after" in query else None
    except BadToken:
        raise Problem("bad-request", "after is the mark of an earlier answer") from None
    limit = whole(query.get("limit"), LIMIT, 1, EVENTS_MAX)
    look = Look(source, wanted, limit, after, settled=query.get("settled") == "true")
    pool = await state.database.pool()
    async with pool.acquire() as connection:
        if source is not None and source not in await inputs.sources(connection):
            raise Problem("not-found", "there is no such source")
        try:
            async with httpx.AsyncClient(timeout=ANSWER_TIMEOUT_S, trust_env=False) as client:
                found = await tail(state.settings, connection, client, look)
        except (KafkaError, httpx.HTTPError) as error:
            telemetry.log.warning("tail_failed", error=telemetry.where(error))
            raise Problem("unavailable", "the log or the history does not answer", {"Retry-After": "1"}) from None
    return answer({"events": found["events"], "after": write_token(found["after"])})


TAIL_ROUTES = [Route("/tail", tailed)]
