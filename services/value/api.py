"""Value's internal pages: /customers/{id}/value, /records/value, /book, /tiers and /policy, beside /wait and /status.

Asked by the profile service and the command; not for the public.
"""

from __future__ import annotations

from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schemas.envelope import microseconds, parse_rfc3339
from services.runtime.http import Problem, answer
from services.runtime.internal import internal_app
from services.runtime.policies import PolicyInForce
from services.runtime.policy_pages import policy_pages
from services.runtime.postgres import ServiceSchema
from services.runtime.settings import Settings
from services.value import views
from services.value.domain.policy import Policy, read_policy
from services.value.handlers import POLICY


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
            *policy_pages("value", POLICY, read_policy),
        ],
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
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        in_force = await request.app.state.policy.hold(connection)
        found = await views.value(connection, customer_id, in_force, zone, as_of_us)
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
