"""Delivering to all endpoints this process holds: leases, and for each endpoint its queue and its attempts.

Owns who delivers to which endpoint and when something is tried again. Each endpoint has tasks of its own: one that
hangs keeps nobody else waiting. If the process dies anywhere, its leases end and another process goes on; what was
sent and not noted is sent again under its id.
"""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence

from aiokafka.errors import KafkaError

from services.profile.domain import webhooks as rules
from services.profile.domain.webhooks import Answer
from services.profile.inputs import deliveries, webhooks
from services.profile.inputs.deliveries import Attempted, Due
from services.profile.inputs.webhooks import Endpoint
from services.profile.listening.changes import Changes
from services.profile.webhooks.holding import LEASE_S, RENEW_S, Held
from services.profile.webhooks.queuing import AWAY_PAUSE_S, Queuing
from services.profile.webhooks.sending import Sender
from services.runtime import telemetry
from services.runtime.http import Database, Problem
from services.runtime.postgres import AWAY, TRANSIENT, Connection, ServiceSchema
from services.runtime.settings import Settings

CONNECTIONS_MAX = 3
ATTEMPTS_AT_ONCE = 16
"""Of one endpoint, each to another customer's delivery; one while the endpoint takes nothing."""
LOOK_EVERY_S = 5.0
"""The longest time between two looks at an endpoint's queue."""
REMOVE_EVERY_S = 600.0
DAY_S = 86_400.0


