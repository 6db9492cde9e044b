"""What intake does with the raw topic: read → accept → publish and await every ack → then move the position.

The exception to the lane's order: events are not state, so they are published before COMMIT; a repeat after a
crash is harmless by the event's id.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from schemas.codec import Unreadable
from schemas.topics import CHANNEL_RAW
from services.intake.domain.accept import accept
from services.intake.domain.cloudevents import read_kafka
from services.intake.domain.model import Accepted, Parked, Raw, Received, Source
from services.intake.door import BrokerAway, Publisher, Sources
from services.runtime import telemetry
from services.runtime.batch import Batch, LanePlan, Work
from services.runtime.http import Database
from services.runtime.postgres import Generation, ServiceSchema
from services.runtime.settings import Settings

NOT_REGISTERED = "source_not_registered"
RETRY_PAUSE_S = 0.5


@dataclass(slots=True)
class Reading:
    """A raw record as read, and what became of each event in it."""

    events: list[Raw | Parked]
    results: list[Accepted | Parked]


def read(record: Any) -> Reading:
    """The events in a raw record. Raises Unreadable with the reason it is parked for."""
    events = read_kafka(record.headers, record.value)
    if not events:
        raise Unreadable("no_value", "an empty batch")
    return Reading(events, [])


class RawLane:
    """Handlers of channel.raw."""

    def __init__(self, settings: Settings, publisher: Publisher, sources: Sources) -> None:
        self.settings = settings
        self.publisher = publisher
        self.sources = sources

    async def prepare(self, batch: Batch) -> None:
        """Accept and publish, before the transaction begins; again and again while the broker is away."""
        registered = await self.sources.registered()
        accepted: list[Accepted] = []
        for incoming in batch.records:
            reading: Reading = incoming.message
            arrival = datetime.fromtimestamp(incoming.log_time_ms / 1000, UTC)
            reading.results = [self._accept(raw, arrival, registered) for raw in reading.events]
            accepted += [r for r in reading.results if isinstance(r, Accepted)]
        while True:
            try:
                await self.publisher.publish(accepted)
                break
            except BrokerAway:
                await asyncio.sleep(RETRY_PAUSE_S)
        telemetry.ACCEPTED.labels("kafka").inc(len(accepted))

    def _accept(self, raw: Raw | Parked, arrival: datetime, registered: dict[str, Source]) -> Accepted | Parked:
        if isinstance(raw, Parked):
            return raw
        source = registered.get(raw.source) or registered.get(raw.source.partition("/")[0])
        if source is None:
            return Parked(NOT_REGISTERED)
        # Over Kafka the CloudEvent's source is already the registered name (or a place below it).
        return accept(raw, Received(arrival, source), self.settings.key_bytes)

    async def apply(self, batch: Batch, work: Work) -> None:
        """Park what could not be taken and count the rest; the lane moves the position."""
        for incoming in batch.records:
            for result in incoming.message.results:
                if isinstance(result, Parked):
                    work.park(incoming, result.reason, result.detail)
                else:
                    work.counts["accepted"] += 1


async def plan(settings: Settings, _generation: Generation) -> LanePlan:
    """Intake's lane over the raw topic."""
    database = Database(settings, ServiceSchema.of("intake"))
    raw = RawLane(settings, Publisher(settings), Sources(database))
    return LanePlan(
        service="intake", lane="raw", decode={CHANNEL_RAW.name: read}, apply=raw.apply, prepare=raw.prepare
    )
