"""Intake's internal pages /erasures: somebody is to be erased, and how far that came. And telling the log.

Owns the questions, and the loop that tells what a crash left untold. Not for the public.
"""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.intake.door import BrokerAway, Publisher, erasures
from services.runtime import control, telemetry
from services.runtime.http import Database, Problem, answer
from services.runtime.postgres import AWAY
from services.runtime.settings import Settings

TELL_EVERY_S = 2.0
VALUES_MAX = 10_000
UNTOLD: tuple[type[Exception], ...] = (BrokerAway, *AWAY)


async def ask(request: Request) -> Response:
    """{customer_id, records, events, values, by, reason} → its receipt. Raises Problem (bad-request).

    `events`: [record id, event id] of others that speak of him. `values`: what parked requests are looked through
    for; they are not kept.
    """
    state = request.app.state
    try:
        body = orjson.loads(await request.body())
        asked = erasures.Asked(
            str(UUID(body["customer_id"])),
            [str(UUID(record)) for record in body["records"]],
            [(str(UUID(record)), str(UUID(event))) for record, event in body["events"]],
            str(body["by"]),
            str(body["reason"]),
        )
        values = [str(value) for value in body["values"]][:VALUES_MAX]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Problem("bad-request", "say customer_id, records, events, values, by and reason") from None
    pool = await state.database.pool()
    async with pool.acquire() as connection:
        try:
            erasure_id = await erasures.ask(connection, asked)
        except ValueError as wrong:
            raise Problem("bad-request", str(wrong)) from None
        thrown = await erasures.clear_parked(connection, values)
        telemetry.log.info("erasure_asked", erasure=erasure_id, records=len(asked.records), parked_thrown=thrown)
        await control.tell_or_later(state.settings, connection, "intake")
    await _tell_or_later(state.database, state.publisher)
    return await _answered(state.database, erasure_id)


async def receipt(request: Request) -> Response:
    """How far an erasure came; PUT: every service has forgotten."""
    state = request.app.state
    try:
        erasure_id = str(UUID(request.path_params["erasure_id"]))
    except ValueError:
        raise Problem("not-found", "an erasure's id is a UUID") from None
    if request.method == "PUT":
        pool = await state.database.pool()
        async with pool.acquire() as connection:
            await erasures.done(connection, erasure_id)
    return await _answered(state.database, erasure_id)


async def _answered(database: Database, erasure_id: str) -> Response:
    pool = await database.pool()
    async with pool.acquire() as connection:
        found: dict[str, Any] | None = await erasures.receipt(connection, erasure_id)
    if found is None:
        raise Problem("not-found", "there is no such erasure")
    return answer(found)


async def tell(database: Database, publisher: Publisher) -> int:
    """Tell the log of all who are erased and not told of; how many words. Raises BrokerAway, or what AWAY lists.

    A crash at any line tells them again: they are the same events.
    """
    pool = await database.pool()
    count = 0
    async with pool.acquire() as connection:
        while words := await erasures.untold(connection):
            ends = await publisher.publish([word.accepted for word in words])
            await erasures.told(connection, words, ends)
            count += len(words)
    return count


async def _tell_or_later(database: Database, publisher: Publisher) -> None:
    try:
        if told := await tell(database, publisher):
            telemetry.log.info("erasures_told", records=told)
    except UNTOLD as error:
        telemetry.log.warning("erasures_untold", error=telemetry.where(error))


async def telling(settings: Settings, database: Database, publisher: Publisher) -> None:
    """Until cancelled: tell what a crash, or a broker that was away, left untold."""
    while not settings.silent:
        await asyncio.sleep(TELL_EVERY_S)
        await _tell_or_later(database, publisher)


ERASURE_ROUTES = [
    Route("/erasures", ask, methods=["POST"]),
    Route("/erasures/{erasure_id}", receipt, methods=["GET", "PUT"]),
]
