"""What a customer needs next: /customers/{id}/recommendations.

Owns the route and its answer's shape; value works the lists out, of what he and everybody bought.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from schemas.worth import Next
from services.profile.api.doors import WAIT_MS_DEFAULT, Doors, MinPosition, WaitMs, passed_on

LIMIT_MAX = 100


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
