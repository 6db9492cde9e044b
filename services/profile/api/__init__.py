"""The public profile API: which calls there are, and what they share.

Owns the application; customers.py answers what is known of people, identity.py why, value.py what they are worth,
groups.py where they belong, contact.py what is wrong with their contact; finding.py searches, segments.py says who
is in which segment, commands.py takes what apps say, streams.py tells what changes. doors.py is what they share.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Security
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer
from starlette.responses import Response

from schemas.sections import CustomerDocument
from services.profile import value_shapes
from services.profile.api import (
    commands,
    contact,
    customers,
    dialogue,
    finding,
    groups,
    identity,
    segments,
    streams,
    value,
)
from services.profile.api.changes import Changes
from services.profile.api.doors import Doors
from services.profile.dialogue_shapes import (
    ConversationsAnswer,
    FeedbackAnswer,
    FeedbackTotalsAnswer,
    KnownAnswer,
    KnownQuestionsAnswer,
    ResumeAnswer,
)
from services.profile.history_shapes import HistoryAnswer, HowAnswer
from services.profile.identity_shapes import AssertionAnswer, IdentityAnswer, PathAnswer, ReviewAnswer
from services.profile.internal import internal
from services.profile.shapes import (
    LookupAnswer,
    Problems,
    TiersAnswer,
    TimelineAnswer,
    TotalsAnswer,
    ValueAnswer,
)
from services.runtime.http import EXCEPTION_HANDLERS, Problem, answer
from services.runtime.settings import Settings

__all__ = ["internal", "public"]

PROBLEM = Problems.model_json_schema()


def public(settings: Settings) -> FastAPI:
    """The public API on C360_PROFILE_PORT."""
    doors, changes = Doors(settings), Changes(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await changes.end()
        await doors.close()

    app = FastAPI(
        title="customer360 profile API",
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        exception_handlers={**EXCEPTION_HANDLERS, RequestValidationError: _unreadable},
    )
    app.state.doors, app.state.changes = doors, changes
    app.include_router(_calls())
    app.include_router(_further_calls())
    app.get("/healthz", include_in_schema=False)(healthz)
    return app


def _calls() -> APIRouter:
    """Every call, with the key it needs and the problems it may answer."""
    calls = _router()
    calls.get("/customers/{customer_id}", response_model=CustomerDocument)(customers.customer)
    calls.post("/customers/lookup", response_model=LookupAnswer)(customers.lookup)
    calls.get("/customers/{customer_id}/timeline", response_model=TimelineAnswer)(customers.timeline)
    calls.get("/customers/{customer_id}/identity", response_model=IdentityAnswer)(identity.evidence)
    calls.get("/customers/{customer_id}/identity/how", response_model=HowAnswer)(identity.how)
    calls.get("/customers/{customer_id}/identity/history", response_model=HistoryAnswer)(identity.history)
    calls.get("/customers/{customer_id}/value", response_model=ValueAnswer)(value.customer)
    calls.get("/customers/{customer_id}/conversations", response_model=ConversationsAnswer)(dialogue.conversations)
    calls.get("/customers/{customer_id}/conversations/resume", response_model=ResumeAnswer)(dialogue.resume)
    calls.get("/customers/{customer_id}/known", response_model=KnownAnswer | KnownQuestionsAnswer)(dialogue.known)
    calls.get("/customers/{customer_id}/feedback", response_model=FeedbackAnswer)(dialogue.feedback)
    calls.get("/feedback", response_model=FeedbackTotalsAnswer)(dialogue.totals)
    calls.get("/contact/issues", response_model=contact.IssuesAnswer)(contact.issues)
    calls.get("/value/totals", response_model=TotalsAnswer)(value.totals)
    calls.get("/value/tiers", response_model=TiersAnswer)(value.tiers)
    calls.get("/value/pareto", response_model=value_shapes.ParetoAnswer)(value.pareto)
    calls.get("/value/migration", response_model=value_shapes.MigrationAnswer)(value.migration)
    calls.get("/value/growth", response_model=value_shapes.GrowthAnswer)(value.growth)
    calls.get("/value/what-if", response_model=value_shapes.WhatIfAnswer)(value.what_if)
    lines: dict[str, Any] = {"application/x-ndjson": {"schema": {"type": "string"}}}
    scores: dict[int | str, Any] = {200: {"description": "A line of JSON each", "content": lines}}
    calls.post("/value/score", response_class=Response, responses=scores)(value.score)
    calls.get("/identity/path", response_model=PathAnswer)(identity.path)
    calls.get("/identity/review", response_model=ReviewAnswer)(identity.review)
    calls.post("/identity/assertions", response_model=AssertionAnswer, status_code=202)(identity.assertion)
    calls.get("/groups/{group_id:path}", response_model=groups.GroupAnswer)(groups.group)
    return calls


def _further_calls() -> APIRouter:
    """Search, segments, what apps say, and streams."""
    calls, said = _router(), commands.CommandAnswer
    calls.get("/customers", response_model=finding.FoundAnswer)(finding.customers)
    calls.get("/segments", response_model=segments.SegmentsAnswer)(segments.segments)
    set_one: dict[int | str, Any] = {201: {"model": segments.SegmentAnswer}, **_problems(413)}
    calls.post("/segments", response_model=segments.SegmentAnswer, responses=set_one)(segments.define)
    calls.get("/segments/{segment_id}", response_model=segments.SegmentAnswer)(segments.segment)
    calls.get("/segments/{segment_id}/members", response_model=segments.MembersAnswer)(segments.members)
    calls.get("/segments/{segment_id}/summary", response_model=segments.SummaryAnswer)(segments.summary)
    calls.get("/customers/{customer_id}/segments/{segment_id}", response_model=segments.WhyAnswer)(segments.why)
    calls.post("/customers/{customer_id}/events", response_model=said, status_code=202)(commands.event)
    calls.put("/customers/{customer_id}/preferences/{topic}", response_model=said, status_code=202)(
        commands.preference
    )
    calls.put("/customers/{customer_id}/consents/{purpose}", response_model=said, status_code=202)(commands.consent)
    told: dict[str, Any] = {"response_class": streams.EventStream, "status_code": 200}
    told["responses"] = {**streams.CONTENT, **_problems(410, 429)}
    calls.get("/customers/{customer_id}/stream", **told)(streams.of_customer)
    calls.get("/changes", **told)(streams.everybody)
    return calls


def _router() -> APIRouter:
    key = [Security(HTTPBearer(auto_error=False, description="An API key with the scopes the call needs"))]
    return APIRouter(prefix="/v1", responses=_problems(400, 401, 403, 404, 422, 503), dependencies=key)


def _problems(*codes: int) -> dict[int | str, Any]:
    content = {"application/problem+json": {"schema": PROBLEM}}
    return {code: {"description": Problems.__doc__, "content": content} for code in codes}


async def _unreadable(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(p) for p in first["loc"])
    return Problem("bad-request", f"{place}: {first['msg']}").answer()


async def healthz(request: Request) -> Response:
    """200 when the database answers."""
    pool = await request.app.state.doors.database.pool()
    await pool.fetchval("SELECT 1")
    return answer({"ok": True})
