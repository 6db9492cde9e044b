"""What it costs to get a record from Kafka into our hands: stock Faust agents against a lane's feed.

Owns the measurement behind docs/decisions/0001. Nothing is decoded, stored or acknowledged by either.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
import uuid

from aiokafka import AIOKafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic

from services.runtime.feed import Feed
from tests.support.databases import settings_for

RECORDS = 100_000
RECORD_BYTES = 250
PARTITIONS = 8
RUN_TIMEOUT_S = 180
MODES = ("each", "take")


async def _fill(bootstrap: str, topic: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=5)
    await producer.start()
    value = b"x" * RECORD_BYTES
    sent = [await producer.send(topic, value, partition=n % PARTITIONS) for n in range(RECORDS)]
    await asyncio.gather(*sent)
    await producer.stop()


async def _through_a_feed(bootstrap: str, topic: str) -> tuple[float, float]:
    feed = Feed(settings_for("postgresql://unused", bootstrap), "baseline", uuid.uuid4().hex, 1, (topic,))
    await feed.start()
    seen, started = 0, (time.process_time(), time.monotonic())
    while seen < RECORDS:
        unready = feed.unready()
        if unready:
            await feed.position(dict.fromkeys(unready, 0))
        records = await feed.fetch(50)
        seen += len(records)
        for r in records:
            feed.ready[r.topic, r.partition] = r.offset + 1
    cpu_us = (time.process_time() - started[0]) * 1e6 / seen
    rate = seen / (time.monotonic() - started[1])
    await feed.stop()
    return cpu_us, rate


def measure(bootstrap: str) -> dict[str, tuple[float, float]]:
    """Way → (CPU µs a record, records/s)."""
    topic = f"delivery-{uuid.uuid4().hex[:8]}"
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.create_topics([NewTopic(topic, num_partitions=PARTITIONS, replication_factor=1)])
    asyncio.run(_fill(bootstrap, topic))
    found = {"a lane's feed": asyncio.run(_through_a_feed(bootstrap, topic))}
    for mode in MODES:
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.baselines.faust_agent", bootstrap, topic, str(RECORDS), mode],
            check=True,
            capture_output=True,
            text=True,
            timeout=RUN_TIMEOUT_S,
        )
        cpu_us, rate = done.stdout.split()[-2:]
        found[f"Faust agent, {mode}"] = (float(cpu_us), float(rate))
    admin.delete_topics([topic])
    admin.close()
    return found


def table(found: dict[str, tuple[float, float]]) -> list[str]:
    """Markdown rows."""
    return [
        "| way | CPU µs a record | records/s |",
        "| --- | --- | --- |",
        *(f"| {way} | {cpu_us:.1f} | {rate:,.0f} |" for way, (cpu_us, rate) in found.items()),
    ]
