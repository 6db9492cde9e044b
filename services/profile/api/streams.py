"""Streams of changes as server-sent events: everybody's, or one customer's.

Owns the routes, the frames, and when a stream is ended from here. Every frame's id is a cursor: with it as
Last-Event-ID, or as `after`, a stream goes on where it was. Changes hold nothing personal.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Annotated, Any
from uuid import UUID

import orjson
from aiokafka.errors import KafkaError
from fastapi import Header, Query, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from services.profile.api.doors import Doors
from services.profile.domain import changing
from services.profile.listening.audience import GONE, KEY_ENDED, UNAVAILABLE, Change, Listener
from services.profile.listening.changes import Changes
from services.profile.listening.places import BEGIN, Cursor
from services.runtime import telemetry
from services.runtime.http import Problem
from services.runtime.postgres import TRANSIENT

PING_S = 15.0
SEND_TIMEOUT_S = 30.0
"""For so long a reader may take nothing at all."""
RECONNECT_MS = 2_000
ENDED = "stream.ended"

After = Annotated[
    str | None, Query(max_length=256, description=f"The id of the last event seen; `{BEGIN}`: all that is kept")
]
LastEventId = Annotated[str | None, Header(max_length=256, description="The same; it comes before `after`")]

CONTENT: dict[int | str, Any] = {
    200: {
        "description": "Server-sent events: `event` is the type, `data` a CloudEvent, `id` a cursor. A comment comes"
        f" every {PING_S:.0f} s. `{ENDED}` says why it ends: slow-reader, customer-gone, key-ended, unavailable.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


async def everybody(request: Request, after: After = None, last_event_id: LastEventId = None) -> Response:
    """Every customer's changes as they are told, and with them segments, tiers, promises due, detractors, defections.

    Types: customer.created, .updated, .merged, .split, .id_changed, .removed, .defected, segment.entered, .left,
    tier.changed, promise.due, feedback.detractor.
    """
    doors: Doors = request.app.state.doors
    key = await doors.access.check(request, "profile:read")
    return await _stream(request, key.key_id, None, last_event_id or after)


async def of_customer(
    request: Request, customer_id: str, after: After = None, last_event_id: LastEventId = None
) -> Response:
    """One customer's changes. It ends when he is another's; asked again, it goes on with who answers for his id."""
    doors: Doors = request.app.state.doors
    key = await doors.access.check(request, "profile:read")
    now = await doors.id_today(customer_id)
    return await _stream(request, key.key_id, {now, str(UUID(customer_id))}, last_event_id or after)


async def _stream(request: Request, key_id: str, keys: set[str] | None, cursor: str | None) -> Response:
    changes: Changes = request.app.state.changes
    listener = await changes.open(key_id, keys)
    try:
        start = await changes.start_at(cursor, listener.keys)
    except BaseException:
        await changes.close(listener)
        raise

    async def leave() -> None:
        await changes.close(listener)

    return EventStream(_frames(request, changes, listener, start), leave)


async def _frames(
    request: Request, changes: Changes, listener: Listener, start: Cursor
) -> AsyncGenerator[bytes, None]:
    """What is sent, until the stream ends."""
    cursor = str(start)
    yield f"retry: {RECONNECT_MS}\nid: {cursor}\n\n".encode()
    try:
        async with aclosing(changes.catch_up(listener, start)) as told_before:
            async for change in told_before:
                yield _frame(change)
                cursor = change.cursor
                if _is_last(change, listener):
                    break
    except (KafkaError, OSError, TimeoutError) as error:
        telemetry.log.warning("changes_unavailable", error=telemetry.where(error))
        listener.end(UNAVAILABLE)
    while not listener.is_over():
        told = await listener.next(PING_S)
        if told is not None:
            yield _frame(told)
            cursor = told.cursor
            _is_last(told, listener)
        elif not listener.is_over() and not await _may_still(request):
            listener.end(KEY_ENDED)
        elif not listener.is_over():
            # Nobody has told him anything, so nothing of his is before where the log was read to.
            cursor = str(Cursor(changes.places)) if listener.is_idle else cursor
            yield f": ping\nid: {cursor}\n\n".encode()
    yield _last(listener.ended, cursor)


def _is_last(change: Change, listener: Listener) -> bool:
    """Whether a customer's stream ends with it: with the cursor it is asked again for who answers for his id now."""
    last = listener.keys is not None and change.type in changing.GONE
    if last:
        listener.end(GONE)
    return last


async def _may_still(request: Request) -> bool:
    """Whether the key has not been revoked meanwhile; one that cannot be checked is believed."""
    doors: Doors = request.app.state.doors
    try:
        await doors.access.check(request, "profile:read")
    except Problem:
        return False
    except TRANSIENT as error:
        telemetry.log.info("key_not_checked", error=telemetry.where(error))
    return True


def _frame(change: Change) -> bytes:
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (change.cursor.encode(), change.type.encode(), change.event)


def _last(why: str | None, cursor: str) -> bytes:
    data = orjson.dumps({"reason": why, "after": cursor})
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (cursor.encode(), ENDED.encode(), data)


class EventStream(StreamingResponse):
    """The response: it leaves its place when it ends, however it ends, and gives up a reader that takes nothing."""

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncGenerator[bytes, None], leave: Callable[[], Awaitable[None]]) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(frames, headers=headers)
        self._frames, self._leave = frames, leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._frames.aclose()
            await asyncio.shield(self._leave())

    async def stream_response(self, send: Send) -> None:
        """As Starlette does it, each frame within SEND_TIMEOUT_S."""

        async def in_time(message: Any) -> None:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await send(message)

        try:
            await super().stream_response(in_time)
        except TimeoutError:
            telemetry.log.info("stream_cut", reason="the reader takes nothing")
