"""Who read personal data of whom, for ops.

Owns the route, its words and its shape. Noting reads is services/profile/access/auditing.py.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from schemas.envelope import rfc3339
from schemas.events.fields import moment_of
from schemas.opaque import read_opaque, write_opaque
from services.profile import views
from services.profile.api.doors import Doors
from services.profile.inputs import reads
from services.profile.inputs.reads import Place
from services.runtime.http import Problem, answer

READS_MAX = 200

Moment = Annotated[str | None, Query(max_length=64, description="RFC 3339; minutes are counted as a whole")]


class ReadAnswer(BaseModel):
    """What a key read of a customer by one call in one minute. `customer_id`: as it was asked for."""

    customer_id: str
    key_id: str
    key_name: str
    scopes: list[str]
    call: str
    reads: int
    first_at: str
    last_at: str


class ReadsAnswer(BaseModel):
    """The newest first; ask again with `cursor=next_cursor` until that is null."""

    reads: list[ReadAnswer]
    next_cursor: str | None


async def listed(
    request: Request,
    customer_id: Annotated[UUID | None, Query(description="A customer, under any id he had")] = None,
    key_id: Annotated[str | None, Query(max_length=64)] = None,
    since: Annotated[Moment, Query(alias="from")] = None,
    until: Annotated[Moment, Query(alias="to")] = None,
    limit: Annotated[int, Query(ge=1, le=READS_MAX)] = 50,
    cursor: Annotated[str | None, Query(max_length=1_024, description="`next_cursor` of the page before")] = None,
) -> Response:
    """Which keys read personal data of whom, and when: what was answered to a key with `profile:pii`."""
    doors: Doors = request.app.state.doors
    await doors.access.check(request, "ops:admin")
    moments = [moment_of(text) if text is not None else None for text in (since, until)]
    for name, text, moment in zip(("from", "to"), (since, until), moments, strict=True):
        if text is not None and moment is None:
            raise Problem("bad-request", f"{name}: RFC 3339 with a zone")
    before = _place(cursor)
    await doors.auditing.write()
    pool = await doors.database.pool()
    async with pool.acquire() as connection:
        ids = await views.ids_of(connection, str(customer_id)) if customer_id is not None else None
        rows = await reads.listed(connection, ids, key_id, moments[0], moments[1], before, limit + 1)
    return answer({"reads": [_shown(row) for row in rows[:limit]], "next_cursor": _cursor(rows, limit)})


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    kept = {name: row[name] for name in ("key_id", "key_name", "scopes", "call", "reads")}
    moments = {name: rfc3339(row[name]) for name in ("first_at", "last_at")}
    return {"customer_id": str(row["customer_id"]), **kept, **moments}


def _cursor(rows: list[dict[str, Any]], limit: int) -> str | None:
    if len(rows) <= limit:
        return None
    last = rows[limit - 1]
    place = [last["minute"].isoformat(), str(last["customer_id"]), last["key_id"], last["call"]]
    return write_opaque(place)


def _place(cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    try:
        minute, customer, key_id, call = read_opaque(cursor)
        return datetime.fromisoformat(minute), str(UUID(customer)), str(key_id), str(call)
    except (ValueError, TypeError, AttributeError):
        raise Problem("bad-request", "cursor is the next_cursor of the page before") from None
