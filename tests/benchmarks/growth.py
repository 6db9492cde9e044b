"""What an event costs the more events are stored: the standard mix through all doors, again and again on one copy.

Owns the sizes, the filling between them and the comparison. The stored events went through the lanes like all others,
so history, ledgers, evidence and profiles are as large as they say, of the customers whom the measured events are of.
C360_BENCH_GROWTH names the sizes: 10000,100000,1000000,5000000 takes more than an hour.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import asyncpg

from tests.benchmarks import filling, mix, pages, plots
from tests.benchmarks.deployment import Deployment
from tests.support.oracle import Findings

SIZES = tuple(int(size) for size in os.environ.get("C360_BENCH_GROWTH", "10000,100000").split(","))
EVENTS = int(os.environ.get("C360_BENCH_GROWTH_EVENTS", "10000"))
"""Measured at each size, in each of RUNS runs."""
RUNS = 3
EVENTS_PER_CUSTOMER = 10
CUSTOMERS_MAX = 500_000
"""Of the mix."""
ORACLE_EVENTS_MAX = 200_000
"""Of a larger log the reference would take longer than the measurement."""
COMPARED_WITH = 100_000
GROWTH_BAR = 0.35
LEAST_PER_S = 300
SETTLE_LEAST_S = 180.0
MIB = 1024 * 1024


@dataclass(frozen=True)
class Size:
    """What was measured with so many events stored. `fill_per_s`: how fast the lanes alone took those before."""

    stored: int
    customers: int
    fill_per_s: float
    runs: list[mix.Ingested]
    database_mib: float
    findings: Findings | None
    """The oracle's; None where it was not asked."""

    @property
    def cost_us(self) -> float:
        """CPU µs an event of all processes but the generator: the median of the runs."""
        return median(sum(us for who, us in run.cpu_us.items() if who != "generator") for run in self.runs)

    def cost_of(self, process: str) -> float:
        """CPU µs an event of one process: the median of the runs."""
        return median(run.cpu_us.get(process, 0.0) for run in self.runs)


def measure(at: Deployment, folder: Path, sizes: Sequence[int] = SIZES) -> list[Size]:
    """Fill up to each size, measure there."""
    key, found, stored = mix.write_key(at), [], 0
    for number, size in enumerate(sizes):
        customers = min(CUSTOMERS_MAX, max(1, size // EVENTS_PER_CUSTOMER))
        missing = max(0, size - stored)
        fill_s = _fill(at, missing, number, customers)
        asyncio.run(_vacuum(at.database))
        runs: list[mix.Ingested] = []
        for n in range(RUNS):
            seed, ledger = 1_000 * (number + 1) + n, folder / f"growth-{number}-{n}"
            runs.append(mix.ingest(at, key, mix.Sending(EVENTS, seed, customers), ledger))
        stored = size + RUNS * EVENTS
        word = mix.judged(at, runs[-1]).findings if stored <= ORACLE_EVENTS_MAX else None
        found.append(Size(size, customers, missing / fill_s, runs, asyncio.run(_mib(at.database)), word))
        print(*table(found)[-1:], sep="\n", flush=True)
    return found


def _fill(at: Deployment, missing: int, seed: int, customers: int) -> float:
    """Seconds until these events more are stored and shown."""
    began = time.monotonic()
    filling.append(at.kafka, filling.encoded(missing, seed, customers))
    filling.settle(at, SETTLE_LEAST_S + missing / LEAST_PER_S)
    return time.monotonic() - began


async def _vacuum(database_url: str) -> None:
    """What a database filled a minute ago would do while we measure, one that is in use has behind it."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("VACUUM (ANALYZE)", timeout=900)
        await connection.execute("CHECKPOINT", timeout=900)
    finally:
        await connection.close()


async def _mib(database_url: str) -> float:
    connection = await asyncpg.connect(database_url)
    try:
        return float(await connection.fetchval("SELECT pg_database_size(current_database())")) / MIB
    finally:
        await connection.close()


def is_wrong(found: Sequence[Size]) -> bool:
    """Whether the oracle found anything where it was asked."""
    return any(size.findings is not None and not size.findings.zero for size in found)


def table(found: Sequence[Size]) -> list[str]:
    """Markdown rows."""
    processes = sorted({process for size in found for run in size.runs for process in run.cpu_us} - {"generator"})
    start = next((size for size in found if size.stored == COMPARED_WITH), None)
    rows = [
        f"{EVENTS:,} events of the mix at each size, sent as fast as the door takes them; medians of {RUNS} runs."
        f" Bar: at the largest size at most {GROWTH_BAR:.0%} more than at {COMPARED_WITH:,}.",
        "",
        f"| stored | customers | events/s | CPU µs an event | of that at {COMPARED_WITH:,} | "
        + " | ".join(processes)
        + " | database MiB | filled at | oracle |",
        "| --- " * (len(processes) + 8) + "|",
    ]
    for size in found:
        share = f"**{size.cost_us / start.cost_us:.0%}**" if start is not None else ""
        costs = " | ".join(f"{size.cost_of(process):.0f}" for process in processes)
        rate = f"{median(run.events_per_s for run in size.runs):,.0f} | **{size.cost_us:.0f}** | {share}"
        rest = f"{size.database_mib:,.0f} | {size.fill_per_s:,.0f}/s | {_word(size.findings)}"
        rows.append(f"| {size.stored:,} | {size.customers:,} | {rate} | {costs} | {rest} |")
    return rows


def _word(findings: Findings | None) -> str:
    """The oracle's."""
    if findings is None:
        return "not asked"
    return "ZERO" if findings.zero else str(findings)


def write(found: Sequence[Size]) -> None:
    """The page and its plot."""
    processes = sorted({process for size in found for run in size.runs for process in run.cpu_us} - {"generator"})
    series = {"all": [(float(size.stored), size.cost_us) for size in found]}
    series |= {process: [(float(size.stored), size.cost_of(process)) for size in found] for process in processes}
    plot = plots.lines("CPU an event by events stored", "events stored", "CPU µs an event", series, log="x")
    pages.write("growth", "What an event costs the more events are stored", table(found), {"Growth": plot})
