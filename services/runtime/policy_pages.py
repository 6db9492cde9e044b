"""A policy's internal pages: GET /policy, and PUT /policy to put another one in force.

Owns the answers. What a policy must contain, and what follows from a change, is its service's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.runtime import control, policies, review
from services.runtime.http import Problem, answer
from services.runtime.postgres import Connection
from services.runtime.settings import Settings

Read = Callable[[Mapping[str, Any]], object]


def policy_pages(service: str, name: str, read: Read, *, reviews: bool = True) -> list[Route]:
    """The routes of the policy `name`; `read` raises ValueError for a document that is none.

    `reviews`: whether the lane looks at everybody again after a change; else all there is to do is done at once.
    """

    async def show(request: Request) -> Response:
        """The policy in force: {number, document, by, reason, set_at, reviewed}."""
        pool = await request.app.state.database.pool()
        async with pool.acquire() as connection:
            found = await policies.in_force(connection, name)
            reviewed = not reviews or await review.is_done(connection, found["number"])
            return answer({**found, "reviewed": reviewed})

    async def put(request: Request) -> Response:
        """Put a policy in force: {document, by, reason} → {number}; with `execute=false` only read it."""
        document, by, reason = await sent(request, read)
        pool = await request.app.state.database.pool()
        async with pool.acquire() as connection:
            if request.query_params.get("execute") == "false":
                return answer({"number": None})
            change = Change(name, document, by, reason)
            return answer({"number": await put_in_force(request.app.state.settings, connection, service, change)})

    return [Route("/policy", show), Route("/policy", put, methods=["PUT"])]


@dataclass(frozen=True, slots=True)
class Change:
    """A document that is to be in force under a name: who set it, and why."""

    name: str
    document: dict[str, Any]
    by: str
    reason: str


async def put_in_force(settings: Settings, connection: Connection, service: str, change: Change) -> int:
    """Its number; committed, then told, or told later by whoever finds it untold."""
    async with connection.transaction():
        number = await policies.change(connection, change.name, change.document, change.by, change.reason)
    await control.tell_or_later(settings, connection, service)
    return number


async def sent(request: Request, read: Read) -> tuple[dict[str, Any], str, str]:
    """(document, by, reason) of a change. Raises Problem("bad-request") naming all that is wrong with them."""
    try:
        body = orjson.loads(await request.body())
        document, by, reason = body["document"], str(body["by"]), str(body["reason"])
        read(document)
    except (KeyError, TypeError, ValueError) as wrong:
        detail = str(wrong) if type(wrong) is ValueError else "a change needs document, by and reason"
        raise Problem("bad-request", detail) from None
    return document, by, reason
