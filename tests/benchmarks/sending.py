"""Sending the standard mix over HTTP from a process of its own, and keeping a ledger of what was acknowledged.

Owns the generator's process, which shares the machine with what it measures: so aiohttp (which Faust brings), whose
client costs a fifth of httpx's. Run as `python -m tests.benchmarks.sending JSON`, it prints one line of JSON.
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import uvloop

from schemas.envelope import rfc3339
from services.ops.generate import Mix, encoded, events
from tests.benchmarks.open_loop import when_due

RETRIES_MAX = 20
RETRY_PAUSE_S = 0.2
TIMEOUT_S = 30
VIEWS = frozenset({"page.viewed", "product.viewed", "screen.viewed"})


@dataclasses.dataclass(frozen=True)
class Job:
    """What to send: `batch_events` per request, over `connections`; `rate_per_s` 0 is as fast as it goes.

    `again`: instead of the mix only views of its customers, now and under ids of their own.
    """

    url: str
    write_key: str
    count: int
    seed: int
    customers: int
    batch_events: int
    connections: int
    rate_per_s: float
    ledger: str
    again: int = 0


def send(job: Job) -> dict[str, Any]:
    """Run the job in a process of its own; its report: seconds, cpu_s, acked, first_at, last_at."""
    process = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.sending", json.dumps(dataclasses.asdict(job))],
        check=True,
        capture_output=True,
        text=True,
    )
    report: dict[str, Any] = json.loads(process.stdout)
    return report


async def _run(job: Job) -> dict[str, Any]:
    mix = dataclasses.replace(Mix.load(), customers=job.customers)
    mixed = encoded(mix, job.seed, job.count, job.batch_events, datetime.now(UTC))
    bodies = list(_again(mix, job) if job.again else mixed)
    acked: list[list[str]] = []
    cpu_before = time.process_time()
    first_at = time.time()
    started = time.monotonic()

    async with aiohttp.ClientSession(
        auth=aiohttp.BasicAuth(job.write_key),
        connector=aiohttp.TCPConnector(limit=job.connections),
        timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
    ) as client:

        async def post(body: bytes) -> None:
            await _post(client, job, body)
            acked.append([e["id"] for e in orjson.loads(body)])

        await when_due(bodies, job.rate_per_s / job.batch_events, job.connections, post)
    seconds = time.monotonic() - started
    return {
        "ids": [i for ids in acked for i in ids],
        "seconds": seconds,
        "cpu_s": time.process_time() - cpu_before,
        "acked": sum(map(len, acked)),
        "first_at": first_at,
        "last_at": time.time(),
    }


def _again(mix: Mix, job: Job) -> Iterator[bytes]:
    """Views of the mix's customers, over and over."""
    views = [event for event in events(mix, job.seed, job.count, datetime.now(UTC)) if event["type"] in VIEWS]
    numbered = (
        {**event, "id": f"again-{job.again}-{number}", "time": rfc3339(datetime.now(UTC))}
        for number, event in zip(range(job.count), itertools.cycle(views), strict=False)
    )
    while batch := list(itertools.islice(numbered, job.batch_events)):
        yield orjson.dumps(batch)


async def _post(client: aiohttp.ClientSession, job: Job, body: bytes) -> None:
    headers = {"content-type": "application/cloudevents-batch+json"}
    for _ in range(RETRIES_MAX):
        async with client.post(f"{job.url}/events", data=body, headers=headers) as response:
            await response.read()
        if response.status == 200:
            return
        await asyncio.sleep(RETRY_PAUSE_S)
    raise RuntimeError(f"not acknowledged: {response.status}")


if __name__ == "__main__":
    asked = Job(**json.loads(sys.argv[1]))
    done = uvloop.run(_run(asked))
    Path(asked.ledger).write_bytes(orjson.dumps(done.pop("ids")))
    print(json.dumps(done))
