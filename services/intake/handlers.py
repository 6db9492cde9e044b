"""What intake does with the raw topic: read → accept → publish and await every ack → then move the position.

The exception to the lane's order: events are not state, so they are published before COMMIT; a repeat after a
crash is harmless by the event's id.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from schemas.codec import Unreadable
from schemas.topics import CHANNEL_RAW
from services.intake.domain.accept import accept
from services.intake.domain.accounts import Answered, Cell, minute_of
from services.intake.domain.cloudevents import read_kafka
from services.intake.domain.model import Accepted, Parked, Raw, Received, Source, Suppressed, Taken
from services.intake.door import BrokerAway, Publisher, Sources, accounting, erasures, mappings, plans
from services.runtime import telemetry
from services.runtime.batch import Batch, LanePlan, Work
from services.runtime.http import Database
from services.runtime.postgres import Connection, Generation
from services.runtime.settings import Settings

NOT_REGISTERED = "source_not_registered"
RETRY_PAUSE_S = 0.5


@dataclass(slots=True)
class Reading:
    """A raw record as read, and what became of each event in it: with its source and the version of its plan."""

    events: list[Raw | Parked]
    results: list[tuple[str, int, Taken]]


def read(record: Any) -> Reading:
    """The events in a raw record. Raises Unreadable with the reason it is parked for."""
    events = read_kafka(record.headers, record.value)
    if not events:
        raise Unreadable("no_value", "an empty batch")
    return Reading(events, [])


class RawLane:
    """Handlers of channel.raw."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings = settings
        self.publisher = Publisher(settings)
        self.sources = Sources(database)
        self.plans = plans.Plans(database)
        self.erased = erasures.Erased(database, settings.key_bytes)

    async def prepare(self, batch: Batch) -> None:
        """Accept and publish, before the transaction begins; again and again while the broker is away."""
        registered = await self.sources.registered()
        accepted: list[Accepted] = []
        for incoming in batch.records:
            reading: Reading = incoming.message
            arrival = datetime.fromtimestamp(incoming.log_time_ms / 1000, UTC)
            taken = [await self._accept(raw, arrival, registered) for raw in reading.events]
            spared = await self.erased.spare([result for _, _, result in taken])
            reading.results = [(s, version, result) for (s, version, _), result in zip(taken, spared, strict=True)]
            accepted += [r for _, _, r in reading.results if isinstance(r, Accepted)]
        while True:
            try:
                await self.publisher.publish(accepted)
                break
            except BrokerAway:
                await asyncio.sleep(RETRY_PAUSE_S)
        telemetry.ACCEPTED.labels("kafka").inc(len(accepted))

    async def _accept(
        self, raw: Raw | Parked, arrival: datetime, registered: dict[str, Source]
    ) -> tuple[str, int, Taken]:
        if isinstance(raw, Parked):
            return "", 0, raw
        source = registered.get(raw.source) or registered.get(raw.source.partition("/")[0])
        if source is None:
            return "", 0, Parked(NOT_REGISTERED)
        plan = await self.plans.of(source.name)
        # Over Kafka the CloudEvent's source is already the registered name (or a place below it).
        taken = accept(raw, Received(arrival, source, plan), self.settings.key_bytes)
        return source.name, plan.version if plan is not None else 0, taken

    async def apply(self, batch: Batch, work: Work) -> None:
        """Park what could not be taken and count the rest; the lane moves the position."""
        counts: dict[Cell, list[Taken]] = defaultdict(list)
        of_plan: dict[tuple[str, int], list[Taken]] = defaultdict(list)
        suppressed: dict[str, list[Suppressed]] = defaultdict(list)
        for incoming in batch.records:
            minute = minute_of(datetime.fromtimestamp(incoming.log_time_ms / 1000, UTC))
            for source, version, result in incoming.message.results:
                counts[Cell(source, minute)].append(result)
                if isinstance(result, Parked):
                    work.park(incoming, result.reason, result.detail, source)
                elif isinstance(result, Suppressed):
                    suppressed[source].append(result)
                    work.counts["suppressed"] += 1
                else:
                    work.counts["accepted"] += 1
                if result.broken:
                    of_plan[source, version].append(result)
        for (source, version), results in sorted(of_plan.items()):
            await plans.note(work.connection, source, version, plans.broken_by(results))
        for source, those in sorted(suppressed.items()):
            await erasures.note(work.connection, source, those)
        if counts:
            await accounting.add(work.connection, {cell: _answered(results) for cell, results in counts.items()})


def _answered(results: Sequence[Taken]) -> Answered:
    of = Counter(type(result) for result in results)
    return Answered(taken=of[Accepted], parked=of[Parked], suppressed=of[Suppressed])


async def plan(settings: Settings, _generation: Generation) -> LanePlan:
    """Intake's lane over the raw topic."""
    database = Database(settings, mappings.schema())
    raw = RawLane(settings, database)

    async def begin(_connection: Connection) -> None:
        await mappings.ready(settings, database)

    decode = {CHANNEL_RAW.name: read}
    return LanePlan(service="intake", lane="raw", decode=decode, apply=raw.apply, prepare=raw.prepare, begin=begin)
