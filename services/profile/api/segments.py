"""Segments: which there are, defining one, who is in it and what they are worth, and why a customer is in or out.

Owns the routes and their words. What a definition must contain is domain/segments.
"""

from __future__ import annotations

import asyncio
from collections.abc import Container, Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from services.profile import domain, inputs, views
from services.profile.api.doors import WAIT_MS_DEFAULT, Doors, MinPosition, WaitMs, fresh_headers, shown, tells_of
from services.profile.api.finding import FoundCustomer
from services.profile.domain import listing
from services.profile.domain.segments import Segment, comparing, scopes_needed
from services.profile.segment_shapes import SegmentCommand
from services.profile.views import segments as memberships
from services.runtime import control, review
from services.runtime.http import Problem, answer

MEMBERS_MAX = 100
BODY_BYTES_MAX = 64_000
DETAIL_CHARS_MAX = 8_000
COMPARED_MAX = 1_000
"""Members that a summary looks at, and as many others. Ids are hashes: the first of them are a fair sample."""
READ_AT_ONCE = 50
COMPARED = ("needs", "interaction", "value")
WORTH = ("revenue", "tiers", "compared.areas")
RARE = ("compared.needs", "compared.gaps")


class Member(FoundCustomer):
    """A customer in the segment, as he is listed, and since when he is in it."""

    since: str


class MembersAnswer(BaseModel):
    """A page by customer id; ask again with `cursor=next_cursor` until that is null."""

    members: list[Member]
    next_cursor: str | None
    masked: list[str]


async def segments(request: Request, min_position: MinPosition = None, wait_ms: WaitMs = WAIT_MS_DEFAULT) -> Response:
    """All segments with how many are in each."""
    doors: Doors = request.app.state.doors
    await doors.access.check(request, "profile:read")
    await doors.reach(min_position, wait_ms)
    defined = await doors.segments()
    pool = await doors.database.pool()
    async with pool.acquire() as connection:
        sizes = await memberships.sizes(connection)
        number = await memberships.number(connection)
        reviewed = number is None or await review.is_done(connection, number)
    listed = [{**one.shown(), "size": sizes.get(segment_id, 0)} for segment_id, one in sorted(defined.items())]
    return await doors.answered({"segments": listed, "reviewed": reviewed})


async def define(
    request: Request,
    body: SegmentCommand,
    execute: Annotated[bool, Query(description="false: only say what would be wrong with it")] = True,
) -> Response:
    """Define a segment, or change one: its version counts on, and everybody is looked at again in the background."""
    doors: Doors = request.app.state.doors
    key = await doors.access.check(request, "segments:write")
    if len(await request.body()) > BODY_BYTES_MAX:
        raise Problem("too-large", f"a segment has at most {BODY_BYTES_MAX:,} bytes")
    sent = body.model_dump()
    segment_id = sent.pop("segment_id")
    if not isinstance(segment_id, str):
        segment_id = ""
    defined = await doors.segments()
    pool = await doors.database.pool()
    async with pool.acquire() as connection:
        try:
            _may_define(key, segment_id, sent, defined)
            by = f"{key.name} ({key.key_id})"
            after, new = await inputs.define(connection, segment_id, sent, by, execute=execute)
        except LookupError:
            raise Problem("unavailable", "no worker has begun yet", {"Retry-After": "1"}) from None
        except ValueError as wrong:
            # What was sent is repeated in it, and may be no Unicode text.
            told = str(wrong).encode(errors="backslashreplace").decode()[:DETAIL_CHARS_MAX]
            raise Problem("bad-request", told) from None
        if execute:
            await control.tell_or_later(doors.settings, connection, "profile")
        size = (await memberships.sizes(connection)).get(segment_id, 0)
    one = {"within": None, "description": None, **after}
    return answer({"segment_id": segment_id, **one, "size": size}, status=201 if new and execute else 200)


