"""The public profile API: which calls there are, and what they share.

Owns the application; customers.py answers what is known of people, timeline.py what happened, identity.py why,
value.py what they are worth, groups.py where they belong, contact.py what is wrong with their contact; finding.py
searches, segments.py says who is in which segment, commands.py takes what apps say, decisions.py what to do for whom,
streams.py tells what changes, webhooks.py tells it to endpoints, privacy.py exports and erases. doors.py is what they
share.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Security
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer
from starlette.responses import Response

from schemas.sections import CustomerDocument
from services.profile import decision_shapes, privacy_shapes, segment_shapes, value_shapes, webhook_shapes
from services.profile.api import (
    auditing,
    commands,
    contact,
    customers,
    decisions,
    dialogue,
    finding,
    groups,
    identity,
    privacy,
    recommendations,
    segments,
    streams,
    timeline,
    value,
    webhooks,
)
from services.profile.api.around import Around
from services.profile.api.doors import Doors
from services.profile.asyncapi import asyncapi
from services.profile.dialogue_shapes import (
    ConversationsAnswer,
    FeedbackAnswer,
    FeedbackTotalsAnswer,
    KnownAnswer,
    KnownQuestionsAnswer,
    ResumeAnswer,
    SegmentFeedbackAnswer,
)
from services.profile.exporting import Exporter
from services.profile.history_shapes import HistoryAnswer, HowAnswer
from services.profile.identity_shapes import AssertionAnswer, IdentityAnswer, PathAnswer, ReviewAnswer
from services.profile.internal import internal
from services.profile.listening.changes import Changes
from services.profile.shapes import (
    LookupAnswer,
    Problems,
    TiersAnswer,
    TimelineAnswer,
    TotalsAnswer,
    ValueAnswer,
)
from services.profile.webhooks.delivering import Deliverer
from services.runtime.http import EXCEPTION_HANDLERS, Problem, answer
from services.runtime.settings import Settings

__all__ = ["internal", "public"]

PROBLEM = "Problems"
"""The schema of every problem, by its name among the document's schemas."""


class Api(FastAPI):
    """FastAPI that names the schema of problems once."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document."""
        if self.openapi_schema is None:
            super().openapi()["components"]["schemas"][PROBLEM] = Problems.model_json_schema()
        return super().openapi()


def public(settings: Settings) -> FastAPI:
    """The public API on C360_PROFILE_PORT."""
    doors, changes = Doors(settings), Changes(settings)
    deliverer, exporter = Deliverer(settings, changes), Exporter(doors)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        beside = [asyncio.create_task(one.run()) for one in (deliverer, exporter, doors.auditing)]
        yield
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, doors.auditing.write(), return_exceptions=True)
        await changes.end()
        await doors.close()

    app = Api(
        title="customer360 profile API",
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        exception_handlers={**EXCEPTION_HANDLERS, RequestValidationError: _unreadable},
    )
    app.state.doors, app.state.changes = doors, changes
    app.state.deliverer, app.state.exporter = deliverer, exporter
    app.add_middleware(Around, doors=doors)
    app.include_router(_calls())
    app.include_router(_further_calls())
    app.include_router(_webhook_calls())
    app.include_router(_privacy_calls())
    app.get("/asyncapi.json", include_in_schema=False)(events_document)
    app.get("/healthz", include_in_schema=False)(healthz)
    return app


