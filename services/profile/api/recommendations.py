"""What a customer needs next: /customers/{id}/recommendations, and the first of it wherever his value is asked for.

Owns the route, the shape of its answer, and what is said where the lists do not come in time; value works them out
of what he and everybody bought.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request
from starlette.responses import Response

from schemas.worth import Next
from services.profile.api.doors import WAIT_MS_DEFAULT, Doors, MinPosition, WaitMs, passed_on
from services.runtime import telemetry
from services.runtime.http import Problem

LIMIT_MAX = 100
FOREMOST = 3
"""How many of each list stand in `value.next`."""
NEXT = "value.next"
"""As it is named in `meta.missing`."""


class RecommendationsAnswer(Next):
    """Two lists, the best first, as of a business day; scores of one list compare, those of both do not."""

    customer_id: str
    requested_id: str
    as_of: str


async def recommendations(
    request: Request,
    customer_id: str,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX, description="How many of each list")] = 10,
    min_position: MinPosition = None,
    wait_ms: WaitMs = WAIT_MS_DEFAULT,
) -> Response:
    """What a customer is likely to buy again, and what he may want that he has not bought, each with its reason."""
    doors: Doors = request.app.state.doors
    await doors.access.check(request, "value:read")
    await doors.reach(min_position, wait_ms)
    now = await doors.id_today(customer_id)
    asked = await doors.part("value", f"/customers/{now}/recommendations", {"limit": str(limit)})
    if asked.status_code != 200:
        return passed_on(asked)
    return await doors.answered({"customer_id": now, "requested_id": customer_id, **asked.json()})


async def foremost(doors: Doors, customer_id: str) -> dict[str, Any] | None:
    """The first of each list for `value.next`; None where value does not answer in time, which is logged."""
    try:
        asked = await doors.part("value", f"/customers/{customer_id}/recommendations", {"limit": str(FOREMOST)})
    except Problem:
        return None
    if asked.status_code != 200:
        telemetry.log.warning("part_unavailable", part=NEXT, status=asked.status_code)
        return None
    found = asked.json()
    return {name: found[name] for name in Next.model_fields}


async def with_next(doors: Doors, doc: dict[str, Any]) -> dict[str, Any]:
    """The document with `value.next`, or with its lack among what is missing; as it is, of who has no value."""
    if not doc.get("value"):
        return doc
    found, meta = await foremost(doors, doc["customer_id"]), doc["meta"]
    missing = meta["missing"] if found is not None else [*meta["missing"], NEXT]
    return {**doc, "value": {**doc["value"], "next": found}, "meta": {**meta, "missing": missing}}