def _may_define(key: inputs.ApiKey, segment_id: str, sent: Mapping[str, Any], defined: Container[str]) -> None:
    """Raises ValueError for what is no segment, and Problem("forbidden") for one by what the key may not see."""
    errors = ["version: it is counted here"] if "version" in sent else []
    within = sent.get("within")
    if isinstance(within, str) and within != segment_id and within not in defined:
        errors.append(f"within: there is no segment {within}")
    try:
        inputs.check_segment(segment_id, sent)
    except ValueError as wrong:
        errors.append(str(wrong))
    if errors:
        raise ValueError("; ".join(errors))
    lacking = sorted(scopes_needed(sent["where"]) - key.scopes)
    if lacking:
        raise Problem("forbidden", f"where: it asks for what only {', '.join(lacking)} may see")


async def segment(
    request: Request, segment_id: str, min_position: MinPosition = None, wait_ms: WaitMs = WAIT_MS_DEFAULT
) -> Response:
    """One segment as it was set last."""
    doors, one = await _asked(request, segment_id, min_position, wait_ms)
    pool = await doors.database.pool()
    async with pool.acquire() as connection:
        sizes = await memberships.sizes(connection)
    return await doors.answered({**one.shown(), "size": sizes.get(segment_id, 0)})


async def members(
    request: Request,
    segment_id: str,
    limit: Annotated[int, Query(ge=1, le=MEMBERS_MAX)] = 50,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before")] = None,
    min_position: MinPosition = None,
    wait_ms: WaitMs = WAIT_MS_DEFAULT,
) -> Response:
    """Who is in the segment, by customer id."""
    doors, _ = await _asked(request, segment_id, min_position, wait_ms)
    key = await doors.access.check(request, "profile:read")
    try:
        after = memberships.FIRST if cursor is None else str(UUID(cursor))
    except ValueError:
        raise Problem("bad-request", "cursor is the next_cursor of the page before") from None
    pool = await doors.database.pool()
    async with pool.acquire() as connection:
        found = await memberships.members(connection, segment_id, after, limit + 1)
        told = await views.customers(connection, [customer for customer, _ in found[:limit]])
    pii, worth = "profile:pii" in key.scopes, "value:read" in key.scopes
    listed = [
        {**listing.item(told[customer], pii=pii, worth=worth), "since": since}
        for customer, since in found[:limit]
        if customer in told and told[customer].exists
    ]
    masked = [path.replace("items", "members") for path in listing.hidden(pii=pii, worth=worth)]
    tells_of(request, listed)
    next_cursor = found[limit - 1][0] if len(found) > limit else None
    return await doors.answered({"members": listed, "next_cursor": next_cursor, "masked": masked})


async def remove(
    request: Request,
    segment_id: str,
    execute: Annotated[bool, Query(description="false: only say who would leave it")] = True,
) -> Response:
    """Remove a segment; whoever is in it leaves it in the background. Refused while another one is a part of it."""
    doors: Doors = request.app.state.doors
    key = await doors.access.check(request, "segments:write")
    pool = await doors.database.pool()
    async with pool.acquire() as connection:
        size = (await memberships.sizes(connection)).get(segment_id, 0)
        try:
            by = f"{key.name} ({key.key_id})"
            version = await inputs.undefine(connection, segment_id, by, execute=execute)
        except LookupError:
            raise Problem("unavailable", "no worker has begun yet", {"Retry-After": "1"}) from None
        except ValueError as wrong:
            raise Problem("refused", str(wrong)) from None
        if version is None:
            raise Problem("not-found", "no such segment")
        if execute:
            await control.tell_or_later(doors.settings, connection, "profile")
    return answer({"segment_id": segment_id, "version": version, "size": size, "executed": execute})


