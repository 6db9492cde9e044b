"""What customers are worth: one customer's ledger with his orders, everybody's totals, the tiers.

Owns these routes and their words. Value answers; here keys are checked and old ids led to today's customer.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import httpx
from fastapi import Query, Request
from starlette.responses import Response

from schemas.sections import Value
from services.profile import domain
from services.profile.api.doors import WAIT_MS_DEFAULT, Doors, MinPosition, WaitMs, passed_on
from services.profile.api.recommendations import NEXT, foremost
from services.profile.value_shapes import ScoreRequest

SCORE_TIMEOUT_S = 60.0
"""Scores of everybody are many."""

SECTION = tuple(Value.model_fields)
"""The fields that are null for who never bought anything."""

AsOf = Annotated[str | None, Query(description="RFC 3339: of events up to then only")]
From = Annotated[str | None, Query(alias="from", description="YYYY-MM-DD, inclusive")]
Year = Annotated[str | None, Query(alias="from", description="YYYY-MM-DD, inclusive; a year before `to`")]
Tomorrow = Annotated[str | None, Query(alias="to", description="YYYY-MM-DD, exclusive; tomorrow")]
To = Annotated[str | None, Query(alias="to", description="YYYY-MM-DD, exclusive")]


async def customer(
    request: Request,
    customer_id: str,
    as_of: AsOf = None,
    horizon_days: Annotated[int | None, Query(ge=1, le=3_650, description="How far predictions look")] = None,
    model_version: Annotated[int | None, Query(ge=1, description="By this model, once in force")] = None,
    min_position: MinPosition = None,
    wait_ms: WaitMs = WAIT_MS_DEFAULT,
) -> Response:
    """What a customer is worth, now or as of then, with the newest 100 orders; all null where nothing was bought.

    `next` is null as of a time that is named; where value did not list it in time it is in `meta.missing` too.
    """
    doors: Doors = request.app.state.doors
    key = await doors.access.check(request, "value:read")
    await doors.reach(min_position, wait_ms)
    now = await doors.id_today(customer_id)
    named = {"as_of": as_of, "horizon_days": horizon_days, "model_version": model_version}
    query = {name: str(sent) for name, sent in named.items() if sent is not None}
    asked, wanted = await asyncio.gather(
        doors.part("value", f"/customers/{now}/value", query), foremost(doors, now) if as_of is None else _nothing()
    )
    if asked.status_code != 200:
        return passed_on(asked)
    found = asked.json()
    section = {**dict.fromkeys(SECTION), **(found["value"] or {})}
    missing = [NEXT] if found["value"] and as_of is None and wanted is None else []
    if found["value"]:
        section["next"] = wanted
    orders = found["orders"] if "profile:pii" in key.scopes else domain.masked_orders(found["orders"])
    head = {"customer_id": now, "requested_id": customer_id}
    beside = {"orders": orders, **{name: found[name] for name in ("orders_total", "tier_history")}}
    return await doors.answered({**head, **section, **beside, "meta": {"missing": missing}})


async def _nothing() -> None:
    """Of a day that is past nothing is listed: what everybody bought since would speak."""


async def totals(
    request: Request,
    since: From = None,
    until: To = None,
    min_position: MinPosition = None,
    wait_ms: WaitMs = WAIT_MS_DEFAULT,
) -> Response:
    """Everybody's money by currency, of the business days from `from` to before `to`."""
    return await _book(request, "/book", _period(since, until), min_position, wait_ms)


async def tiers(request: Request, min_position: MinPosition = None, wait_ms: WaitMs = WAIT_MS_DEFAULT) -> Response:
    """How many customers are in each grade, what they brought, and what the grade is for."""
    return await _book(request, "/tiers", {}, min_position, wait_ms)


async def pareto(
    request: Request, until: To = None, min_position: MinPosition = None, wait_ms: WaitMs = WAIT_MS_DEFAULT
) -> Response:
    """Which customers bring most of the revenue, up to before a day."""
    return await _book(request, "/pareto", {"to": until} if until else {}, min_position, wait_ms)


async def migration(
    request: Request,
    since: Year = None,
    until: Tomorrow = None,
    min_position: MinPosition = None,
    wait_ms: WaitMs = WAIT_MS_DEFAULT,
) -> Response:
    """How many customers went from which grade to which between two days."""
    return await _book(request, "/migration", _period(since, until), min_position, wait_ms)


async def growth(
    request: Request,
    since: Year = None,
    until: Tomorrow = None,
    min_position: MinPosition = None,
    wait_ms: WaitMs = WAIT_MS_DEFAULT,
) -> Response:
    """Where the difference to the period before came from: new, returning, expanded, contracted, lost."""
    return await _book(request, "/growth", _period(since, until), min_position, wait_ms)


async def churn(
    request: Request,
    since: Year = None,
    until: Tomorrow = None,
    min_position: MinPosition = None,
    wait_ms: WaitMs = WAIT_MS_DEFAULT,
) -> Response:
    """Who left between two days, by cause and month, and what they had brought in the year before."""
    return await _book(request, "/churn", _period(since, until), min_position, wait_ms)


async def what_if(
    request: Request,
    defection: Annotated[str, Query(max_length=20, description="The share of the lost who stay, 0 to 1")],
    since: Year = None,
    until: Tomorrow = None,
    min_position: MinPosition = None,
    wait_ms: WaitMs = WAIT_MS_DEFAULT,
) -> Response:
    """What fewer defections would have been worth."""
    query = {**_period(since, until), "defection": defection}
    return await _book(request, "/what-if", query, min_position, wait_ms)


def _period(since: str | None, until: str | None) -> dict[str, str]:
    """What of it was named; value takes the year that ends today for the rest."""
    return {name: day for name, day in (("from", since), ("to", until)) if day is not None}


async def score(request: Request, body: ScoreRequest) -> Response:
    """What the model in force expects of all customers, or of these, as JSON lines by customer id."""
    doors: Doors = request.app.state.doors
    await doors.access.check(request, "value:read")
    url = f"{doors.settings.value_internal_url}/score"
    try:
        asked = await doors.chain.client.post(url, json=body.model_dump(exclude_none=True), timeout=SCORE_TIMEOUT_S)
    except httpx.HTTPError as error:
        raise doors.silent("value", error) from None
    if asked.status_code != 200:
        return passed_on(asked)
    return Response(asked.content, media_type="application/x-ndjson")


async def _book(
    request: Request, page: str, query: dict[str, str], min_position: str | None, wait_ms: int
) -> Response:
    doors: Doors = request.app.state.doors
    await doors.access.check(request, "value:read")
    await doors.reach(min_position, wait_ms)
    asked = await doors.part("value", page, query)
    if asked.status_code != 200:
        return passed_on(asked)
    body: dict[str, Any] = asked.json()
    return await doors.answered(body)
