"""What the product makes of a labelled set: in through the collector as anyone's events, out by what the API answers.

Owns sending, asking and the speed of both. Each set has a copy of its own, so that no set helps another.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import aiohttp
import httpx
import orjson
from prometheus_client.parser import text_string_to_metric_families

from services.ops.demo.accuracy import Accuracy
from tests.benchmarks.deployment import Deployment, running
from tests.benchmarks.identity.contact import Contact, events, lead_type, truth
from tests.benchmarks.identity.metrics import measured
from tests.benchmarks.identity.peers import Figures

BATCH_EVENTS = 100
CONNECTIONS = 4
LOOKUP_MAX = 1_000
WAIT_TIMEOUT_S = 900
WAIT_AT_ONCE_S = 120
"""Of one command, which is given up after 180 s: fifty thousand records take longer."""
TIMEOUT_S = 60
POLL_S = 0.005
SINGLE_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Result:
    """One set: accuracy by the shipped policy and by one fitted to the set without labels; seconds from the first
    send until caught up by the shipped one, CPU µs a record by process."""

    accuracy: Accuracy
    fitted: Accuracy
    records: int
    seconds: float
    cpu_us: dict[str, float]

    @property
    def records_per_s(self) -> float:
        """New records a second, from the first send until every profile shows them."""
        return self.records / self.seconds


def measure(rows: Sequence[Contact], folder: Path) -> Result:
    """A fresh copy is told the records and asked whose each is."""
    with running(folder / "home") as at:
        seconds, cpu_us = load(at, rows)
        shipped = measured(truth(rows), whose(at, rows))
        file = str(folder / "fitted.yaml")
        at.command("identity", "fit", "--out", file)
        at.command("identity", "policy", "apply", file, "--reason", "fitted to this set", "--execute")
        _catch_up(at)
        return Result(shipped, measured(truth(rows), whose(at, rows)), len(rows), seconds, cpu_us)


def load(at: Deployment, rows: Sequence[Contact]) -> tuple[float, dict[str, float]]:
    """Send contacts as fast as the door takes them; (seconds until caught up, CPU µs a record by process)."""
    keys = {source: at.json("source", "create", source)["write_key"] for source in sorted({r.source for r in rows})}
    before, started = at.cpu(), time.monotonic()
    asyncio.run(_send(at.intake, keys, rows))
    _catch_up(at)
    seconds, after = time.monotonic() - started, at.cpu()
    return seconds, {name: (after[name] - before.get(name, 0.0)) * 1e6 / len(rows) for name in after}


def _catch_up(at: Deployment) -> None:
    """Wait until every profile shows what was sent. Raises RuntimeError after WAIT_TIMEOUT_S."""
    until = time.monotonic() + WAIT_TIMEOUT_S
    while (done := at.run("wait", "--timeout", str(WAIT_AT_ONCE_S))).returncode != 0:
        if time.monotonic() > until:
            raise RuntimeError(f"c360 wait: {done.stderr.strip() or done.stdout.strip()}")


async def _send(url: str, keys: dict[str, str], rows: Sequence[Contact]) -> None:
    posts = []
    for source, key in keys.items():
        sent = events([r for r in rows if r.source == source])
        posts += [(key, sent[n : n + BATCH_EVENTS]) for n in range(0, len(sent), BATCH_EVENTS)]
    waiting = iter(posts)

    async def connection(client: aiohttp.ClientSession) -> None:
        for key, batch in waiting:
            await _post(client, url, key, batch)

    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)) as client:
        await asyncio.gather(*(connection(client) for _ in range(CONNECTIONS)))


async def _post(client: aiohttp.ClientSession, url: str, key: str, batch: Sequence[object]) -> None:
    headers = {"content-type": "application/cloudevents-batch+json"}
    auth, body = aiohttp.BasicAuth(key), orjson.dumps(batch)
    while True:
        async with client.post(f"{url}/events", data=body, headers=headers, auth=auth) as response:
            if response.status == 200:
                return
            if response.status not in (429, 503):
                raise RuntimeError(f"{response.status}: {await response.text()}")
        await asyncio.sleep(0.2)


def whose(at: Deployment, rows: Sequence[Contact]) -> dict[str, str | None]:
    """Record key → customer id, as the lookup answers."""
    found: dict[str, str | None] = {}
    with httpx.Client(base_url=at.profile, headers=_bearer(at), timeout=TIMEOUT_S) as client:
        for n in range(0, len(rows), LOOKUP_MAX):
            part = rows[n : n + LOOKUP_MAX]
            asked = [{"type": lead_type(r), "value": r.record_key} for r in part]
            answer = client.post("/v1/customers/lookup", json={"identifiers": asked}).raise_for_status().json()
            found |= {r.record_key: one["customer_id"] for r, one in zip(part, answer["results"], strict=True)}
    return found


def _bearer(at: Deployment) -> dict[str, str]:
    return {"Authorization": f"Bearer {at.operator_key}"}


def singles(at: Deployment, rows: Sequence[Contact]) -> list[float]:
    """Each record alone: ms from before its send until the lookup answers with its customer."""
    keys = {source: at.json("source", "create", source)["write_key"] for source in sorted({r.source for r in rows})}
    return asyncio.run(_singles(at, keys, rows))


async def _singles(at: Deployment, keys: dict[str, str], rows: Sequence[Contact]) -> list[float]:
    found = []
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout) as client:
        for row, sent in zip(rows, events(rows), strict=True):
            started = time.monotonic()
            await _post(client, at.intake, keys[row.source], [sent])
            asked = {"identifiers": [{"type": lead_type(row), "value": row.record_key}]}
            while time.monotonic() - started < SINGLE_TIMEOUT_S:
                url = f"{at.profile}/v1/customers/lookup"
                async with client.post(url, json=asked, headers=_bearer(at)) as response:
                    answer = await response.json()
                if answer["results"][0]["customer_id"]:
                    break
                await asyncio.sleep(POLL_S)
            found.append((time.monotonic() - started) * 1_000)
    return found


def batches(at: Deployment) -> dict[float, float]:
    """Upper bound in s → how many of identity's transactions took no longer, so far."""
    port = next(port for name, port in at.ports.items() if name.startswith("identity"))
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=TIMEOUT_S).text
    return {
        float(sample.labels["le"]): sample.value
        for family in text_string_to_metric_families(text)
        if family.name == "c360_batch_seconds"
        for sample in family.samples
        if sample.name.endswith("_bucket") and sample.labels["service"] == "identity"
    }


def bound_ms(before: dict[float, float], after: dict[float, float], share: float) -> float:
    """The smallest of the histogram's bounds, in ms, that at least this share of the later transactions kept."""
    counts = {bound: after[bound] - before.get(bound, 0.0) for bound in after}
    return min(bound for bound, count in counts.items() if count >= share * max(counts.values())) * 1_000


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def figures(result: Result) -> list[Figures]:
    """As the peers' are told."""
    return [
        Figures("**customer360**, shipped policy", "shipped", result.accuracy, result.seconds),
        Figures("**customer360**, fitted without labels", "shipped", result.fitted, result.seconds),
    ]


def speed(result: Result) -> str:
    """One line: records/s and where the CPU goes."""
    shares = ", ".join(f"{name} {us:.0f}" for name, us in sorted(result.cpu_us.items()))
    rate = f"**{result.records_per_s:,.0f}/s**"
    return f"{result.records:,} records in {result.seconds:.1f} s, {rate}; CPU µs a record: {shares}"


def summary(values: Sequence[float]) -> str:
    """p50, p95, p99 in ms."""
    return f"p50 {median(values):.0f}, p95 {percentile(values, 0.95):.0f}, p99 {percentile(values, 0.99):.0f} ms"
