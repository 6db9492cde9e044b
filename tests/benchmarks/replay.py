"""Rebuilding each service from the log: records a second with live idle, then whether it equals live, and the swap.

Owns the measurement and its table. A rebuild has ended when all is combined. Somebody reads profiles all the time.
Identity is rebuilt twice: of the standard mix, and of a log whose second half are views of customers it knows.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from tests.benchmarks.deployment import Deployment
from tests.benchmarks.mix import CONNECTIONS, WAIT_TIMEOUT_S, write_key
from tests.benchmarks.reading import Read, Reader, line, reading
from tests.benchmarks.sending import Job, send
from tests.support.running import until

EVENTS = int(os.environ.get("C360_BENCH_REPLAY_EVENTS", "100000"))
"""In the log; the views of known customers come on top, KNOWN_SHARE of them."""
EVENTS_PER_CUSTOMER = 33
KNOWN_SHARE = 0.5
BATCH_EVENTS = 200
UNPACED = 1_000_000
PER_S_BARS = {"interaction": 8_000, "value": 8_000, "profile": 8_000, "identity": 20_000}
KNOWN = "identity, known records"
READ_CUSTOMERS = 2_000
WAIT_S_PER_EVENT = 0.01
REBUILT_TIMEOUT_S = 1_800.0


@dataclass(frozen=True)
class Rebuilt:
    """One service's rebuild. `differ`: what `c360 verify` says beside live, "" when nothing does."""

    service: str
    records: int
    per_s: float
    cpu_us: float
    postgres_us: float
    verify_s: float
    swap_s: float
    differ: str


@dataclass(frozen=True)
class Replayed:
    """All rebuilds, and what came of the reading beside them."""

    events: int
    rebuilt: list[Rebuilt]
    read: Read

    @property
    def is_wrong(self) -> bool:
        """Whether anything differed or was not answered."""
        return bool(self.read.errors) or any(one.differ for one in self.rebuilt)


def measure(at: Deployment, folder: Path, events: int = EVENTS) -> Replayed:
    """Fill the log, then rebuild, verify and swap one service after the other, while profiles are read."""
    key = write_key(at)
    _fill(at, key, folder, events, 0)
    customers = asyncio.run(_customers(at.database))
    rebuilt = []
    with (
        httpx.Client(timeout=60, trust_env=False) as pages,
        reading(Reader(at.profile, at.operator_key, customers)) as read,
    ):
        for service in PER_S_BARS:
            rebuilt.append(_rebuilt(at, pages, service))
            print(rebuilt[-1], flush=True)
        before = _ends(pages, at.internal["identity"])
        _fill(at, key, folder, int(events * KNOWN_SHARE), 1)
        at.command("replay", "abort", "identity", "--execute")
        rebuilt.append(_rebuilt(at, pages, "identity", before))
    return Replayed(events, rebuilt, read)


def _fill(at: Deployment, key: str, folder: Path, events: int, again: int) -> None:
    customers = max(1, int(events / (KNOWN_SHARE if again else 1)) // EVENTS_PER_CUSTOMER)
    ledger = str(folder / f"replay-{again}")
    send(Job(at.intake, key, events, 7, customers, BATCH_EVENTS, CONNECTIONS, 0, ledger, again))
    at.command("wait", "--timeout", str(max(WAIT_TIMEOUT_S, int(events * WAIT_S_PER_EVENT))))


async def _customers(database: str) -> list[str]:
    """Some customers who are shown."""
    connection = await asyncpg.connect(database, server_settings={"search_path": "profile_g1"})
    try:
        rows = await connection.fetch("SELECT customer_id FROM listed WHERE shown LIMIT $1", READ_CUSTOMERS)
        return [str(r["customer_id"]) for r in rows]
    finally:
        await connection.close()


def _ends(pages: httpx.Client, url: str) -> dict[int, int]:
    """Partition → where the log of events ends now."""
    rows = pages.get(f"{url}/replay/plan").raise_for_status().json()["partitions"]
    return {row["partition"]: row["records"] for row in rows if row["topic"] == "channel.events"}


def _rebuilt(at: Deployment, pages: httpx.Client, service: str, beyond: dict[int, int] | None = None) -> Rebuilt:
    """`beyond`: partition → offset from which on its records are counted, once all lie before it; all by default."""
    url = at.internal[service]

    def beside() -> dict[str, Any]:
        found: dict[str, Any] = pages.get(f"{url}/replay").raise_for_status().json()["beside"]
        return found

    def is_beyond() -> bool:
        return beyond is None or _passed(beside()["positions"], beyond)

    plan = pages.get(f"{url}/replay/plan", params={"rate": UNPACED}).raise_for_status().json()
    cpu_before = at.cpu()
    at.command("replay", "start", service, "--rate", str(UNPACED), "--execute")
    until(lambda: beside()["left"] < plan["records"] and is_beyond(), "the rebuild is there", REBUILT_TIMEOUT_S)
    first_at, first_left = time.monotonic(), beside()["left"]
    if beyond is None:
        until(lambda: beside()["left"] == 0 and beside()["reviewed"], "it ends", REBUILT_TIMEOUT_S)
    else:
        until(lambda: beside()["left"] == 0, "it ends", REBUILT_TIMEOUT_S)
    seconds = time.monotonic() - first_at
    cpu = at.cpu()
    until(lambda: bool(beside()["reviewed"]), "all is looked at again", REBUILT_TIMEOUT_S)
    verify_s, verified = _timed(lambda: at.run("verify", service))
    swap_s, swapped = _timed(lambda: at.run("replay", "swap", service, "--execute"))
    failed = [done for done in (verified, swapped) if done.returncode]
    return Rebuilt(
        service if beyond is None else KNOWN,
        plan["records"],
        first_left / seconds,
        cpu.get(f"{service}.rebuild", 0.0) * 1e6 / plan["records"],
        (cpu["postgres"] - cpu_before["postgres"]) * 1e6 / plan["records"],
        verify_s,
        swap_s,
        "; ".join((done.stderr or done.stdout).strip().splitlines()[0] for done in failed),
    )


def _passed(rows: list[dict[str, Any]], ends: dict[int, int]) -> bool:
    return all(row["position"] >= ends[row["partition"]] for row in rows if row["topic"] == "channel.events")


def _timed(act: Callable[[], Any]) -> tuple[float, Any]:
    started = time.monotonic()
    result = act()
    return time.monotonic() - started, result


def table(found: Replayed) -> list[str]:
    """Markdown rows."""
    rows = [
        f"Live idle, {found.events:,} events of the mix in the log, then {KNOWN_SHARE:.0%} more of known records;"
        " verified against live, then swapped.",
        "",
        "| service | records | records/s | bar | rebuild µs a record | postgres µs | verify s | swap s | differs |",
        "| --- " * 9 + "|",
    ]
    for one in found.rebuilt:
        times = f"{one.cpu_us:.0f} | {one.postgres_us:.0f} | {one.verify_s:.1f} | {one.swap_s:.1f}"
        bar = f"{PER_S_BARS[one.service]:,}" if one.service in PER_S_BARS and one.service != "identity" else ""
        bar = f"{PER_S_BARS['identity']:,}" if one.service == KNOWN else bar
        told = f"{times} | {one.differ or 'nothing'}"
        rows.append(f"| {one.service} | {one.records:,} | **{one.per_s:,.0f}** | {bar} | {told} |")
    return [*rows, "", line(found.read)]
