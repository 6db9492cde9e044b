"""Segments: which there are, defining one, who is in it and what they are worth, and why a customer is in or out.

Owns the routes, their words and their shapes. What a definition must contain is domain/segments.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Annotated, Any
from uuid import UUID

from aiokafka.errors import KafkaError
from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from services.profile import domain, inputs, views
from services.profile.api.doors import WAIT_MS_DEFAULT, Doors, MinPosition, WaitMs, fresh_headers, shown
from services.profile.api.finding import FoundCustomer
from services.profile.domain import listing
from services.profile.domain.segments import Segment, scopes_needed
from services.profile.views import segments as memberships
from services.runtime import control, review, telemetry
from services.runtime.http import Problem, answer

MEMBERS_MAX = 100
BODY_BYTES_MAX = 64_000
DETAIL_CHARS_MAX = 8_000


class SegmentAnswer(BaseModel):
    """A segment as it was set last; `size`: how many are in it."""

    segment_id: str
    name: str
    version: int
    within: str | None
    description: str | None
    where: dict[str, Any]
    size: int


class SegmentsAnswer(BaseModel):
    """All segments by id. `reviewed`: whether everybody was looked at since one was changed last."""

    segments: list[SegmentAnswer]
    reviewed: bool


class SegmentCommand(BaseModel):
    """A segment. `where`: {"field", and one of is, in, above, within_days, …}, {"all"}, {"any"}, {"not"} or {"cel"}.

    `within`: the segment it is a part of. Everything that is wrong with it is told at once.
    """

    model_config = ConfigDict(extra="allow")

    segment_id: Any = None
    name: Any = None
    where: Any = None
    within: Any = None
    description: Any = None


class Member(FoundCustomer):
    """A customer in the segment, as he is listed, and since when he is in it."""

    since: str


class MembersAnswer(BaseModel):
    """A page by customer id; ask again with `cursor=next_cursor` until that is null."""

    members: list[Member]
    next_cursor: str | None
    masked: list[str]


class Revenue(BaseModel):
    """What those of the members brought who pay in this currency."""

    currency: str
    revenue: str
    customers: int


class SummaryAnswer(BaseModel):
    """How many, what they brought and how they are graded; the last two null without `value:read`."""

    segment_id: str
    size: int
    revenue: list[Revenue] | None
    tiers: dict[str, int] | None
    masked: list[str]


class Around(BaseModel):
    """A segment that the one asked about is a part of."""

    segment_id: str
    holds: bool
    conditions: dict[str, Any]


class WhyAnswer(BaseModel):
    """Whether the customer fits now, condition by condition with the actual values; `since`: when he was let in."""

    customer_id: str
    segment_id: str
    version: int
    member: bool
    since: str | None
    conditions: dict[str, Any]
    within: list[Around]


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
            await _tell(doors, connection)
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


async def _tell(doors: Doors, connection: Any) -> None:
    try:
        await control.tell(doors.settings, connection, "profile")
    except (KafkaError, OSError, TimeoutError) as error:
        # It counts, and is told with the next change or the next start of a worker.
        telemetry.log.warning("control_untold", error=telemetry.where(error))


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
    next_cursor = found[limit - 1][0] if len(found) > limit else None
    return await doors.answered({"members": listed, "next_cursor": next_cursor, "masked": masked})


async def summary(
    request: Request, segment_id: str, min_position: MinPosition = None, wait_ms: WaitMs = WAIT_MS_DEFAULT
) -> Response:
    """How many are in the segment, what they brought by currency, how many are in each tier."""
    doors, _ = await _asked(request, segment_id, min_position, wait_ms)
    key = await doors.access.check(request, "profile:read")
    worth = "value:read" in key.scopes
    pool = await doors.database.pool()
    async with pool.acquire() as connection:
        size = (await memberships.sizes(connection)).get(segment_id, 0)
        revenue = await memberships.worth(connection, segment_id) if worth else None
        tiers = await memberships.tiers(connection, segment_id) if worth else None
    found = {"segment_id": segment_id, "size": size, "revenue": revenue, "tiers": tiers}
    return await doors.answered({**found, "masked": [] if worth else ["revenue", "tiers"]})


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
