"""From the changes to the queue of one endpoint: what it asked for is stored with how far the changes were read.

Owns when the queue is full, and what is done where changes are no longer kept. If the process dies anywhere, the next
one goes on at the stored cursor.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import replace

from services.profile.inputs import deliveries, webhooks
from services.profile.inputs.deliveries import Queued
from services.profile.listening.audience import Change, Listener
from services.profile.listening.changes import Changes
from services.profile.listening.places import BEGIN, Cursor
from services.profile.webhooks.holding import Held
from services.runtime import telemetry
from services.runtime.http import Database, Problem

QUEUED_AT_ONCE = 500
LINGER_S = 0.02
"""How long a change waits for others, to be queued with them."""
LOOK_S = 1.0
IDLE_S = 15.0
"""How often the cursor is stored while nothing is told that the endpoint asked for."""
FULL_PAUSE_S = 1.0
AWAY_PAUSE_S = 2.0


class Queuing:
    """Fills the queue of one endpoint while this process holds it."""

    def __init__(self, held: Held, database: Database, changes: Changes) -> None:
        self.held = held
        self.database = database
        self.changes = changes
        self._at = held.endpoint
        """The endpoint as it was when its changes were begun to be read; its cursor follows what was stored."""
        self._seen = ""
        self._events: list[Queued] = []
        self._stored_at = 0.0

    async def run(self) -> None:
        """Until it is held no more. Raises what TRANSIENT lists, KafkaError and Problem."""
        while self.held.lasts:
            if not await self._has_room():
                await asyncio.sleep(FULL_PAUSE_S)
                continue
            async with self.changes.ours() as listener:
                await self._listen(listener)

    async def _listen(self, listener: Listener) -> None:
        """From the stored cursor on, until the queue is full, people moved it, or changes cannot be read."""
        start = await self._start()
        if start is None:
            return
        async with aclosing(self.changes.catch_up(listener, start)) as told_before:
            async for change in told_before:
                self._note(change)
                if len(self._events) >= QUEUED_AT_ONCE and not await self._store():
                    return
        while self.held.lasts and not listener.is_over() and not self.held.moved.is_set():
            told = await listener.next(LINGER_S if self._events else LOOK_S)
            if told is not None:
                self._note(told)
            elif listener.is_idle and not listener.is_over():
                # Nobody has told it anything, so nothing of its is before where the log was read to.
                self._seen = str(Cursor(self.changes.places))
            is_due = told is None and (self._events or time.monotonic() - self._stored_at > IDLE_S)
            if (is_due or len(self._events) >= QUEUED_AT_ONCE) and not await self._store():
                return

    async def _start(self) -> Cursor | None:
        """Where the endpoint is; None where that was just mended, to be looked at again."""
        self.held.moved.clear()
        self._at, self._events = self.held.endpoint, []
        self._seen = self._at.cursor
        try:
            return await self.changes.start_at(self._at.cursor, None)
        except Problem as problem:
            if problem.kind != "cursor-expired":
                raise
        oldest = str(await self.changes.start_at(BEGIN, None))
        pool = await self.database.pool()
        async with pool.acquire() as connection:
            await webhooks.note_gap(connection, self._at.webhook_id, oldest)
        self.held.reached(replace(self._at, cursor=oldest))
        telemetry.log.error("webhook_gap", webhook=self._at.webhook_id)
        return None

    def _note(self, change: Change) -> None:
        self._seen = change.cursor
        types = self.held.endpoint.types
        if not types or change.type in types:
            self._events.append(Queued(change.id, change.type, change.key, change.event.decode()))

    async def _store(self) -> bool:
        """Queue what was noted and go on after it; False when people moved the endpoint, or its queue is full."""
        events, self._events = self._events, []
        pool = await self.database.pool()
        async with pool.acquire() as connection:
            if not await deliveries.queue(connection, self.held.holder, self._at, self._seen, events):
                return False
        self._stored_at = time.monotonic()
        self._at = replace(self._at, cursor=self._seen)
        self.held.reached(self._at)
        if not events:
            return True
        self.held.waiting.set()
        return await self._has_room()

    async def _has_room(self) -> bool:
        pool = await self.database.pool()
        async with pool.acquire() as connection:
            return await deliveries.room(connection, self.held.endpoint.webhook_id) > 0
