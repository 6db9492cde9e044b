"""What customers are worth: one customer's ledger with his orders, everybody's totals, the tiers.

Owns these routes and their words. Value answers; here keys are checked and old ids led to today's customer.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request
from starlette.responses import Response

from schemas.sections import Value
from services.profile import domain
from services.profile.api.doors import WAIT_MS_DEFAULT, Doors, MinPosition, WaitMs, passed_on

SECTION = tuple(Value.model_fields)
"""The fields that are null for who never bought anything."""

AsOf = Annotated[str | None, Query(description="RFC 3339: of events up to then only")]
From = Annotated[str | None, Query(alias="from", description="YYYY-MM-DD, inclusive")]
To = Annotated[str | None, Query(alias="to", description="YYYY-MM-DD, exclusive")]


async def customer(
    request: Request,
    customer_id: str,
    as_of: AsOf = None,
    min_position: MinPosition = None,
    wait_ms: WaitMs = WAIT_MS_DEFAULT,
) -> Response:
    """What a customer is worth, now or as of then, with the newest 100 orders; all null where nothing was bought."""
    doors: Doors = request.app.state.doors
    key = await doors.access.check(request, "value:read")
    await doors.reach(min_position, wait_ms)
    told = await doors.today(customer_id)
    query = {"as_of": as_of} if as_of else {}
    asked = await doors.part("value", f"/customers/{told.customer_id}/value", query)
    if asked.status_code != 200:
        return passed_on(asked)
    found = asked.json()
    section = {**dict.fromkeys(SECTION), **(found["value"] or {})}
    orders = found["orders"] if "profile:pii" in key.scopes else domain.masked_orders(found["orders"])
    head = {"customer_id": told.customer_id, "requested_id": customer_id}
    return await doors.answered({**head, **section, "orders": orders, "orders_total": found["orders_total"]})


async def totals(
    request: Request,
    since: From = None,
    until: To = None,
    min_position: MinPosition = None,
    wait_ms: WaitMs = WAIT_MS_DEFAULT,
) -> Response:
    """Everybody's money by currency, of the business days from `from` to before `to`."""
    query = {name: day for name, day in (("from", since), ("to", until)) if day is not None}
    return await _book(request, "/book", query, min_position, wait_ms)


async def tiers(request: Request, min_position: MinPosition = None, wait_ms: WaitMs = WAIT_MS_DEFAULT) -> Response:
    """How many customers are in each grade, what they brought, and what the grade is for."""
    return await _book(request, "/tiers", {}, min_position, wait_ms)


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
