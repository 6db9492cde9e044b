"""Value's internal pages: /customers/{id}/value, /records/value, /book, /tiers and /policy, beside /wait and /status.

Asked by the profile service and the command; not for the public.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
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
from services.runtime.http import Problem, answer, ids_sent, whole
from services.runtime.internal import internal_app
from services.runtime.policies import PolicyInForce
from services.runtime.policy_pages import policy_pages
from services.runtime.postgres import Connection, ServiceSchema
from services.runtime.settings import Settings
from services.value import views
from services.value.domain.days import YEAR_DAYS, date_of
from services.value.domain.fitting import TooLittle
from services.value.domain.ledger import Looking
from services.value.domain.policy import Policy, read_policy
from services.value.domain.reading import business_day
from services.value.domain.wanting import recommended
from services.value.handlers import POLICY, plan
from services.value.views import everybody, foreseeing, past, refitted, shadowing, wanting
from services.value.views.heavy import TooMany
from services.value.views.learnt import Learnt

HORIZON_DAYS_MAX = 3_650
RECOMMENDED, RECOMMENDED_MAX = 10, 100


def internal(settings: Settings) -> Starlette:
    """The application. `app.state.policy` is the policy in force."""
    app = internal_app(
        settings,
        ServiceSchema.of("value", grouped=True, event_sourced=True),
        [
            Route("/customers/{customer_id}/value", value),
            Route("/customers/{customer_id}/recommendations", recommendations),
            Route("/records/value", of_records, methods=["POST"]),
            Route("/book", book),
            Route("/tiers", tiers),
            Route("/pareto", pareto),
            Route("/migration", migration),
            Route("/growth", growth),
            Route("/what-if", what_if),
            Route("/churn", churn),
            Route("/policy/fitted", fitted),
            Route("/policy/refits", refits),
            Route("/policy/grouped", grouped),
            Route("/score", score, methods=["POST"]),
            Route("/shadowed", shadowed, methods=["POST"]),
            *policy_pages("value", POLICY, read_policy),
        ],
        plan,
    )
    app.state.policy = PolicyInForce(POLICY, read_policy)
    app.state.learnt = Learnt(app.state.database, ZoneInfo(settings.business_timezone))
    return app


async def shadowed(request: Request) -> Response:
    """[record id, event id] of those whose order another event tells with more right: {"events": [event id]}."""
    events = await ids_sent(request, "events")
    zone = ZoneInfo(request.app.state.settings.business_timezone)
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        return answer({"shadowed": await shadowing.shadowed(connection, events, zone)})


async def value(request: Request) -> Response:
    """What one customer is worth; `as_of`: RFC 3339."""
    customer_id = _customer_id(request)
    as_of = request.query_params.get("as_of")
    try:
        as_of_us = microseconds(parse_rfc3339(as_of)) if as_of else None
    except (ValueError, OverflowError):
        raise Problem("bad-request", "as_of is an RFC 3339 time with a zone") from None
    zone, now_us = ZoneInfo(request.app.state.settings.business_timezone), _now_us(request)
    day = business_day(now_us if as_of_us is None else as_of_us, zone)
    horizon = whole(request.query_params.get("horizon_days"), 0, 1, HORIZON_DAYS_MAX)
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        in_force = await request.app.state.policy.hold(connection)
        in_force = await _asked_model(request, connection, in_force)
        looking = Looking(day, zone, is_answer=True, horizon_days=horizon)
        try:
            found = await views.value(connection, customer_id, in_force, looking, as_of_us, now_us)
        except TooMany as many:
            raise Problem("too-large", str(many)) from None
    return answer(found or {"value": None, "orders": [], "orders_total": 0, "tier_history": []})


async def recommendations(request: Request) -> Response:
    """What one customer needs next: two lists with reasons; `limit` of each, `learn=true`: of all purchases anew."""
    customer_id = _customer_id(request)
    limit = whole(request.query_params.get("limit"), RECOMMENDED, 1, RECOMMENDED_MAX)
    zone, day = ZoneInfo(request.app.state.settings.business_timezone), _today(request)
    tastes = await request.app.state.learnt.on(day, anew=request.query_params.get("learn") == "true")
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        own = await wanting.mine(connection, customer_id, zone, _now_us(request))
    return answer({"as_of": date_of(day).isoformat(), **recommended(tastes, own, day, limit)})


def _customer_id(request: Request) -> str:
    try:
        return str(UUID(request.path_params["customer_id"]))
    except ValueError:
        raise Problem("unknown-customer", "not a customer id") from None


async def of_records(request: Request) -> Response:
    """What some records brought, by currency: {"records": [record id]}; asked before they move."""
    records = await ids_sent(request, "records")
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


async def _asked_model(request: Request, connection: Connection, policy: Policy) -> Policy:
    """With the model of `model_version`, where one is asked for. Raises Problem for one that never was in force."""
    version = whole(request.query_params.get("model_version"), 0, 1, 2**31)
    if not version:
        return policy
    found = await past.with_model(connection, POLICY, policy, version)
    if found is None:
        raise Problem("bad-request", f"model version {version} was never in force")
    return found


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


async def churn(request: Request) -> Response:
    """Who left between `from` and `to`, and why."""
    since, until = _period(request)
    return await _asked(request, lambda connection, policy: everybody.churn(connection, policy, since, until))


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
            return answer(await foreseeing.fit(connection, document, policy, _today(request)))
        except TooLittle as little:
            raise Problem("bad-request", str(little)) from None


async def refits(request: Request) -> Response:
    """What the newest nightly refits came to; `limit`."""
    limit = whole(request.query_params.get("limit"), refitted.LISTED, 1, refitted.LISTED_MAX)
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        return answer({"refits": await refitted.newest(connection, limit)})


async def grouped(request: Request) -> Response:
    """The policy in force with needs groups learnt on the ledger; nothing is changed."""
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        policy = await request.app.state.policy.hold(connection)
        document = (await policies.in_force(connection, POLICY))["document"]
        return answer({"document": await foreseeing.grouped(connection, document, policy)})


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
        policy = await request.app.state.policy.hold(connection)
        prediction = policy.prediction
        if prediction is None:
            raise Problem("bad-request", "no model was promoted yet: c360 value fit")
        looking = prediction.looking(float(horizon)) if horizon else prediction
        scored = foreseeing.scores(connection, policy, looking, day, ids)
        lines = [orjson.dumps(one) async for some in scored for one in some]
    return Response(b"\n".join([*lines, b""]), media_type="application/x-ndjson")


def _now_us(request: Request) -> int:
    """What time it is for value, in µs since 1970."""
    ahead = timedelta(days=request.app.state.settings.value_days_ahead)
    return microseconds(datetime.now(UTC) + ahead)


def _today(request: Request) -> int:
    return business_day(_now_us(request), ZoneInfo(request.app.state.settings.business_timezone))


def _period(request: Request) -> tuple[date, date]:
    """From `from` to before `to`; without them the year that ends today."""
    since, until = (_day(request.query_params.get(name)) for name in ("from", "to"))
    try:
        until = date_of(_today(request) + 1) if until is None else until
        since = until - timedelta(days=YEAR_DAYS) if since is None else since
    except OverflowError:
        raise Problem("bad-request", "there is no year before to") from None
    if since >= until:
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
