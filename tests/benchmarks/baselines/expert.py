"""The expert baseline: the best that we know how to write with stock Faust agents.

`BASELINE_SERVICE=interaction python -m tests.benchmarks.baselines.expert worker` is a worker with one agent: it takes
up to 1,000 records at once (`take_events`) and gives them to our service's own handlers, so codec, rules and bulk SQL
are ours to the last line, in one transaction; then it sends what is to be told and waits for all acks. A batch that
the database refuses is repeated, for an agent that raises would acknowledge it. It has uvloop, a compressed producer
that lingers, and static membership. What it has not: positions in the transaction and markers of what was not told
yet, so whoever dies between COMMIT and the acks has told nobody.

Owns hosting handlers in an agent; what they do is the services' own.
"""

from __future__ import annotations

import asyncio
import gc
import os
from importlib import import_module
from typing import Any

import uvloop

from schemas.codec import encode_state
from services.runtime.batch import Batch, LanePlan, Told, Work
from services.runtime.outbox import Message
from services.runtime.postgres import TRANSIENT, Connection, Generation, OwnConnection, connect
from services.runtime.settings import Settings
from tests.benchmarks.baselines.app import BaselineApp, record_of
from tests.support.databases import generation_of
from tests.support.rig import READS

TAKE_RECORDS = 1_000
TAKE_WITHIN_S = 0.1
RETRY_PAUSE_S = 0.2
GARBAGE_OBJECTS = 200_000
PRODUCER = {
    "producer_linger": 0.002,
    "producer_compression_type": "snappy",
    "producer_max_batch_size": 256 * 1024,
    "producer_max_request_size": 4 * 1024 * 1024,
}


class Hosted:
    """A service's handlers, and the connection they work on."""

    def __init__(self, settings: Settings, plan: LanePlan, generation: Generation) -> None:
        self.settings, self.plan, self.generation = settings, plan, generation
        self._connection: OwnConnection | None = None

    async def applied(self, records: list[Any]) -> list[Told]:
        """Apply a batch, however often it takes; what there is to tell then."""
        while True:
            try:
                return await apply(await self._open(), self.plan, self.generation.epoch, records)
            except TRANSIENT:
                self.plan.forget()
                await asyncio.sleep(RETRY_PAUSE_S)

    async def close(self) -> None:
        """Leave the database."""
        if self._connection is not None:
            await self._connection.close()

    async def _open(self) -> OwnConnection:
        if self._connection is None or self._connection.is_closed():
            path = f"{self.generation.schema},{self.plan.service}"
            self._connection = await connect(self.settings, path)
            if self.plan.begin is not None:
                await self.plan.begin(self._connection)
        return self._connection


async def apply(connection: Connection, plan: LanePlan, epoch: int, records: list[Any]) -> list[Told]:
    """One batch in one transaction; what there is to tell after it."""
    read, _, _ = plan.read(records)
    work = Work(connection, epoch)
    async with connection.transaction():
        if read:
            await plan.apply(Batch(read), work)
    for remember in work.after_commit:
        remember()
    return list(work.told.values())


def message_of(plan: LanePlan, told: Told) -> Message:
    """Key, value and headers of what there is to tell."""
    encode = plan.encode.get(told.topic)
    return encode(told) if encode else encode_state(told.state)


async def hosted(service: str, settings: Settings) -> Hosted:
    """The handlers of a service in the database of the settings."""
    generation = await generation_of(settings, service)
    plan: LanePlan = await import_module(f"services.{service}.handlers").plan(settings, generation)
    return Hosted(settings, plan, generation)


def agent_of(app: BaselineApp, service: str) -> None:
    """The one agent of the app."""

    @app.agent(app.topic(*READS[service], key_type=bytes, value_type=bytes, value_serializer="raw"))
    async def applying(stream: Any) -> None:
        host = await hosted(service, Settings())
        told_on = {n: app.topic(n, key_serializer="raw", value_serializer="raw") for n in host.plan.tells}
        async for taken in stream.take_events(TAKE_RECORDS, within=TAKE_WITHIN_S):
            sent = []
            for told in await host.applied([record_of(event) for event in taken]):
                key, value, headers = message_of(host.plan, told)
                sent.append(await told_on[told.topic].send(key=key, value=value, headers=dict(headers)))
            await asyncio.gather(*sent)
            app.note()


def main(service: str) -> None:
    """Run the worker."""
    gc.set_threshold(GARBAGE_OBJECTS)
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    app = BaselineApp(consumer_group_instance_id=f"expert-{service}", **PRODUCER)
    agent_of(app, service)
    app.work(loop)


if __name__ == "__main__":
    main(os.environ["BASELINE_SERVICE"])
