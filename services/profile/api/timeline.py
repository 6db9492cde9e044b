"""A customer's timeline: what happened, what of it was taken back, and when two customers became one or were parted.

Owns this route and its words. Interaction tells events, identity its lines; what a key may not see is masked here.
"""

from __future__ import annotations

import asyncio
from typing import Annotated

import httpx
from fastapi import Query, Request
from starlette.responses import Response

from schemas.codec import read_json_exactly
from services.profile.api.doors import WAIT_MS_DEFAULT, Doors, MinPosition, WaitMs, fresh_headers, passed_on
from services.profile.domain import lines
from services.runtime.http import answer_exactly

ITEMS_MAX = 200
PROPERTIES, DECISIONS = "properties", "decisions"


async def timeline(
    request: Request,
    customer_id: str,
    limit: Annotated[int, Query(ge=1, le=ITEMS_MAX)] = 50,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before")] = None,
    channel: str | None = None,
    type: str | None = None,
    direction: str | None = None,
    since: Annotated[str | None, Query(alias="from", description="RFC 3339, inclusive")] = None,
    until: Annotated[str | None, Query(alias="to", description="RFC 3339, exclusive")] = None,
    include: Annotated[
        str | None,
        Query(
            description="`properties`: payloads; `corrections`: events that were taken back too; `decisions`: when"
            " two customers became one or were parted, and what operators said of them. Several with commas"
        ),
    ] = None,
    min_position: MinPosition = None,
    wait_ms: WaitMs = WAIT_MS_DEFAULT,
) -> Response:
    """A customer's history, newest first; filters: channel, type, direction, from, to; more of it by include."""
    doors: Doors = request.app.state.doors
    key = await doors.access.check(request, "events:read")
    await doors.reach(min_position, wait_ms)
    now = await doors.id_today(customer_id)
    named = {"cursor": cursor, "channel": channel, "type": type, "direction": direction, "from": since, "to": until}
    query = {**{k: v for k, v in named.items() if v is not None}, "limit": str(limit)}
    return await _told(doors, now, query, set((include or "").split(",")), "profile:pii" in key.scopes)


async def _told(doors: Doors, customer_id: str, query: dict[str, str], include: set[str], pii: bool) -> Response:
    """A page of it: events, and lines of identity between them where they are asked for."""
    wanted = {one for one in include if one and (pii or one != PROPERTIES)}
    events = doors.part("interaction", f"/customers/{customer_id}/timeline", _including(query, wanted))
    if DECISIONS in wanted and {query.get("channel"), query.get("direction")} <= {None, lines.INTERNAL}:
        asked, decided = await asyncio.gather(events, _lines(doors, customer_id, query))
    else:
        asked, decided = await events, None
    for one in (asked, decided):
        if one is not None and one.status_code != 200:
            return passed_on(one)
    headers = fresh_headers(await doors.chain.freshness())
    if pii and decided is None:
        # As it stands: to read and write fifty events again would cost more than to find them.
        return Response(asked.content, media_type="application/json", headers=headers)
    body = read_json_exactly(asked.content)
    if decided is not None:
        more = body["next_cursor"] is not None
        body = lines.page(body["items"], more, decided.json()["lines"], int(query["limit"]))
    return answer_exactly(body if pii else lines.masked(body), headers)


def _including(query: dict[str, str], wanted: set[str]) -> dict[str, str]:
    return {**query, "include": ",".join(sorted(wanted))} if wanted else query


async def _lines(doors: Doors, customer_id: str, query: dict[str, str]) -> httpx.Response:
    """One line more than the page shows, so that it is known whether there are others."""
    asked: dict[str, str] = {name: query[name] for name in ("cursor", "type", "from", "to") if name in query}
    return await doors.part(
        "identity", f"/customers/{customer_id}/lines", {**asked, "limit": str(int(query["limit"]) + 1)}
    )
