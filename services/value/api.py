"""Value's internal pages: /customers/{id}/value, /records/value, /book, /tiers and /policy, beside /wait and /status.

Asked by the profile service and the command; not for the public.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schemas.envelope import microseconds, parse_rfc3339
from schemas.events.fields import money_of
from services.runtime import policies
from services.runtime.http import Problem, answer, whole
from services.runtime.internal import internal_app
from services.runtime.policies import PolicyInForce
from services.runtime.policy_pages import policy_pages
from services.runtime.postgres import Connection, ServiceSchema
from services.runtime.settings import Settings
from services.value import views
from services.value.domain.fitting import TooLittle
from services.value.domain.policy import Policy, read_policy
from services.value.domain.reading import business_day
from services.value.handlers import POLICY, plan
from services.value.views import everybody

HORIZON_DAYS_MAX = 3_650


def internal(settings: Settings) -> Starlette:
    """The application. `app.state.policy` is the policy in force."""
    app = internal_app(
        settings,
        ServiceSchema.of("value", grouped=True, event_sourced=True),
        [
            Route("/customers/{customer_id}/value", value),
            Route("/records/value", of_records, methods=["POST"]),
            Route("/book", book),
            Route("/tiers", tiers),
            Route("/pareto", pareto),
            Route("/migration", migration),
            Route("/growth", growth),
            Route("/what-if", what_if),
            Route("/policy/fitted", fitted),
            Route("/score", score, methods=["POST"]),
            *policy_pages("value", POLICY, read_policy),
        ],
        plan,
    )
    app.state.policy = PolicyInForce(POLICY, read_policy)
    return app


async def value(request: Request) -> Response:
    """What one customer is worth; `as_of`: RFC 3339."""
    try:
        customer_id = str(UUID(request.path_params["customer_id"]))
    except ValueError:
        raise Problem("unknown-customer", "not a customer id") from None
    as_of = request.query_params.get("as_of")
    try:
        as_of_us = microseconds(parse_rfc3339(as_of)) if as_of else None
    except (ValueError, OverflowError):
        raise Problem("bad-request", "as_of is an RFC 3339 time with a zone") from None
    zone = ZoneInfo(request.app.state.settings.business_timezone)
    day = business_day(microseconds(datetime.now(UTC)) if as_of_us is None else as_of_us, zone)
    horizon = whole(request.query_params.get("horizon_days"), 0, 1, HORIZON_DAYS_MAX)
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        in_force = await request.app.state.policy.hold(connection)
        in_force = _looking(in_force, horizon, request.query_params.get("model_version"))
        found = await views.value(connection, customer_id, in_force, zone, as_of_us, day)
    return answer(found or {"value": None, "orders": [], "orders_total": 0})


async def of_records(request: Request) -> Response:
    """What some records brought, by currency: {"records": [record id]}; asked before they move."""
    try:
        records = [str(UUID(record)) for record in orjson.loads(await request.body())["records"]]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Problem("bad-request", "records is a list of record ids") from None
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        return answer({"totals": await views.of_records(connection, records)})


async def book(request: Request) -> Response:
    """Everybody's money by currency; `from`, `to`: YYYY-MM-DD."""
    since, until = (_day(request.query_params.get(name)) for name in ("from", "to"))
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        in_force = await request.app.state.policy.hold(connection)
        return answer(await views.book(connection, in_force, since, until))


def _looking(policy: Policy, horizon_days: int, model_version: str | None) -> Policy:
    """The policy with another horizon (0: its own). Raises Problem for a model that is not in force."""
    prediction = policy.prediction
    if model_version is not None and (prediction is None or model_version != str(prediction.version)):
        raise Problem("bad-request", f"model version {model_version} is not in force")
    if prediction is None or not horizon_days:
        return policy
    return replace(policy, prediction=prediction.looking(float(horizon_days)))


async def pareto(request: Request) -> Response:
    """Who brings most of the revenue; `to`: YYYY-MM-DD."""
    until = _day(request.query_params.get("to"))
    return await _asked(request, lambda connection, policy: everybody.pareto(connection, policy, until))


async def migration(request: Request) -> Response:
    """From which grade to which, between `from` and `to`."""
    since, until = _period(request)
    return await _asked(request, lambda connection, policy: everybody.migration(connection, policy, since, until))


async def growth(request: Request) -> Response:
    """Where the difference to the period before came from; `from`, `to`."""
    since, until = _period(request)
    return await _asked(request, lambda connection, policy: everybody.growth(connection, policy, since, until))


async def what_if(request: Request) -> Response:
    """What keeping a share of the lost had been worth; `from`, `to`, `defection`: the share, 0 to 1."""
    since, until = _period(request)
    share = money_of(request.query_params.get("defection"))
    if share is None or not 0 <= share <= 1:
        raise Problem("bad-request", "defection is a share of the lost customers who stay, from 0 to 1")
    kept = share
    return await _asked(request, lambda connection, policy: everybody.what_if(connection, policy, since, until, kept))


async def fitted(request: Request) -> Response:
    """The policy in force with a model fitted on the ledger; nothing is changed."""
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        policy = await request.app.state.policy.hold(connection)
        document = (await policies.in_force(connection, POLICY))["document"]
        try:
            return answer(await everybody.fit(connection, document, policy, _today(request)))
        except TooLittle as little:
            raise Problem("bad-request", str(little)) from None


async def score(request: Request) -> Response:
    """JSON lines of scores: {"as_of", "horizon_days", "all" or "customer_ids"}."""
    try:
        body = orjson.loads(await request.body())
        ids = None if body.get("all") is True else [str(UUID(c)) for c in body["customer_ids"]]
        as_of, horizon = body.get("as_of"), int(body.get("horizon_days") or 0)
        zone = ZoneInfo(request.app.state.settings.business_timezone)
        day = business_day(microseconds(parse_rfc3339(as_of)), zone) if as_of else _today(request)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise Problem("bad-request", 'as_of is RFC 3339; "all": true or customer_ids') from None
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        policy = _looking(await request.app.state.policy.hold(connection), horizon, None)
        if policy.prediction is None:
            raise Problem("bad-request", "no model was promoted yet: c360 value fit")
        scored = everybody.scores(connection, policy, policy.prediction, day, ids)
        lines = [orjson.dumps(one) async for some in scored for one in some]
    return Response(b"\n".join([*lines, b""]), media_type="application/x-ndjson")


def _today(request: Request) -> int:
    zone = ZoneInfo(request.app.state.settings.business_timezone)
    return business_day(microseconds(datetime.now(UTC)), zone)


def _period(request: Request) -> tuple[date, date]:
    since, until = (_day(request.query_params.get(name)) for name in ("from", "to"))
    if since is None or until is None or since >= until:
        raise Problem("bad-request", "from and to are dates, the second after the first")
    return since, until


async def _asked(request: Request, ask: Callable[[Connection, Policy], Awaitable[Any]]) -> Response:
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        return answer(await ask(connection, await request.app.state.policy.hold(connection)))


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Problem("bad-request", "from and to are dates, as 2026-01-31") from None


async def tiers(request: Request) -> Response:
    """How many customers are in each tier."""
    in_force: PolicyInForce[Policy] = request.app.state.policy
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        now = await in_force.hold(connection)
        return answer(await views.tiers(connection, now, in_force.number))
