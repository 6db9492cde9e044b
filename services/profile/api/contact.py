"""What is wrong with everybody's contact today, in pages by customer id.

Owns the route, its words and its shape. Issues depend on the day, so nobody stores them: they are worked out of the
stored sections, at most LOOKED_AT_MAX of them for one answer.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from services.profile import domain, views
from services.profile.api.doors import WAIT_MS_DEFAULT, Doors, MinPosition, WaitMs, tells_of
from services.runtime.http import Problem

ISSUES_MAX = 1_000
LOOKED_AT_MAX = 2_000
"""Customers whose sections one answer reads."""
READ_AT_ONCE = 50
"""Between two reads the process does its other work; this many take it some milliseconds."""
FIRST = str(UUID(int=0))
SHOWN = ("code", "value", "since", "ask_for")


class IssueOf(BaseModel):
    """One issue of one customer."""

    customer_id: str
    code: str
    value: Any
    since: str | None
    ask_for: str


class IssuesAnswer(BaseModel):
    """A page of issues on a business day; ask again with `cursor=next_cursor` until that is null.

    `totals` counts issues of every code over the `customers` this page looked at: those of all pages add up to
    everybody's.
    """

    day: str
    issues: list[IssueOf]
    totals: dict[str, int]
    customers: int
    next_cursor: str | None
    masked: list[str]


async def issues(
    request: Request,
    code: Annotated[str | None, Query(description=f"One of {', '.join(domain.CODES)}; all when absent")] = None,
    limit: Annotated[
        int, Query(ge=0, le=ISSUES_MAX, description="Issues at most, but a customer's stay together; 0: only totals")
    ] = 100,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before")] = None,
    min_position: MinPosition = None,
    wait_ms: WaitMs = WAIT_MS_DEFAULT,
) -> Response:
    """What is wrong with the contact of whom, by customer id; a page may be short, or empty, and not be the last."""
    doors: Doors = request.app.state.doors
    key = await doors.access.check(request, "profile:read")
    if code is not None and code not in domain.CODES:
        raise Problem("bad-request", f"code is one of {', '.join(domain.CODES)}")
    after = _after(cursor)
    await doors.reach(min_position, wait_ms)
    page = Page(doors.now, code, limit)
    await page.fill(doors, after)
    told = page.answer()
    tells_of(request, told["issues"])
    if "profile:pii" not in key.scopes:
        told |= {"issues": domain.masked_issues(told["issues"]), "masked": ["issues[].value"]}
    return await doors.answered(told)


def _after(cursor: str | None) -> str:
    try:
        return str(UUID(cursor)) if cursor is not None else FIRST
    except ValueError:
        raise Problem("bad-request", "cursor is the next_cursor of the page before") from None


class Page:
    """What one answer has looked at so far."""

    def __init__(self, now: domain.Now, code: str | None, limit: int) -> None:
        self.now, self.code, self.limit = now, code, limit
        self.issues: list[dict[str, Any]] = []
        self.totals: Counter[str] = Counter()
        self.customers = 0
        self.next_cursor: str | None = None

    async def fill(self, doors: Doors, after: str) -> None:
        """Look at customers with greater ids until the page is full, or long enough, or there are none."""
        pool = await doors.database.pool()
        for _ in range(LOOKED_AT_MAX // READ_AT_ONCE):
            async with pool.acquire() as connection:
                read = await views.identities(connection, after, READ_AT_ONCE)
            for customer_id, body in read:
                if body is not None and not self._take(customer_id, domain.contact(body, None, self.now)["issues"]):
                    self.next_cursor = after
                    return
                after = customer_id
            if len(read) < READ_AT_ONCE:
                return
        self.next_cursor = after

    def _take(self, customer_id: str, found: list[dict[str, Any]]) -> bool:
        """Whether this customer still has room here."""
        listed = [i for i in found if self.code in (None, i["code"])] if self.limit else []
        if listed and self.issues and len(self.issues) + len(listed) > self.limit:
            return False
        self.issues += [{"customer_id": customer_id, **{name: i[name] for name in SHOWN}} for i in listed]
        self.totals.update(i["code"] for i in found)
        self.customers += 1
        return True

    def answer(self) -> dict[str, Any]:
        """As it is sent, nothing masked."""
        totals = {code: self.totals[code] for code in domain.CODES}
        return {
            "day": self.now.day.isoformat(), "issues": self.issues, "totals": totals, "customers": self.customers,
            "next_cursor": self.next_cursor, "masked": [],
        }  # fmt: skip