def _calls() -> APIRouter:
    """Every call, with the key it needs and the problems it may answer."""
    calls = _router()
    unchanged: dict[int | str, Any] = {304: {"description": "It is as the ETag in If-None-Match says"}}
    calls.get("/customers/{customer_id}", response_model=CustomerDocument, responses=unchanged)(customers.customer)
    calls.post("/customers/lookup", response_model=LookupAnswer)(customers.lookup)
    happened: dict[str, Any] = {"response_model": TimelineAnswer, "responses": _problems(413)}
    calls.get("/customers/{customer_id}/timeline", **happened)(timeline.timeline)
    calls.get("/customers/{customer_id}/identity", response_model=IdentityAnswer)(identity.evidence)
    calls.get("/customers/{customer_id}/identity/how", response_model=HowAnswer)(identity.how)
    calls.get("/customers/{customer_id}/identity/history", response_model=HistoryAnswer)(identity.history)
    worth: dict[str, Any] = {"response_model": ValueAnswer, "responses": _problems(413)}
    calls.get("/customers/{customer_id}/value", **worth)(value.customer)
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
    wanted = recommendations.RecommendationsAnswer
    calls.get("/customers/{customer_id}/recommendations", response_model=wanted)(recommendations.recommendations)
    calls.get("/value/churn", response_model=value_shapes.ChurnAnswer)(value.churn)
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
    calls.get("/segments", response_model=segment_shapes.SegmentsAnswer)(segments.segments)
    set_one: dict[int | str, Any] = {201: {"model": segment_shapes.SegmentAnswer}, **_problems(413)}
    calls.post("/segments", response_model=segment_shapes.SegmentAnswer, responses=set_one)(segments.define)
    calls.get("/segments/{segment_id}", response_model=segment_shapes.SegmentAnswer)(segments.segment)
    gone: dict[str, Any] = {"response_model": segment_shapes.RemovedAnswer, "responses": _problems(409)}
    calls.delete("/segments/{segment_id}", **gone)(segments.remove)
    calls.get("/segments/{segment_id}/members", response_model=segments.MembersAnswer)(segments.members)
    calls.get("/segments/{segment_id}/summary", response_model=segment_shapes.SummaryAnswer)(segments.summary)
    summed: dict[str, Any] = {"response_model": SegmentFeedbackAnswer, "responses": _problems(413)}
    calls.get("/segments/{segment_id}/feedback", **summed)(dialogue.totals_of_segment)
    calls.get("/customers/{customer_id}/segments/{segment_id}", response_model=segment_shapes.WhyAnswer)(segments.why)
    calls.post("/customers/{customer_id}/events", response_model=said, status_code=202)(commands.event)
    calls.put("/customers/{customer_id}/preferences/{topic}", response_model=said, status_code=202)(
        commands.preference
    )
    calls.put("/customers/{customer_id}/consents/{purpose}", response_model=said, status_code=202)(commands.consent)
    decided: dict[str, Any] = {"response_model": decision_shapes.DecisionAnswer, "responses": _problems(409, 413)}
    calls.post("/decisions", **decided)(decisions.decide)
    calls.get("/decisions/{treatment_id}", response_model=decision_shapes.DecisionRecordAnswer)(decisions.decision)
    told: dict[str, Any] = {"response_class": streams.EventStream, "status_code": 200}
    told["responses"] = {**streams.CONTENT, **_problems(410, 429)}
    calls.get("/customers/{customer_id}/stream", **told)(streams.of_customer)
    calls.get("/changes", **told)(streams.everybody)
    return calls


def _webhook_calls() -> APIRouter:
    """Endpoints of webhooks, with what `ops:admin` may do to them."""
    calls, shapes = _router(), webhook_shapes
    made: dict[str, Any] = {"status_code": 201, "responses": _problems(409)}
    calls.post("/webhooks", response_model=shapes.MadeWebhookAnswer, **made)(webhooks.make)
    calls.get("/webhooks", response_model=shapes.WebhooksAnswer)(webhooks.listed)
    one, its = "/webhooks/{webhook_id}", "/webhooks/{webhook_id}/deliveries"
    calls.get(one, response_model=shapes.WebhookAnswer)(webhooks.one)
    calls.patch(one, response_model=shapes.WebhookAnswer)(webhooks.change)
    calls.delete(one, status_code=204)(webhooks.remove)
    calls.post(f"{one}/rotate", response_model=shapes.SecretAnswer)(webhooks.rotate)
    again: dict[str, Any] = {"status_code": 202, "responses": _problems(409, 410)}
    calls.post(f"{one}/replay", response_model=shapes.ReplayAnswer, **again)(webhooks.replay)
    calls.get(its, response_model=shapes.DeliveriesAnswer)(webhooks.deliveries_of)
    calls.post(f"{its}/{{delivery_id}}/retry", response_model=shapes.RetryAnswer, **again)(webhooks.retry)
    calls.get("/audit/reads", response_model=auditing.ReadsAnswer)(auditing.listed)
    return calls


def _privacy_calls() -> APIRouter:
    """What `privacy:admin` may do to one customer's data."""
    calls, shapes = _router(), privacy_shapes
    asked: dict[str, Any] = {"status_code": 202}
    calls.post("/customers/{customer_id}/erase", response_model=shapes.ErasureAnswer, **asked)(privacy.erase)
    calls.get("/erasures/{erasure_id}", response_model=shapes.ErasureAnswer)(privacy.erasure)
    calls.post("/customers/{customer_id}/export", response_model=shapes.ExportAnswer, **asked)(privacy.export)
    calls.get("/exports/{export_id}", response_model=shapes.ExportAnswer)(privacy.exported)
    copied: dict[str, Any] = {"response_model": None, "responses": _problems(409)}
    calls.get("/exports/{export_id}/data", **copied)(privacy.exported_data)
    return calls


def _router() -> APIRouter:
    key = [Security(HTTPBearer(auto_error=False, description="An API key with the scopes the call needs"))]
    return APIRouter(prefix="/v1", responses=_problems(400, 401, 403, 404, 410, 422, 429, 503), dependencies=key)


def _problems(*codes: int) -> dict[int | str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": f"#/components/schemas/{PROBLEM}"}}}
    return {code: {"description": Problems.__doc__, "content": content} for code in codes}


async def _unreadable(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(p) for p in first["loc"])
    return Problem("bad-request", f"{place}: {first['msg']}").answer()


async def events_document(_request: Request) -> Response:
    """Every event that is taken and told, as AsyncAPI has it."""
    return answer(await asyncio.to_thread(asyncapi))


async def healthz(request: Request) -> Response:
    """200 when the database answers."""
    pool = await request.app.state.doors.database.pool()
    await pool.fetchval("SELECT 1")
    return answer({"ok": True})
