"""A service's internal pages of its lanes: GET /lane, POST /lane/pause, POST /lane/resume.

Owns their words. A step is one transaction, in the turn that swaps take too; without `execute` it only tells whether
it could be taken.
"""

from __future__ import annotations

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.runtime import pauses
from services.runtime.beside import Refused
from services.runtime.http import Problem, answer
from services.runtime.postgres import Connection, take_turn
from services.runtime.report import workers

STEPS = {"pause": pauses.pause, "resume": pauses.resume}
TEXT_CHARS_MAX = 500


def lane_pages(service: str) -> list[BaseRoute]:
    """The routes of one service."""

    async def status(request: Request) -> Response:
        pool = await request.app.state.database.pool()
        async with pool.acquire() as connection:
            return answer(await lanes(connection, service))

    async def step(request: Request) -> Response:
        what = request.url.path.rpartition("/")[2]
        by, reason, lane, execute = await _sent(request)
        pool = await request.app.state.database.pool()
        async with pool.acquire() as connection, connection.transaction():
            await take_turn(connection, service)
            try:
                taken = await STEPS[what](connection, service, lane, by, reason, execute=execute)
            except Refused as refused:
                raise Problem("refused", str(refused)) from None
        return answer({"service": service, "execute": execute, "lanes": taken})

    return [
        Route("/lane", status),
        *(Route(f"/lane/{what}", step, methods=["POST"], name=f"lane-{what}") for what in STEPS),
    ]


async def lanes(connection: Connection, service: str) -> dict[str, Any]:
    """Workers by lane with their states, pauses that last and pauses that were."""
    return {
        "service": service,
        "workers": await workers(connection),
        "paused": pauses.shown(await pauses.lasting(connection, service)),
        "ended": await pauses.ended(connection, service),
    }


async def _sent(request: Request) -> tuple[str, str, str | None, bool]:
    try:
        body = orjson.loads(await request.body())
        by, reason, lane = body["by"], body.get("reason") or "", body.get("lane")
        texts = [by, reason, *([lane] if lane is not None else [])]
        if not by or not all(isinstance(t, str) and len(t) <= TEXT_CHARS_MAX and "\0" not in t for t in texts):
            raise ValueError
    except (KeyError, TypeError, ValueError, AttributeError):
        detail = f"a step has by, reason, execute and lane, texts of at most {TEXT_CHARS_MAX} characters"
        raise Problem("bad-request", detail) from None
    return by, reason, lane, body.get("execute") is True