async def summary(
    request: Request, segment_id: str, min_position: MinPosition = None, wait_ms: WaitMs = WAIT_MS_DEFAULT
) -> Response:
    """How many are in the segment, what they brought, how they are graded; what they need, use and lack."""
    doors, one = await _asked(request, segment_id, min_position, wait_ms)
    key = await doors.access.check(request, "profile:read")
    worth, pii = "value:read" in key.scopes, "profile:pii" in key.scopes
    pool = await doors.database.pool()
    async with pool.acquire() as connection:
        size = (await memberships.sizes(connection)).get(segment_id, 0)
        revenue = await memberships.worth(connection, segment_id) if worth else None
        tiers = await memberships.tiers(connection, segment_id) if worth else None
        sample = await memberships.sample(connection, segment_id, COMPARED_MAX)
        others = await memberships.similar(connection, segment_id, one.segment.within, sample)
    members = await _counted(doors, list(sample))
    found = {"segment_id": segment_id, "size": size, "revenue": revenue, "tiers": tiers}
    similar = await _counted(doors, others)
    if not pii:
        members.forget_rare()
        similar.forget_rare()
    found["compared"] = _compared(members, similar, worth)
    masked = [*(() if worth else WORTH), *(() if pii else RARE)]
    return await doors.answered({**found, "masked": masked})


async def _counted(doors: Doors, customers: Sequence[str]) -> comparing.Counted:
    """What these customers need, use, buy and say, read a few at a time."""
    counted, now = comparing.Counted(), doors.now
    pool = await doors.database.pool()
    for start in range(0, len(customers), READ_AT_ONCE):
        async with pool.acquire() as connection:
            told = await views.customers(connection, customers[start : start + READ_AT_ONCE])
        for one in told.values():
            if one.exists:
                counted.add(domain.document(one.customer_id, one, COMPARED, 0, None, now))
        # The process answers others too.
        await asyncio.sleep(0)
    return counted


def _compared(members: comparing.Counted, similar: comparing.Counted, worth: bool) -> dict[str, Any]:
    kinds = comparing.KINDS if worth else tuple(kind for kind in comparing.KINDS if kind != "areas")
    told: dict[str, Any] = {kind: comparing.shares(members, similar, kind) for kind in kinds}
    return {
        "members": members.customers,
        "similar": similar.customers,
        "areas": None,
        **told,
        "feedback": comparing.feedback(members, similar),
        "gaps": comparing.gaps(members, similar, kinds),
    }


async def why(
    request: Request,
    customer_id: str,
    segment_id: str,
    min_position: MinPosition = None,
    wait_ms: WaitMs = WAIT_MS_DEFAULT,
) -> Response:
    """Why a customer is in a segment, or is not: every condition with the actual value, of this moment."""
    doors, asked = await _asked(request, segment_id, min_position, wait_ms)
    key = await doors.access.check(request, "profile:read")
    told = await doors.today(customer_id)
    defined = await doors.segments()
    pool = await doors.database.pool()
    async with pool.acquire() as connection:
        since = await memberships.since(connection, segment_id, told.customer_id)
    fresh, now = await doors.chain.freshness(), doors.now
    document = domain.document(customer_id, told, (), 0, None, now)
    visible = shown(customer_id, told, [], key, fresh, now)
    judging = memberships.judging(defined)

    def judged(one: Segment) -> dict[str, Any]:
        held = one.judged(document, now.us)
        return {"holds": held.holds, "conditions": held.shown(one.judged(visible, now.us))}

    own = judged(asked.segment)
    around = [{"segment_id": i, **judged(judging.by_id[i])} for i in judging.around(asked.segment)]
    found = {
        "customer_id": told.customer_id,
        "segment_id": segment_id,
        "version": asked.segment.version,
        "member": own["holds"] and all(one["holds"] for one in around),
        "since": since,
        "conditions": own["conditions"],
        "within": around,
    }
    return answer(found, headers=fresh_headers(fresh))


async def _asked(
    request: Request, segment_id: str, min_position: str | None, wait_ms: int
) -> tuple[Doors, memberships.Definition]:
    """The doors and the segment asked about. Raises Problem."""
    doors: Doors = request.app.state.doors
    await doors.access.check(request, "profile:read")
    await doors.reach(min_position, wait_ms)
    one = (await doors.segments()).get(segment_id)
    if one is None:
        raise Problem("not-found", "no such segment")
    return doors, one
