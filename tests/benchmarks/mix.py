"""The standard mix end to end: first send until everything is visible in profiles, with the oracle's word.

Owns events/s, CPU µs per event and process, memory; lost, duplicated and diverging are in the same table.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

import orjson

from schemas.topics import CHANNEL_EVENTS
from tests.benchmarks.deployment import Deployment
from tests.benchmarks.sending import Job, send
from tests.support import load
from tests.support.oracle import Findings, check
from tests.support.rig import STATE_TOPICS

BATCH_EVENTS = 100
CONNECTIONS = 8
WAIT_TIMEOUT_S = 300
MEMORY_MIB_MAX = 300
EVENTS_PER_S_BAR = 2_500


@dataclass(frozen=True)
class Sending:
    """So many events of the mix of a seed over so many customers."""

    count: int
    seed: int
    customers: int


@dataclass(frozen=True)
class Ingested:
    """One run: by process CPU µs an event and resident MiB; (source, id) of all that was acknowledged."""

    events: int
    seconds: float
    cpu_us: dict[str, float]
    memory_mib: dict[str, float]
    sent: list[tuple[str, str]]

    @property
    def events_per_s(self) -> float:
        """From the first send until caught up."""
        return self.events / self.seconds


@dataclass(frozen=True)
class Result(Ingested):
    """With the oracle's word on all that the log held then."""

    findings: Findings

    @property
    def is_wrong(self) -> bool:
        """Whether anything was found."""
        return not self.findings.zero


def write_key(at: Deployment) -> str:
    """A source for the mix."""
    key: str = at.json("source", "create", "mix")["write_key"]
    return key


def measure(at: Deployment, sending: Sending, ledger: Path) -> Result:
    """Send as fast as the door takes it, wait until profiles show all, and ask the oracle."""
    return judged(at, ingest(at, write_key(at), sending, ledger))


def ingest(at: Deployment, key: str, sending: Sending, ledger: Path) -> Ingested:
    """The same without the oracle."""
    count = sending.count
    job = Job(at.intake, key, count, sending.seed, sending.customers, BATCH_EVENTS, CONNECTIONS, 0, str(ledger))
    before = at.cpu()
    report = send(job)
    at.command("wait", "--timeout", str(WAIT_TIMEOUT_S))
    seconds = time.time() - report["first_at"]
    after = at.cpu()
    memory = at.memory()
    cpu_us = {n: (after[n] - before.get(n, 0.0)) * 1e6 / count for n in after}
    cpu_us["generator"] = report["cpu_s"] * 1e6 / count
    ids = [("mix", i) for i in orjson.loads(ledger.read_bytes())]
    return Ingested(count, seconds, cpu_us, memory, ids)


def judged(at: Deployment, run: Ingested) -> Result:
    """The oracle's word on all that the log holds by now."""
    findings = asyncio.run(_oracle(at, run.sent))
    return Result(run.events, run.seconds, run.cpu_us, run.memory_mib, run.sent, findings)


async def _oracle(at: Deployment, ledger: list[tuple[str, str]]) -> Findings:
    log = load.read(at.kafka, CHANNEL_EVENTS.name)
    last = {topic: load.last_by_key(at.kafka, topic) for topic in STATE_TOPICS}
    return await check(at.database, log, ledger=ledger, last_told=last)


def table(result: Result) -> list[str]:
    """Markdown rows."""
    f = result.findings
    total = sum(result.cpu_us.values())
    return [
        "| events | seconds | events/s | CPU µs an event | lost | dup | order | diverge | phantom | stale |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        f"| {result.events:,} | {result.seconds:.1f} | **{result.events_per_s:,.0f}** | {total:.0f}"
        f" | {f.lost} | {f.dup} | {f.order} | {f.diverge} | {f.phantom} | {f.stale} |",
        "",
        "| process | CPU µs an event | resident MiB |",
        "| --- | --- | --- |",
        *(
            f"| {name} | {us:.0f} | {result.memory_mib.get(name, 0):.0f} |"
            for name, us in sorted(result.cpu_us.items())
        ),
    ]
