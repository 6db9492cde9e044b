"""The profile service's internal pages: /keys, /caught-up and /policy, beside /wait and /status.

Its policy are the segments. Not for the public.
Owns routes and their words.
"""

from __future__ import annotations

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.profile import inputs, views
from services.profile.chain import Chain
from services.profile.domain.segments import SEGMENTS, read_segments
from services.profile.handlers import plan
from services.runtime import waiting
from services.runtime.http import Problem, answer, whole
from services.runtime.internal import internal_app
from services.runtime.policy_pages import policy_pages
from services.runtime.postgres import ServiceSchema
from services.runtime.settings import Settings

WAIT_MS_DEFAULT = 1_000


def internal(settings: Settings) -> Starlette:
    """Internal pages: /keys, /caught-up, /policy, beside /wait and /status."""
    app = internal_app(
        settings,
        ServiceSchema.of("profile", event_sourced=True),
        [
            Route("/keys", keys, methods=["GET", "POST"]),
            Route("/keys/{key_id}", revoke, methods=["DELETE"]),
            Route("/caught-up", caught_up),
            Route("/customers/{customer_id:uuid}/ids", ids),
            *policy_pages("profile", SEGMENTS, read_segments),
        ],
        plan,
    )
    app.state.chain = Chain(settings, app.state.database)
    return app


async def keys(request: Request) -> Response:
    """List keys, or make one: {name, scopes, origins, requests_per_s} → {key_id, key}."""
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        if request.method == "GET":
            return answer({"keys": await inputs.list_keys(connection)})
        try:
            body = orjson.loads(await request.body())
            given = list(body.get("origins") or ()), body.get("requests_per_s")
            key_id, key = await inputs.create_key(connection, str(body["name"]), list(body["scopes"]), *given)
        except (KeyError, TypeError, ValueError) as wrong:
            detail = str(wrong) if type(wrong) is ValueError else "a key needs a name and scopes"
            raise Problem("bad-request", detail) from None
    return answer({"key_id": key_id, "key": key})


async def revoke(request: Request) -> Response:
    """Revoke a key."""
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        if not await inputs.revoke_key(connection, request.path_params["key_id"]):
            raise Problem("not-found", "no such key")
    return answer({"revoked": True})


async def ids(request: Request) -> Response:
    """Every id of a customer, those of his records among them: {ids}."""
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        return answer({"ids": await views.ids_of(connection, str(request.path_params["customer_id"]))})


async def caught_up(request: Request) -> Response:
    """200 when everything published before `at` (default: before now) is visible in profiles."""
    chain: Chain = request.app.state.chain
    wait_ms = whole(request.query_params.get("wait_ms"), WAIT_MS_DEFAULT, 0, waiting.WAIT_MS_MAX)
    at = request.query_params.get("at")
    try:
        ends = waiting.read_token(at) if at else await chain.ends()
    except waiting.BadToken:
        raise Problem("bad-request", "at is not a position token") from None
    await chain.until_visible(ends, wait_ms)
    return answer({"token": waiting.write_token(ends), "lag_ms": 0})
