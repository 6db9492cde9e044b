"""The collector alone: Segment's batches into Kafka, as fast as they go and at a steady rate.

Owns the calls that are sent, the measurement and its table. The lanes rest meanwhile: what is measured is the door,
two processes on one port. The senders share the machine with it. Run as `python -m tests.benchmarks.collector JSON`
it is one sender and prints one line of JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import orjson
import uvloop

from services.ops.demo.probe import percentile
from tests.benchmarks.deployment import Deployment
from tests.benchmarks.mix import write_key
from tests.benchmarks.open_loop import when_due

WORKERS = ("--workers", "intake=2")
LANES = ("identity", "interaction", "value", "profile")
BATCH_EVENTS = 100
SENDERS, CONNECTIONS = 2, 4
FAST_EVENTS = 200_000
STEADY_PER_S, STEADY_S = 2_000, 20
EVENTS_PER_S_BAR, P99_MS_BAR = 10_000, 100
TIMEOUT_S = 30


@dataclass(frozen=True)
class Job:
    """What one sender sends, `batches` of BATCH_EVENTS; `batches_per_s` 0 is as fast as it goes."""

    url: str
    write_key: str
    name: str
    batches: int
    batches_per_s: float


@dataclass(frozen=True)
class Sent:
    """What a run came to: its seconds, ms of each batch from when it was due, CPU µs an event by process."""

    events: int
    seconds: float
    batch_ms: list[float]
    cpu_us: dict[str, float]
    memory_mib: float


def measure(at: Deployment) -> list[Sent]:
    """As fast as it goes, then at STEADY_PER_S."""
    key = write_key(at)
    for service in LANES:
        at.command("lane", "pause", service, "--reason", "the collector alone is measured", "--execute")
    try:
        fast = _run(at, key, "fast", FAST_EVENTS, 0.0)
        return [fast, _run(at, key, "steady", STEADY_PER_S * STEADY_S, STEADY_PER_S / BATCH_EVENTS)]
    finally:
        for service in LANES:
            at.command("lane", "resume", service, "--reason", "measured", "--execute")


def _run(at: Deployment, key: str, name: str, events: int, batches_per_s: float) -> Sent:
    before = at.cpu()
    batches = events // BATCH_EVENTS // SENDERS
    jobs = [Job(at.intake, key, f"{name}{n}", batches, batches_per_s / SENDERS) for n in range(SENDERS)]
    with ThreadPoolExecutor(SENDERS) as threads:
        reports = list(threads.map(_send, jobs))
    after = at.cpu()
    cpu_us = {who: (after[who] - before.get(who, 0.0)) * 1e6 / events for who in sorted(after)}
    cpu_us["senders"] = sum(report["cpu_s"] for report in reports) * 1e6 / events
    seconds = max(report["ended_at"] for report in reports) - min(report["began_at"] for report in reports)
    memory = max(mib for who, mib in at.memory().items() if who.startswith("intake"))
    return Sent(events, seconds, sorted(ms for report in reports for ms in report["ms"]), cpu_us, memory)


def _send(job: Job) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.collector", json.dumps(asdict(job))]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def calls(name: str, first: int) -> bytes:
    """The body of one batch: what a shop's pages and servers send."""
    batch = [_call(f"{name}-{number}", number) for number in range(first, first + BATCH_EVENTS)]
    return orjson.dumps({"batch": batch, "sentAt": datetime.now(UTC)})


def _call(message_id: str, number: int) -> dict[str, Any]:
    who = {
        "messageId": message_id,
        "timestamp": datetime.now(UTC),
        "anonymousId": f"anonymous-{number % 50_000}",
        "userId": f"user-{number % 50_000}",
        "context": {"library": {"name": "analytics-python", "version": "2.4.0"}, "ip": "192.0.2.1"},
    }
    item = {"product_id": f"P-{number % 900}", "name": "Shoe", "price": 79.9, "currency": "EUR", "category": "shoes"}
    match number % 10:
        case 0:
            return {**who, "type": "identify", "traits": {"email": f"u{number % 50_000}@people.example"}}
        case 1 | 2:
            order = {"order_id": message_id, "total": 79.9, "currency": "EUR", "products": [{**item, "quantity": 1}]}
            return {**who, "type": "track", "event": "Order Completed", "properties": order}
        case 3 | 4 | 5:
            return {**who, "type": "track", "event": "Product Viewed", "properties": item}
        case _:
            page = {"path": "/shoes", "url": "https://shop.example/shoes", "title": "Shoes"}
            return {**who, "type": "page", "name": "Shoes", "properties": page}


async def _sender(job: Job) -> dict[str, Any]:
    bodies = [calls(job.name, n * BATCH_EVENTS) for n in range(job.batches)]
    began_at, cpu_before = time.time(), time.process_time()
    async with aiohttp.ClientSession(
        auth=aiohttp.BasicAuth(job.write_key),
        connector=aiohttp.TCPConnector(limit=CONNECTIONS),
        timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
    ) as client:

        async def post(body: bytes) -> None:
            async with client.post(f"{job.url}/v1/batch", data=body) as response:
                await response.read()
            if response.status != 200:
                raise RuntimeError(f"not acknowledged: {response.status}")

        took_ms = await when_due(bodies, job.batches_per_s, CONNECTIONS, post)
    return {"ms": took_ms, "began_at": began_at, "ended_at": time.time(), "cpu_s": time.process_time() - cpu_before}


def table(runs: list[Sent]) -> list[str]:
    """Markdown rows."""
    rows = [
        f"Two processes, batches of {BATCH_EVENTS}, lanes resting. Bars: {EVENTS_PER_S_BAR:,} events/s; p99 of a"
        f" batch {P99_MS_BAR} ms at {STEADY_PER_S:,}/s.",
        "",
        "| events | events/s | p50 ms | p99 ms | intake MiB | CPU µs an event |",
        "| --- " * 6 + "|",
    ]
    for run in runs:
        cost = ", ".join(f"{who} {us:.0f}" for who, us in run.cpu_us.items() if us >= 1)
        p50, p99 = (percentile(run.batch_ms, share) or 0.0 for share in (0.5, 0.99))
        rate = run.events / run.seconds
        found = f"**{rate:,.0f}** | {p50:.0f} | **{p99:.0f}** | {run.memory_mib:.0f} | {cost}"
        rows.append(f"| {run.events:,} | {found} |")
    return rows


if __name__ == "__main__":
    print(json.dumps(uvloop.run(_sender(Job(**json.loads(sys.argv[1]))))))
