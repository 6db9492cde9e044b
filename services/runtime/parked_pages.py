"""A service's internal pages of parked records: GET /parked/records, /parked/record; POST /parked/retry, …/discard.

Owns the answers. What a person sent is shown masked only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.runtime import parked
from services.runtime.http import Problem, answer, whole
from services.runtime.parked import LISTED_MAX, Chosen, Place

LISTED_DEFAULT = 50
KEYS_MAX = 10_000


def parked_pages(service: str) -> list[BaseRoute]:
    """The routes of one service."""
    pages = ParkedPages(service)
    return [
        Route("/parked/records", pages.records),
        Route("/parked/record", pages.record),
        Route("/parked/retry", pages.retry, methods=["POST"]),
        Route("/parked/discard", pages.discard, methods=["POST"]),
    ]


class ParkedPages:
    """What the routes answer."""

    def __init__(self, service: str) -> None:
        self.service = service

    async def records(self, request: Request) -> Response:
        """Parked records, newest first, and counts by reason and source: reason, source, build, place, limit."""
        limit = whole(request.query_params.get("limit"), LISTED_DEFAULT, 1, LISTED_MAX)
        chosen = _chosen(request.query_params)
        pool = await request.app.state.database.pool()
        async with pool.acquire() as connection:
            return answer(await parked.listed(connection, self.service, chosen, limit))

    async def record(self, request: Request) -> Response:
        """One parked record with its masked content: place."""
        place = _chosen(request.query_params).place
        if place is None:
            raise Problem("bad-request", "place is topic/partition/offset")
        pool = await request.app.state.database.pool()
        async with pool.acquire() as connection:
            found = await parked.shown(connection, self.service, place)
        if found is None:
            raise Problem("not-found", "nothing is parked there")
        return answer(found)

    async def retry(self, request: Request) -> Response:
        """Let the lane try some again: {reason, source, build, place, keys, by, execute} → {chosen}."""
        chosen, body = await _sent(request)
        pool = await request.app.state.database.pool()
        async with pool.acquire() as connection:
            if body.get("execute") is not True:
                chosen_ones = await parked.count(connection, self.service, chosen, retried=True)
                return answer({"chosen": chosen_ones})
            return answer({"chosen": await parked.ask_to_retry(connection, self.service, chosen, str(body["by"]))})

    async def discard(self, request: Request) -> Response:
        """Set some aside for good: the same with `because` → {chosen}."""
        chosen, body = await _sent(request)
        because, by = str(body.get("because") or ""), str(body["by"])
        if not because:
            raise Problem("bad-request", "because says why")
        pool = await request.app.state.database.pool()
        async with pool.acquire() as connection:
            if body.get("execute") is not True:
                return answer({"chosen": await parked.count(connection, self.service, chosen)})
            return answer({"chosen": await parked.discard(connection, self.service, chosen, because, by)})


async def _sent(request: Request) -> tuple[Chosen, Mapping[str, Any]]:
    try:
        body = orjson.loads(await request.body())
        body["by"]
    except (TypeError, ValueError, KeyError):
        raise Problem("bad-request", "say by, execute, and which: reason, source, build, place or keys") from None
    return _chosen(body), body


def _chosen(said: Mapping[str, Any]) -> Chosen:
    words = {name: str(said[name]) for name in ("reason", "source", "build") if said.get(name)}
    keys = said.get("keys")
    if keys is not None and (type(keys) is not list or len(keys) > KEYS_MAX):
        raise Problem("bad-request", f"keys is a list of at most {KEYS_MAX:,}")
    return Chosen(
        **words,
        place=read_place(str(said["place"])) if said.get("place") else None,
        keys=None if keys is None else tuple(map(str, keys)),
    )


def read_place(text: str) -> Place:
    """topic/partition/offset. Raises Problem."""
    try:
        topic, partition, offset = text.rsplit("/", 2)
        place = topic, int(partition), int(offset)
    except ValueError:
        raise Problem("bad-request", "place is topic/partition/offset") from None
    if not (0 <= place[1] < 2**31 and 0 <= place[2] < 2**63):
        raise Problem("bad-request", "no log has such a place")
    return place
