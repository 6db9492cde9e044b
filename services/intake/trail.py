"""One event's place in the log: when it was received and when the log had it.

Owns reading a single record of channel.events by partition and offset. Shows nothing a person wrote.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.codec import header
from schemas.envelope import rfc3339
from schemas.topics import CHANNEL_EVENTS
from services.runtime import telemetry
from services.runtime.http import Problem
from services.runtime.settings import Settings

READ_TIMEOUT_S = 3.0


async def trail(settings: Settings, partition: int, offset: int) -> dict[str, Any]:
    """Received and acknowledged times of one record. Raises Problem("not-found", "unavailable")."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap, client_id="c360-trail")
    try:
        async with asyncio.timeout(READ_TIMEOUT_S):
            await consumer.start()
            place = TopicPartition(CHANNEL_EVENTS.name, partition)
            consumer.assign([place])
            consumer.seek(place, offset)
            record = await consumer.getone()
    except (KafkaError, OSError, TimeoutError) as error:
        telemetry.log.info("trail_unavailable", error=telemetry.where(error))
        raise Problem("unavailable", "the log does not answer for this place", {"Retry-After": "1"}) from None
    finally:
        await consumer.stop()
    if record.offset != offset:
        raise Problem("not-found", "the log has no record at this place")
    return {
        "received_at": header(record.headers, "c360_received"),
        "acknowledged_at": rfc3339(datetime.fromtimestamp(record.timestamp / 1000, UTC)),
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "clamped": header(record.headers, "c360_clamped") is not None,
    }
