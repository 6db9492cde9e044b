"""What was said between us and a customer: conversations, where they resume, what was asked, feedback.

Owns these routes and their words. Interaction answers; what a key may not see is masked here.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from services.profile import domain
from services.profile.api.doors import WAIT_MS_DEFAULT, Doors, MinPosition, WaitMs, passed_on
from services.profile.dialogue_shapes import (
    ConversationsAnswer,
    FeedbackAnswer,
    KnownAnswer,
    KnownQuestionsAnswer,
    ResumeAnswer,
)
from services.profile.domain.segments.comparing import RARE_BELOW
from services.profile.views import segments as memberships
from services.runtime.http import Problem

CONVERSATIONS_MAX = 100
QUESTION_CHARS_MAX = 500
MEMBERS_MAX = 100_000
"""Members of a segment whose feedback is added up at once."""
MONTH = r"^\d{4}-(0[1-9]|1[0-2])$"

State = Literal["open", "waiting_for_us", "waiting_for_customer", "closed"]


async def conversations(
    request: Request,
    customer_id: str,
    state: Annotated[State | None, Query(description="`open`: all that are not closed")] = None,
    limit: Annotated[int, Query(ge=1, le=CONVERSATIONS_MAX)] = 50,
    min_position: MinPosition = None,
    wait_ms: WaitMs = WAIT_MS_DEFAULT,
) -> Response:
    """A customer's conversations over all channels, the newest first, with what is open in each."""
    query = {"limit": str(limit), **({"state": state} if state else {})}
    said = _Said(request, customer_id, min_position, wait_ms)
    return await said.answered("conversations", query, ConversationsAnswer)


async def resume(
    request: Request,
    customer_id: str,
    channel: Annotated[str | None, Query(max_length=64, description="What was said there comes first")] = None,
    min_position: MinPosition = None,
    wait_ms: WaitMs = WAIT_MS_DEFAULT,
) -> Response:
    """Where we left off, for whoever talks to the customer next: nobody explains himself twice."""
    said = _Said(request, customer_id, min_position, wait_ms)
    asked = await said.asked("conversations/resume", {"channel": channel} if channel else {})
    if asked.status_code != 200:
        return passed_on(asked)
    contact = domain.document(customer_id, said.told, ["contact"], 0, None, said.doors.now)["contact"] or {}
    spared = {one["question_id"] for one in asked.json()["do_not_ask"]}
    ask_next = [one for one in contact.get("ask_next", ()) if one["ask_for"] not in spared]
    greeting = (contact.get("traits") or {}).get("firstName") or contact.get("name")
    return await said.shown({**asked.json(), "greeting_name": greeting, "ask_next": ask_next}, ResumeAnswer)


async def known(
    request: Request,
    customer_id: str,
    question: Annotated[
        str | None, Query(max_length=QUESTION_CHARS_MAX, description="A question's id or its text; all when absent")
    ] = None,
    min_position: MinPosition = None,
    wait_ms: WaitMs = WAIT_MS_DEFAULT,
) -> Response:
    """What was asked before and answered, so that nobody asks twice."""
    said = _Said(request, customer_id, min_position, wait_ms)
    model = KnownAnswer if question else KnownQuestionsAnswer
    return await said.answered("known", {"question": question} if question else {}, model)


async def feedback(
    request: Request, customer_id: str, min_position: MinPosition = None, wait_ms: WaitMs = WAIT_MS_DEFAULT
) -> Response:
    """What the customer was asked in surveys and answered, and whether a bad answer was followed up."""
    return await _Said(request, customer_id, min_position, wait_ms).answered("feedback", {}, FeedbackAnswer)


async def totals(
    request: Request,
    since: Annotated[str | None, Query(alias="from", pattern=MONTH, description="YYYY-MM, inclusive")] = None,
    until: Annotated[str | None, Query(alias="to", pattern=MONTH, description="YYYY-MM, exclusive")] = None,
) -> Response:
    """Everybody's feedback by month: scores of each scale, NPS, response rates."""
    doors: Doors = request.app.state.doors
    await doors.access.check(request, "events:read")
    query = {name: month for name, month in (("from", since), ("to", until)) if month}
    asked = await doors.part("interaction", "/feedback", query)
    return passed_on(asked) if asked.status_code != 200 else await doors.answered(asked.json())


async def totals_of_segment(
    request: Request,
    segment_id: str,
    since: Annotated[str | None, Query(alias="from", pattern=MONTH, description="YYYY-MM, inclusive")] = None,
    until: Annotated[str | None, Query(alias="to", pattern=MONTH, description="YYYY-MM, exclusive")] = None,
    min_position: MinPosition = None,
    wait_ms: WaitMs = WAIT_MS_DEFAULT,
) -> Response:
    """The feedback of a segment's members of today, by month; without profile:pii none of fewer than five."""
    doors: Doors = request.app.state.doors
    key = await doors.access.check(request, "events:read")
    await doors.reach(min_position, wait_ms)
    if segment_id not in await doors.segments():
        raise Problem("not-found", "no such segment")
    pool = await doors.database.pool()
    async with pool.acquire() as connection:
        found = await memberships.members(connection, segment_id, memberships.FIRST, MEMBERS_MAX + 1)
    if len(found) > MEMBERS_MAX:
        raise Problem("too-large", f"feedback is added up over at most {MEMBERS_MAX:,} members")
    least = "1" if "profile:pii" in key.scopes else str(RARE_BELOW)
    query = {"least": least, **{name: month for name, month in (("from", since), ("to", until)) if month}}
    asked = await doors.summed("interaction", "/feedback", query, {"customers": [member for member, _ in found]})
    if asked.status_code != 200:
        return passed_on(asked)
    told = asked.json()
    masked = told.pop("hidden")
    return await doors.answered({"segment_id": segment_id, "members": len(found), **told, "masked": masked})


class _Said:
    """One customer, asked of interaction for a key that may read what was said."""

    def __init__(self, request: Request, customer_id: str, min_position: str | None, wait_ms: int) -> None:
        self.doors: Doors = request.app.state.doors
        self._request, self._customer_id = request, customer_id
        self._reach = min_position, wait_ms
        self.told: domain.Told

    async def asked(self, page: str, query: dict[str, str]) -> Any:
        """What interaction answers. Raises Problem."""
        self._key = await self.doors.access.check(self._request, "events:read")
        await self.doors.reach(*self._reach)
        self.told = await self.doors.today(self._customer_id)
        return await self.doors.part("interaction", f"/customers/{self.told.customer_id}/{page}", query)

    async def answered(self, page: str, query: dict[str, str], model: type[BaseModel]) -> Response:
        """That answer as this key may see it."""
        asked = await self.asked(page, query)
        return passed_on(asked) if asked.status_code != 200 else await self.shown(asked.json(), model)

    async def shown(self, found: dict[str, Any], model: type[BaseModel]) -> Response:
        """An answer, what is personal in it masked for a key without `profile:pii`."""
        if "profile:pii" in self._key.scopes:
            return await self.doors.answered({**found, "masked": []})
        return await self.doors.answered(domain.masked_answer(found, model))
