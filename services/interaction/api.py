"""Interaction's internal pages beside /wait and /status: /customers/{id}/timeline, conversations, known and feedback,
/feedback of everybody and of some, /policy and /trace.

Asked by the profile service and the command; not for the public.
"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from uuid import UUID

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schemas.envelope import microseconds, parse_rfc3339
from services.interaction import views
from services.interaction.domain import conversations, memory, resuming
from services.interaction.domain import feedback as feedbacks
from services.interaction.domain.facts import Fact
from services.interaction.domain.families import Family
from services.interaction.domain.policy import Policy, read_policy
from services.interaction.handlers import POLICY, plan
from services.runtime.http import Problem, answer, answer_exactly, ids_sent, whole
from services.runtime.internal import internal_app
from services.runtime.policies import PolicyInForce
from services.runtime.policy_pages import policy_pages
from services.runtime.postgres import ServiceSchema
from services.runtime.settings import Settings

CONVERSATIONS_MAX = 100
CUSTOMERS_MAX = 100_000
"""Whose feedback is added up at once."""
NOT_CLOSED = "open"
MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


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
    customer_id = _customer_id(request)
    wanted = views.Wanted(
        limit=whole(query.get("limit"), 50, 1, views.TIMELINE_ITEMS_MAX),
        channel=query.get("channel"),
        type=query.get("type"),
        direction=query.get("direction"),
        since=_moment(query.get("from")),
        until=_moment(query.get("to")),
        after=views.read_cursor(query.get("cursor")),
        include=frozenset(query.get("include", "").split(",")),
    )
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        return answer_exactly(await views.timeline(connection, customer_id, wanted))


async def talks(request: Request) -> Response:
    """A customer's conversations, the newest first: `state` (one of them, or `open` for all not closed), `limit`."""
    query = request.query_params
    limit, state = whole(query.get("limit"), 50, 1, CONVERSATIONS_MAX), query.get("state")
    policy, facts = await _facts(request, Family.TALKS)
    found = await asyncio.to_thread(conversations.conversations, facts, policy.tone_words)
    wanted = [c for c in found if state is None or c.state == state or (state == NOT_CLOSED and not c.is_closed)]
    shown = [conversations.shown(c) for c in wanted[:limit]]
    return answer({"conversations": shown, "totals": {"conversations": len(wanted)}})


async def resume(request: Request) -> Response:
    """Where the customer and we left off; `channel`: what is about it comes first."""
    policy, facts = await _facts(request, Family.TALKS, Family.REACH)
    channel = request.query_params.get("channel")
    return answer(await asyncio.to_thread(resuming.resume, facts, _now_us(), channel, policy.tone_words))


async def known(request: Request) -> Response:
    """What is known of a question, by its id or text; without `question` of all."""
    _, facts = await _facts(request, Family.TALKS)
    return answer(await asyncio.to_thread(memory.known, facts, _now_us(), request.query_params.get("question")))


async def feedback(request: Request) -> Response:
    """One customer's feedback."""
    policy, facts = await _facts(request, Family.FEEDBACK)
    return answer(await asyncio.to_thread(feedbacks.feedback, facts, policy))


async def everybodys_feedback(request: Request) -> Response:
    """Everybody's feedback by month: `from`, `to` (YYYY-MM)."""
    since, until = (_month(request.query_params.get(name)) for name in ("from", "to"))
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        policy = await request.app.state.policy.hold(connection)
        async with connection.transaction(readonly=True):
            return answer(await views.feedback_totals(connection, policy, since, until))


async def feedback_of_some(request: Request) -> Response:
    """Feedback by month of {"customers": [id]}, `from`, `to` (YYYY-MM); what fewer than `least` said is left out."""
    query = request.query_params
    since, until = (_month(query.get(name)) for name in ("from", "to"))
    least = whole(query.get("least"), 1, 1, CUSTOMERS_MAX)
    customers = await ids_sent(request, "customers")
    if len(customers) > CUSTOMERS_MAX:
        raise Problem("too-large", f"at most {CUSTOMERS_MAX:,} customers are added up")
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        policy = await request.app.state.policy.hold(connection)
        async with connection.transaction(readonly=True):
            crowd = await views.feedback_of(connection, policy, customers)
    return answer({"from": since, "to": until, **crowd.shown(least, since, until)})


async def _facts(request: Request, *families: Family) -> tuple[Policy, list[Fact]]:
    customer_id = _customer_id(request)
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        policy: Policy = await request.app.state.policy.hold(connection)
        return policy, await views.facts(connection, customer_id, *families)


def _customer_id(request: Request) -> str:
    """Raises Problem("unknown-customer") for what cannot be one."""
    try:
        return str(UUID(request.path_params["customer_id"]))
    except ValueError:
        raise Problem("unknown-customer", "not a customer id") from None


def _month(text: str | None) -> str | None:
    if text and not MONTH.fullmatch(text):
        raise Problem("bad-request", "from and to are months, as 2026-01")
    return text or None


def _now_us() -> int:
    return microseconds(datetime.now(UTC))


async def places(request: Request) -> Response:
    """Event id → (partition, offset) of the copy that is kept: {"events": [event id]}; unknown ones are left out."""
    events = await ids_sent(request, "events")
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        return answer({"places": await views.places(connection, events)})


async def kept(request: Request) -> Response:
    """[record id, event id, partition, offset] of each kept copy of these: {"events": [event id]}."""
    events = await ids_sent(request, "events")
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        return answer({"kept": await views.kept(connection, events)})


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
    """The application. `app.state.policy` is the policy in force."""
    app = internal_app(
        settings,
        ServiceSchema.of("interaction", grouped=True, event_sourced=True),
        [
            Route("/customers/{customer_id}/timeline", timeline),
            Route("/customers/{customer_id}/conversations", talks),
            Route("/customers/{customer_id}/conversations/resume", resume),
            Route("/customers/{customer_id}/known", known),
            Route("/customers/{customer_id}/feedback", feedback),
            Route("/feedback", everybodys_feedback, methods=["GET"]),
            Route("/feedback", feedback_of_some, methods=["POST"]),
            Route("/places", places, methods=["POST"]),
            Route("/kept", kept, methods=["POST"]),
            Route("/trace", trace),
            *policy_pages("interaction", POLICY, read_policy),
        ],
        plan,
    )
    app.state.policy = PolicyInForce(POLICY, read_policy)
    return app
