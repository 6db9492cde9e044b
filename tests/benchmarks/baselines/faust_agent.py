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


class Counting:
    """Counts records and says when all were seen."""

    def __init__(self, count: int) -> None:
        self.count, self.seen = count, 0
        self.done = asyncio.Event()
        self.started: tuple[float, float] | None = None

    def note(self, records: int) -> None:
        """Some records came."""
        self.started = self.started or (time.process_time(), time.monotonic())
        self.seen += records
        if self.seen >= self.count:
            self.done.set()

    def figures(self) -> str:
        """CPU µs a record, and records/s."""
        cpu_at, wall_at = self.started or (0.0, 0.0)
        cpu_us = (time.process_time() - cpu_at) * 1e6 / self.seen
        return f"{cpu_us:.2f} {self.seen / (time.monotonic() - wall_at):.0f}"


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
    counting = Counting(count)

    @app.agent(app.topic(topic_name, key_type=bytes, value_type=bytes))
    async def each(stream: Any) -> None:
        if mode == "take":
            async for values in stream.take(TAKE_RECORDS, within=TAKE_WITHIN_S):
                counting.note(len(values))
        else:
            async for _ in stream:
                counting.note(1)

    async def run() -> None:
        await app.start()
        await counting.done.wait()
        print(counting.figures(), flush=True)
        await app.stop()

    asyncio.run(run())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
