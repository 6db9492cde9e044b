"""What was parked at the doors, put right by hand: GET /parked/content as it was sent, POST /parked/replace.

Owns taking the corrected event in the place of the parked one: read, accepted and acknowledged as from its source,
as if it had come when the first did; then the parked one is discarded. Who dies between takes the same event again,
and its id makes that harmless. Not for the public.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schemas.codec import Unreadable
from services.intake import inputs
from services.intake.domain.accept import accept
from services.intake.domain.accounts import Answered, Cell, minute_of
from services.intake.domain.cloudevents import is_cloudevent, read_structured
from services.intake.domain.model import Accepted, Parked, Received, Source
from services.intake.domain.plans import Plan
from services.intake.domain.reasons import EXPLANATIONS
from services.intake.domain.segment import read_calls
from services.intake.door import BrokerAway, accounting, erasures, mappings, plans
from services.runtime import parked, telemetry
from services.runtime.http import Problem, answer
from services.runtime.parked import Chosen, Place
from services.runtime.parked_pages import read_place
from services.runtime.postgres import Connection
from services.runtime.waiting import write_token


@dataclass(frozen=True, slots=True)
class Standing:
    """A parked record: which source sent it and when, and what it sent."""

    source: str
    parked_at: datetime
    value: bytes


async def content(request: Request) -> Response:
    """A parked record as it was sent, with all that is personal in it: place. For who puts it right."""
    place = read_place(request.query_params.get("place", ""))
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        standing = await _standing(connection, place)
    telemetry.log.info("parked_content_read", place="/".join(map(str, place)))
    return Response(standing.value, media_type="application/octet-stream")


async def replace(request: Request) -> Response:
    """{place, event, by, execute} → {event_id, type, incomplete, position}; without execute only looked at.

    `event` is a CloudEvent or a Segment call. Raises Problem: bad-request with the reason it cannot be taken for,
    not-found, unavailable.
    """
    body = await _body(request)
    place = read_place(str(body["place"]))
    pool = await request.app.state.database.pool()
    async with pool.acquire() as connection:
        standing = await _standing(connection, place)
        source = (await inputs.sources(connection)).get(standing.source.partition("/")[0])
    if source is None:
        raise Problem("bad-request", "its source is not registered; make it by `c360 source create`")
    made, plan = await _accepted(request, source, standing, body["event"])
    told = {"event_id": made.event.event_id, "type": made.event.type, "incomplete": list(made.incomplete)}
    if body.get("execute") is not True:
        return answer({**told, "position": None})
    try:
        ends = await request.app.state.publisher.publish([made])
    except BrokerAway:
        raise Problem("unavailable", "the log does not answer; say it again", {"Retry-After": "1"}) from None
    async with pool.acquire() as connection, connection.transaction():
        if plan is not None and (broken := plans.broken_by([made])):
            await plans.note(connection, source.name, plan.version, broken)
        await accounting.add(connection, {Cell(source.name, minute_of(made.event.received)): Answered(taken=1)})
        because = f"replaced by {made.event.event_id}"
        await parked.discard(connection, "intake", Chosen(place=place), because, str(body["by"]))
    return answer({**told, "position": write_token(ends)})


REPLACING_ROUTES = [
    Route("/parked/content", content),
    Route("/parked/replace", replace, methods=["POST"]),
]


async def _body(request: Request) -> Mapping[str, Any]:
    try:
        body = orjson.loads(await request.body())
        place, event, by = body["place"], body["event"], body["by"]
    except (TypeError, ValueError, KeyError):
        raise Problem("bad-request", "say place, event, by and execute") from None
    return {"place": place, "event": event, "by": by, "execute": body.get("execute")}


async def _standing(connection: Connection, place: Place) -> Standing:
    row = await connection.fetchrow(
        "SELECT source, parked_at, value FROM parked WHERE (topic, partition, first_offset) = ($1, $2, $3)", *place
    )
    if row is None:
        raise Problem("not-found", "nothing is parked there")
    return Standing(row["source"], row["parked_at"], bytes(row["value"] or b""))


async def _accepted(
    request: Request, source: Source, standing: Standing, document: Any
) -> tuple[Accepted, Plan | None]:
    """The corrected event as the door would take it, and its source's plan. Raises Problem."""
    database, key = request.app.state.database, request.app.state.settings.key_bytes
    own = await mappings.Mappings(database).of(source.name)
    try:
        read = read_structured(document) if is_cloudevent(document) else read_calls(document, None, own)
    except Unreadable as broken:
        raise Problem("bad-request", f"event: {EXPLANATIONS.get(broken.reason, broken.reason)}") from None
    if len(read) != 1:
        raise Problem("bad-request", "event is one event")
    plan = await plans.Plans(database).of(source.name)
    taken = accept(read[0], Received(standing.parked_at, source, plan), key)
    if isinstance(taken, Parked):
        detail = f" ({taken.detail})" if taken.detail else ""
        raise Problem("bad-request", f"event: {taken.reason}: {EXPLANATIONS.get(taken.reason, '')}{detail}")
    (spared,) = await erasures.Erased(database, key).spare([taken])
    if not isinstance(spared, Accepted):
        raise Problem("erased", "whose event it is was erased")
    return spared, plan
