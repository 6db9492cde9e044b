"""From an event's sending to its profile, at a steady rate of the standard mix, with many customers stored.

Owns preparing the customers and the open-loop measurement. The clock starts before the send and stops at the
first GET that shows the event.
"""

from __future__ import annotations

import asyncio
import math
import threading
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import asyncpg
import httpx
import orjson

from services.ops.demo.probe import Latencies, Plan, Target, measure
from tests.benchmarks.deployment import Deployment
from tests.benchmarks.mix import CONNECTIONS, WAIT_TIMEOUT_S
from tests.benchmarks.sending import Job, send

CUSTOMERS = 100_000
LOAD_BATCH_EVENTS = 500
RATES_PER_S = (500, 1_000)
RUNS = 3
"""At each rate; the table gives the median of each figure and the range of the p95, for machines are noisy."""
SECONDS = 25
PROBES_PER_S = 10
SETTLE_S = 5
BATCH_EVENTS = 20
"""In a request, as the server libraries of this kind of collector send by default."""
P95_MS_BAR = 250


@dataclass(frozen=True)
class Run:
    """One run at one rate; `sent_per_s` is what the door really took."""

    asked_per_s: int
    sent_per_s: float
    latencies: Latencies

    def ms(self, share: float) -> float:
        """The percentile in ms; infinite where that probe was never shown."""
        found = self.latencies.percentile_ms(share)
        return math.inf if found is None else found


def known_customers(at: Deployment, key: str) -> list[Target]:
    """Make CUSTOMERS known customers through the door; a sample of them to probe."""
    asyncio.run(_identify(at, key))
    at.command("wait", "--timeout", str(WAIT_TIMEOUT_S))
    asyncio.run(_vacuum(at.database))
    wanted = [f"bench-{n}" for n in range(0, CUSTOMERS, CUSTOMERS // 1_000)]
    answer = httpx.post(
        f"{at.profile}/v1/customers/lookup",
        json={"identifiers": [{"type": "user_id", "value": v} for v in wanted]},
        headers={"Authorization": f"Bearer {at.operator_key}"},
        timeout=30,
    ).raise_for_status()
    found = [(v, r["customer_id"]) for v, r in zip(wanted, answer.json()["results"], strict=True)]
    return [Target(("user_id", v), customer) for v, customer in found if customer]


async def _vacuum(database_url: str) -> None:
    """What a database filled a minute ago would do while we measure, one that is in use has behind it."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("VACUUM (ANALYZE)")
    finally:
        await connection.close()


async def _identify(at: Deployment, key: str) -> None:
    numbers = iter(range(0, CUSTOMERS, LOAD_BATCH_EVENTS))
    async with httpx.AsyncClient(auth=(key, ""), timeout=60) as client:

        async def connection() -> None:
            for first in numbers:
                body = orjson.dumps(
                    [_identified(n) for n in range(first, min(first + LOAD_BATCH_EVENTS, CUSTOMERS))]
                )
                headers = {"content-type": "application/cloudevents-batch+json"}
                (await client.post(f"{at.intake}/events", content=body, headers=headers)).raise_for_status()

        await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))


def _identified(n: int) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": f"known-{n}",
        "source": "mix",
        "type": "contact.identified",
        "data": {"identifiers": {"user_id": f"bench-{n}", "email": f"bench-{n}@people.example"}},
    }


def at_rate(at: Deployment, key: str, targets: list[Target], rate_per_s: int, folder: Path) -> list[Run]:
    """RUNS runs at this rate, of other events each."""
    return [_run(at, key, targets, rate_per_s, number, folder) for number in range(RUNS)]


def _run(at: Deployment, key: str, targets: list[Target], rate_per_s: int, number: int, folder: Path) -> Run:
    """Probe while the mix is sent at this rate by another process."""
    count = rate_per_s * (SECONDS + 2 * SETTLE_S)
    ledger = folder / f"ledger-{rate_per_s}-{number}"
    seed, connections = rate_per_s + number, CONNECTIONS * 2
    job = Job(at.intake, key, count, seed, 50_000, BATCH_EVENTS, connections, rate_per_s, str(ledger))
    reports = []
    sender = threading.Thread(target=lambda: reports.append(send(job)))
    sender.start()
    plan = Plan(
        at.intake,
        at.profile,
        at.operator_key,
        key,
        "mix",
        f"rate-{rate_per_s}-{number}",
        (targets * 2)[: PROBES_PER_S * SECONDS],
        (),
    )
    try:
        latencies = asyncio.run(_after(SETTLE_S, plan))
    finally:
        sender.join()
    at.command("wait", "--timeout", str(WAIT_TIMEOUT_S))
    return Run(rate_per_s, reports[0]["acked"] / reports[0]["seconds"], latencies)


async def _after(seconds: float, plan: Plan) -> Latencies:
    await asyncio.sleep(seconds)
    return await measure(plan, PROBES_PER_S)


def table(rates: list[list[Run]]) -> list[str]:
    """Markdown rows: medians of the runs at each rate."""
    rows = [
        "| events/s asked | taken | runs | probes | p50 ms | p95 ms | p95 of the runs | p99 ms | not shown |",
        "| --- " * 9 + "|",
    ]
    for runs in rates:
        p50, p95, p99 = (median(run.ms(share) for run in runs) for share in (0.5, 0.95, 0.99))
        probes = sum(len(run.latencies.shown_ms) + run.latencies.missing for run in runs)
        each = ", ".join(f"{run.ms(0.95):.0f}" for run in runs)
        rows.append(
            f"| {runs[0].asked_per_s:,} | {median(run.sent_per_s for run in runs):,.0f} | {len(runs)} | {probes}"
            f" | {p50:.0f} | **{p95:.0f}** | {each} | {p99:.0f} | {sum(run.latencies.missing for run in runs)} |"
        )
    return rows
