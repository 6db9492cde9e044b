"""Accounts, households and teams: what they are called and who belongs to them.

Owns the route, its words and its shape. Identity answers; what a key may not see is masked here.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from schemas.identifiers import GROUP_TYPE, Identifier, normalise, record_id, type_name
from services.profile import domain
from services.profile.api.doors import WAIT_MS_DEFAULT, Doors, MinPosition, WaitMs, passed_on
from services.profile.shapes import TYPE_CHARS_MAX
from services.runtime.http import Problem

MEMBERS_MAX = 100


class GroupMember(BaseModel):
    """A customer who belongs to a group, by so many of his records."""

    customer_id: str
    role: str | None
    since: str
    records: int


class GroupAnswer(BaseModel):
    """An account, household or team; `totals` counts those who belong to it and those who left. No value yet."""

    group_id: str
    record_id: str
    type: str
    kind: str | None
    name: str | None
    traits: dict[str, Any]
    since: str
    members: list[GroupMember]
    next_cursor: str | None
    totals: dict[str, int]
    value: None
    last_contact: str | None
    masked: list[str]


async def group(
    request: Request,
    group_id: str,
    type: Annotated[
        str, Query(max_length=TYPE_CHARS_MAX, description="`group_id.NAMESPACE`, where the source has one")
    ] = GROUP_TYPE,
    limit: Annotated[int, Query(ge=1, le=MEMBERS_MAX)] = MEMBERS_MAX,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before")] = None,
    min_position: MinPosition = None,
    wait_ms: WaitMs = WAIT_MS_DEFAULT,
) -> Response:
    """A group by its record id, or by the id that its source gave it; members by customer id."""
    doors: Doors = request.app.state.doors
    key = await doors.access.check(request, "profile:read")
    records = _records(doors.settings.key_bytes, group_id, type)
    await doors.reach(min_position, wait_ms)
    query = {"limit": str(limit), **({"cursor": cursor} if cursor is not None else {})}
    for record in records:
        asked = await doors.part("identity", f"/groups/{record}", query)
        if asked.status_code != 404:
            break
    if asked.status_code != 200:
        return passed_on(asked)
    found = {**asked.json(), "value": None, "last_contact": None, "masked": []}
    return await doors.answered(found if "profile:pii" in key.scopes else domain.masked_group(found))


def _records(key: bytes, sent: str, sent_type: str) -> list[str]:
    """The records this may mean, the likeliest first. Raises Problem("bad-request")."""
    kind = type_name(sent_type)
    if kind is None or kind.partition(".")[0] != GROUP_TYPE:
        raise Problem("bad-request", f"type is {GROUP_TYPE} or {GROUP_TYPE}.NAMESPACE")
    named = record_id(key, Identifier(kind, normalise(kind, sent)))
    try:
        return [str(UUID(sent)), named]
    except ValueError:
        return [named]
