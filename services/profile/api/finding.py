"""Search: everybody in pages, or who fits a name, an e-mail, a phone number, any id; by tier, by segment.

Owns the route, its words, its cursor and its shape.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from fastapi import Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from schemas.identifiers import record_id
from schemas.opaque import read_opaque, write_opaque
from services.profile import views
from services.profile.api.doors import WAIT_MS_DEFAULT, Doors, MinPosition, WaitMs, tells_of
from services.profile.domain import finding, listing
from services.profile.inputs import ApiKey
from services.profile.shapes import IDENTIFIER_CHARS_MAX
from services.profile.views import search
from services.profile.views import segments as memberships
from services.runtime.http import Problem
from services.runtime.postgres import Connection

CUSTOMERS_MAX = 100
GRADES = ("A", "B", "C", "D")
NO_GRADE = ""
RELEVANCE = "relevance"

Tier = Literal["A", "B", "C", "D"]
Sort = Literal["name", "last_seen", "revenue"]


class FoundCustomer(BaseModel):
    """A customer as he is listed; the first of his e-mails and phones."""

    customer_id: str
    name: str | None
    status: str
    emails: list[str]
    phones: list[str]
    tier: str | None
    last_seen: str | None


class FoundAnswer(BaseModel):
    """A page; ask again with `cursor=next_cursor` until that is null."""

    items: list[FoundCustomer]
    next_cursor: str | None
    masked: list[str]


async def customers(
    request: Request,
    query: Annotated[
        str | None,
        Query(max_length=IDENTIFIER_CHARS_MAX, description="A name (with slips), the beginning of an e-mail, "
              "a phone number or its end, a customer id, TYPE:VALUE, or an id of any type"),
    ] = None,
    segment: Annotated[str | None, Query(description="A segment's id")] = None,
    tier: Annotated[Tier | None, Query(description="A grade; needs value:read")] = None,
    sort: Annotated[
        Sort | None,
        Query(description="name; last_seen, newest first, by quarter hours; revenue, highest first, in each one's own"
              " currency (needs value:read). Else what fits best, or last_seen without a query"),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=CUSTOMERS_MAX)] = 50,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before")] = None,
    min_position: MinPosition = None,
    wait_ms: WaitMs = WAIT_MS_DEFAULT,
) -> Response:  # fmt: skip
    """By name, e-mail, phone or any id, of a tier or segment, in an order; of very many that fit, some are found."""
    doors: Doors = request.app.state.doors
    key = await doors.access.check(request, "profile:read")
    text = (query or "").strip()
    asked = _allowed(key, text, tier, sort)
    order = sort or (RELEVANCE if text else "last_seen")
    pages = Pages(doors, asked, (tier,) if tier else (NO_GRADE, *GRADES), order, limit, segment)
    mark = _mark(text, tier, order, segment)
    after = _place(cursor, mark, order)
    await doors.reach(min_position, wait_ms)
    if segment is not None and segment not in await doors.segments():
        raise Problem("bad-request", "segment: no such segment")
    found, last = await pages.after(after)
    items = await _items(doors, key, [str(row["customer_id"]) for row in found])
    tells_of(request, items)
    told = {"items": items, "next_cursor": _cursor(mark, last) if last is not None else None, "masked": _masked(key)}
    return await doors.answered(told)


def _allowed(key: ApiKey, text: str, tier: str | None, sort: str | None) -> finding.Query | None:
    """What the query means to this key. Raises Problem("forbidden")."""
    if (tier or sort == "revenue") and "value:read" not in key.scopes:
        raise Problem("forbidden", f"{'tier' if tier else 'sort'}: what customers are worth needs value:read")
    if "profile:pii" in key.scopes:
        return finding.read_query(text) if text else None
    if sort == "name":
        raise Problem("forbidden", "sort: names need profile:pii")
    asked = finding.only_ids(text) if text else None
    if text and asked is None:
        detail = "query: names, e-mails and phone numbers are searched with profile:pii; a customer id, TYPE:VALUE of"
        raise Problem("forbidden", f"{detail} an id, or an id with a digit in it, without")
    return asked


def _masked(key: ApiKey) -> list[str]:
    return listing.hidden(pii="profile:pii" in key.scopes, worth="value:read" in key.scopes)


async def _items(doors: Doors, key: ApiKey, ids: Sequence[str]) -> list[dict[str, Any]]:
    pool = await doors.database.pool()
    async with pool.acquire() as connection:
        told = await views.customers(connection, ids)
    pii, worth = "profile:pii" in key.scopes, "value:read" in key.scopes
    # Between the two readings a customer may have gone.
    there = (told[i] for i in ids if i in told and told[i].exists)
    return [listing.item(one, pii=pii, worth=worth) for one in there]


class Pages:
    """What one answer looks for, and its pages."""

    def __init__(
        self,
        doors: Doors,
        asked: finding.Query | None,
        grades: Sequence[str],
        order: str,
        limit: int,
        segment: str | None,
    ) -> None:
        self.doors, self.asked, self.grades, self.order, self.limit = doors, asked, grades, order, limit
        self.segment = segment

    async def after(self, place: Sequence[Any] | None) -> tuple[list[Mapping[str, Any]], Sequence[Any] | None]:
        """The rows after a place, and the place of the last of them where there are more."""
        pool = await self.doors.database.pool()
        async with pool.acquire() as connection:
            if self.asked is None:
                order = search.ORDERS[self.order]
                rows = await search.page(connection, order, self.grades, place, self.limit + 1, self.segment)
                placed = [(order.place(row), row) for row in rows]
            else:
                rows_of, fit = await self._found(connection, self.asked)
                if self.segment is not None:
                    members = await memberships.among(connection, self.segment, sorted(rows_of))
                    rows_of = {customer: row for customer, row in rows_of.items() if customer in members}
                placed = self._sorted(rows_of, fit)
                placed = [(at, row) for at, row in placed if place is None or self._comes_after(at, place)]
        shown = placed[: self.limit]
        return [row for _, row in shown], shown[-1][0] if len(placed) > len(shown) else None

    def _sorted(
        self, rows: Mapping[str, Mapping[str, Any]], fit: Mapping[str, int]
    ) -> list[tuple[tuple[Any, ...], Mapping[str, Any]]]:
        if self.order == RELEVANCE:
            return sorted((((-fit[c], UUID(c)), row) for c, row in rows.items()), key=lambda one: one[0])
        order = search.ORDERS[self.order]
        placed = ((order.place(row), row) for row in rows.values())
        return sorted(placed, key=lambda one: one[0], reverse=order.descending)

    def _comes_after(self, at: Sequence[Any], place: Sequence[Any]) -> bool:
        descending = self.order != RELEVANCE and search.ORDERS[self.order].descending
        return tuple(at) < tuple(place) if descending else tuple(at) > tuple(place)

    async def _found(
        self, connection: Connection, asked: finding.Query
    ) -> tuple[dict[str, Mapping[str, Any]], dict[str, int]]:
        """Customer → row, and how well he fits; the best of all that the query may mean."""
        fit: dict[str, int] = {}
        for customer, score in [*await self._by_records(connection, asked), *await _by_keys(connection, asked)]:
            fit[customer] = max(score, fit.get(customer, 0))
        rows = {str(r["customer_id"]): r for r in await search.rows(connection, sorted(fit), self.grades)}
        for row, score in await self._by_names(connection, asked.words):
            customer = str(row["customer_id"])
            rows[customer] = row
            fit[customer] = max(score, fit.get(customer, 0))
        return rows, fit

    async def _by_records(self, connection: Connection, asked: finding.Query) -> Iterable[tuple[str, int]]:
        ids = [record_id(self.doors.settings.key_bytes, i) for i in asked.records]
        ids += [asked.record_id] if asked.record_id else []
        bound = await views.bindings(connection, ids) if ids else {}
        return [(b.customer_id, finding.EXACT) for b in bound.values()]

    async def _by_names(self, connection: Connection, words: Sequence[str]) -> list[tuple[Mapping[str, Any], int]]:
        """Rows whose name fits every word, and how well; where there is none, rows whose name fits some of them."""
        if not words:
            return []
        by_length = finding.telling(words)
        exactly = [finding.asked_keys(w, unfinished=False, slips=False) for w in by_length]
        nearly = [finding.asked_keys(w, unfinished=w == words[-1]) for w in by_length]
        rows = [
            *await search.by_names(connection, exactly, self.grades),
            *await search.by_names(connection, nearly, self.grades),
        ]
        fit = [(row, score) for row in rows if (score := finding.fitness(words, row["name"]))]
        if fit or len(words) == 1:
            return fit
        some = await search.by_names(connection, [sorted({k for keys in nearly for k in keys})], self.grades)
        return [(row, score) for row in some if (score := finding.fitness(words, row["name"], some=True))]


async def _by_keys(connection: Connection, asked: finding.Query) -> Iterable[tuple[str, int]]:
    exact = [f"i{value}" for value in asked.ids]
    beginnings = [f"e{asked.email}"] if asked.email else []
    if asked.phone:
        beginnings.append("p" + asked.phone[::-1][: finding.PHONE_DIGITS_SURE])
    found = await search.by_keys(connection, exact, beginnings) if exact or beginnings else []
    return [(customer, score) for customer, key in found if (score := _score(key, asked))]


def _score(key: str, asked: finding.Query) -> int:
    kind, value = key[0], key[1:]
    if kind == "p":
        number = value[::-1]
        if asked.phone is None or not finding.is_same_phone(asked.phone, number):
            return 0
        return finding.EXACT if number.lstrip("0") == asked.phone else finding.BEGINS
    return finding.EXACT if kind == "i" or value == asked.email else finding.BEGINS


# -- the cursor: the place of the last row, in this search and no other --------------------------------------------


def _mark(text: str, tier: str | None, order: str, segment: str | None) -> str:
    return hashlib.blake2b(orjson.dumps([text, tier, order, segment]), digest_size=6).hexdigest()


def _cursor(mark: str, place: Sequence[Any]) -> str:
    written = [value if isinstance(value, (bool, int)) else str(value) for value in place]
    return write_opaque([mark, *written])


def _place(cursor: str | None, mark: str, order: str) -> tuple[Any, ...] | None:
    """The place in a cursor. Raises Problem("bad-request")."""
    if cursor is None:
        return None
    read = (int, UUID) if order == RELEVANCE else tuple(_READ[kind] for kind in search.ORDERS[order].types.split())
    try:
        sent, *values = read_opaque(cursor)
        if sent != mark or len(values) != len(read):
            raise ValueError("of another search")
        return tuple(one(value) for one, value in zip(read, values, strict=True))
    except (ValueError, TypeError, AttributeError, InvalidOperation):
        raise Problem("bad-request", "cursor is the next_cursor of the page before, of the same search") from None


_READ: Mapping[str, Any] = {"bool": bool, "text": str, "uuid": UUID, "int": int, "numeric": Decimal}
