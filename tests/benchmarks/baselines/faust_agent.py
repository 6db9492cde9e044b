"""A stock Faust agent that does nothing with its records, as Faust's manual shows it: the price of delivery.

Run as `python -m tests.benchmarks.baselines.faust_agent BOOTSTRAP TOPIC COUNT MODE`; prints CPU seconds.
Modes: `each` (async for over the stream) and `take` (stream.take(1000, within=0.1)).
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import faust

TAKE_RECORDS = 1_000
TAKE_WITHIN_S = 0.1


def main(bootstrap: str, topic_name: str, count: int, mode: str) -> None:
    """Consume `count` records and stop."""
    app = faust.App(
        f"baseline-{mode}-{topic_name}",
        broker=f"kafka://{bootstrap}",
        web_enabled=False,
        topic_disable_leader=True,
        store="memory://",
        consumer_auto_offset_reset="earliest",
        key_serializer="raw",
        value_serializer="raw",
    )
    topic = app.topic(topic_name, key_type=bytes, value_type=bytes)
    done = asyncio.Event()
    seen = 0
    started_at: list[tuple[float, float]] = []

    def note(records: int) -> None:
        nonlocal seen
        if not started_at:
            started_at.append((time.process_time(), time.monotonic()))
        seen += records
        if seen >= count:
            done.set()

    @app.agent(topic)
    async def each(stream: Any) -> None:
        if mode == "take":
            async for values in stream.take(TAKE_RECORDS, within=TAKE_WITHIN_S):
                note(len(values))
        else:
            async for _ in stream:
                note(1)

    async def run() -> None:
        await app.start()
        await done.wait()
        cpu_s, wall_s = time.process_time() - started_at[0][0], time.monotonic() - started_at[0][1]
        print(f"{cpu_s * 1e6 / seen:.2f} {seen / wall_s:.0f}", flush=True)
        await app.stop()

    asyncio.run(run())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
