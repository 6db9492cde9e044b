"""The standard mix end to end: first send until everything is visible in profiles, with the oracle's word.

Owns events/s, CPU µs per event and process, memory; lost, duplicated and diverging are in the same table.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

import orjson

from tests.benchmarks.deployment import Deployment
from tests.benchmarks.sending import Job, send
from tests.support.logs import read_log
from tests.support.oracle import Findings, check

BATCH_EVENTS = 100
CONNECTIONS = 8
WAIT_TIMEOUT_S = 300
MEMORY_MIB_MAX = 300
EVENTS_PER_S_BAR = 2_500


@dataclass(frozen=True)
class Result:
    """One run. `cpu_us` is process → CPU µs per event; `memory_mib` process → resident MiB."""

    events: int
    seconds: float
    cpu_us: dict[str, float]
    memory_mib: dict[str, float]
    findings: Findings

    @property
    def events_per_s(self) -> float:
        """From the first send until caught up."""
        return self.events / self.seconds


def write_key(at: Deployment) -> str:
    """A source for the mix."""
    key: str = at.json("source", "create", "mix")["write_key"]
    return key


def measure(at: Deployment, count: int, seed: int, customers: int, ledger: Path) -> Result:
    """Send `count` events as fast as the door takes them and wait until profiles show all."""
    job = Job(at.intake, write_key(at), count, seed, customers, BATCH_EVENTS, CONNECTIONS, 0, str(ledger))
    before = at.cpu()
    report = send(job)
    at.command("wait", "--timeout", str(WAIT_TIMEOUT_S))
    seconds = time.time() - report["first_at"]
    after = at.cpu()
    memory = at.memory()
    cpu_us = {n: (after[n] - before.get(n, 0.0)) * 1e6 / count for n in after}
    cpu_us["generator"] = report["cpu_s"] * 1e6 / count
    ids = [("mix", i) for i in orjson.loads(ledger.read_bytes())]
    return Result(count, seconds, cpu_us, memory, asyncio.run(_oracle(at, ids)))


async def _oracle(at: Deployment, ledger: list[tuple[str, str]]) -> Findings:
    log = read_log(at.kafka, "channel.events")
    topics = ("identity.bindings", "identity.customers", "interaction.customers")
    last = {t: {r.key: r for r in read_log(at.kafka, t)} for t in topics}
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