class Deliverer:
    """One of a process. `run` ends only by being cancelled."""

    def __init__(self, settings: Settings, changes: Changes) -> None:
        self.settings = settings
        # Connections of its own: who asks does not wait for who is told, nor the other way round.
        own = settings.model_copy(update={"pool_connections_max": CONNECTIONS_MAX})
        self.database = Database(own, ServiceSchema.of("profile", event_sourced=True))
        self.changes = changes
        self.sender = Sender(may_be_private=settings.webhooks_allow_private)
        self.holder = str(uuid.uuid4())
        self._held: dict[str, tuple[Held, asyncio.Task[None]]] = {}
        self._removed_at = 0.0
        self._chance = random.Random()
        self._asked = asyncio.Event()

    def look(self) -> None:
        """People set something of an endpoint: look at once."""
        self._asked.set()

    async def run(self) -> None:
        """Hold endpoints and deliver to them."""
        try:
            while True:
                self._asked.clear()
                try:
                    await self._renew()
                    await self._remove_old()
                except AWAY as error:
                    telemetry.log.warning("webhooks_not_held", error=telemetry.where(error))
                except Exception as error:
                    # A mistake of ours must not end all deliveries until the next start.
                    telemetry.log.error("webhooks_failed", error=telemetry.where(error))
                await _set_within(self._asked, RENEW_S)
        finally:
            await self._end()

    async def _renew(self) -> None:
        pool = await self.database.pool()
        async with pool.acquire() as connection:
            asked_s = time.monotonic()
            claimed = {one.webhook_id: one for one in await webhooks.claim(connection, self.holder, LEASE_S)}
        for webhook_id in self._held.keys() - claimed.keys():
            held, task = self._held.pop(webhook_id)
            held.end()
            await _ended(task)
        for webhook_id, endpoint in claimed.items():
            known = self._held.get(webhook_id)
            if known is not None and not known[1].done():
                known[0].renew(endpoint, asked_s)
                continue
            if known is not None and not known[1].cancelled() and known[1].exception() is not None:
                telemetry.log.error("webhook_failed", webhook=webhook_id, error=known[1].exception())
            held = Held(endpoint, self.holder, asked_s)
            self._held[webhook_id] = held, asyncio.create_task(self._serve(held))

    async def _serve(self, held: Held) -> None:
        queuing = asyncio.create_task(self._again(Queuing(held, self.database, self.changes).run, held))
        try:
            await self._again(lambda: self._deliver(held), held)
        finally:
            await _ended(queuing)

    async def _again(self, work: Callable[[], Awaitable[None]], held: Held) -> None:
        """Do it while the endpoint is held, though the database or the broker is away now and then."""
        while held.lasts:
            try:
                await work()
            except (KafkaError, Problem, *AWAY) as error:
                telemetry.log.info("webhook_waits", webhook=held.endpoint.webhook_id, error=telemetry.where(error))
                await asyncio.sleep(AWAY_PAUSE_S)

    # -- attempts ----------------------------------------------------------------------------------------

    async def _deliver(self, held: Held) -> None:
        while held.lasts:
            held.waiting.clear()
            endpoint = held.endpoint
            if held.paused_s > 0:
                await asyncio.sleep(min(held.paused_s, RENEW_S))
                continue
            pool = await self.database.pool()
            limit = 1 if endpoint.failures else ATTEMPTS_AT_ONCE
            async with pool.acquire() as connection:
                due = await deliveries.due(connection, endpoint.webhook_id, limit)
                later_s = None if due else await deliveries.next_due_s(connection, endpoint.webhook_id)
            if due:
                await self._attempt(held, due)
                continue
            longest_s = LOOK_EVERY_S if later_s is None else later_s
            await _set_within(held.waiting, min(LOOK_EVERY_S, max(0.01, longest_s)))

    async def _attempt(self, held: Held, due: Sequence[Due]) -> None:
        """Try these at once, and note together what became of them."""
        endpoint, key = held.endpoint, self.settings.key_bytes
        keys = [rules.signing_key(key, endpoint.webhook_id, number) for number in endpoint.secret_numbers]
        timeout_s = endpoint.timeout_ms / 1_000
        answers = await asyncio.gather(
            *(self.sender.send(endpoint.url, keys, one.event_id, one.event, timeout_s) for one in due)
        )
        attempted = [self._judged(endpoint, one, answer) for one, answer in zip(due, answers, strict=True)]
        for one in attempted:
            telemetry.WEBHOOKS.labels({"waiting": "again"}.get(one.state, one.state)).inc()
        again = [one for one in attempted if one.state == "waiting"]
        pool = await self.database.pool()
        async with pool.acquire() as connection:
            await deliveries.settle(connection, attempted)
            if again:
                await deliveries.hold_back(connection, endpoint.webhook_id, again)
            await self._note(connection, held, answers)

    def _judged(self, endpoint: Endpoint, due: Due, answer: Answer) -> Attempted:
        if answer.is_taken:
            return Attempted(due, "taken", answer.status, None, 0.0)
        now_s = time.time()
        pause_s = rules.pause_s(due.attempts + 1, rules.DELIVERY_PAUSE_S_MAX, self._chance.random())
        first_at_s = now_s if due.first_at_s is None else due.first_at_s
        given_up = rules.is_given_up(answer, first_at_s, now_s + pause_s, endpoint.retry_for_s, endpoint.taken_at_s)
        return Attempted(due, "dead" if given_up else "waiting", answer.status, answer.why, pause_s)

    async def _note(self, connection: Connection, held: Held, answers: Sequence[Answer]) -> None:
        """How the endpoint does: it took something, refused single deliveries, or does not work."""
        endpoint = held.endpoint
        webhook_id, failed = endpoint.webhook_id, [one for one in answers if not one.is_taken]
        if len(failed) < len(answers):
            await webhooks.note_taken(connection, webhook_id)
            held.works(time.time())
        if not failed:
            return
        pause_s = 0.0
        if all(one.of_endpoint for one in answers):
            pause_s = rules.pause_s(endpoint.failures + 1, rules.ENDPOINT_PAUSE_S_MAX, self._chance.random())
            held.fails(pause_s, time.time())
        await webhooks.note_failed(connection, webhook_id, failed[0].why, pause_s)
        if any(one.status == rules.HTTP_GONE for one in failed):
            await self._disable(connection, held, rules.GONE)
        elif pause_s and held.failing_s(time.time()) > rules.FAILING_DAYS_MAX * DAY_S:
            await self._disable(connection, held, rules.FAILING)

    async def _disable(self, connection: Connection, held: Held, reason: str) -> None:
        await webhooks.disable(connection, held.endpoint.webhook_id, reason)
        held.end()
        telemetry.log.error("webhook_disabled", webhook=held.endpoint.webhook_id, reason=reason)

    # -- the rest ----------------------------------------------------------------------------------------

    async def _remove_old(self) -> None:
        if time.monotonic() - self._removed_at < REMOVE_EVERY_S:
            return
        pool = await self.database.pool()
        async with pool.acquire() as connection:
            removed = deliveries.REMOVED_AT_ONCE
            while removed == deliveries.REMOVED_AT_ONCE:
                removed = await deliveries.remove_old(connection)
        self._removed_at = time.monotonic()

    async def _end(self) -> None:
        """Give all endpoints to others."""
        for held, task in self._held.values():
            held.end()
            task.cancel()
        await asyncio.gather(*(task for _, task in self._held.values()), return_exceptions=True)
        self._held.clear()
        await self.sender.close()
        try:
            pool = await self.database.pool()
            async with pool.acquire() as connection:
                await webhooks.let_go(connection, self.holder)
        except TRANSIENT as error:
            # They end by themselves.
            telemetry.log.info("webhooks_not_let_go", error=telemetry.where(error))
        finally:
            await self.database.close()


async def _set_within(event: asyncio.Event, timeout_s: float) -> None:
    """It was set, or the time is over."""
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        return


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
