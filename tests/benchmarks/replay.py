"""Rebuilding each service from the log: records a second with live idle, then whether it equals live, and the swap.

Owns the measurement and its table. Identity is rebuilt over known records: each customer of the mix comes many times.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.benchmarks.deployment import Deployment
from tests.benchmarks.mix import CONNECTIONS, WAIT_TIMEOUT_S, write_key
from tests.benchmarks.sending import Job, send
from tests.support.running import until

EVENTS, CUSTOMERS = 200_000, 3_000
BATCH_EVENTS = 200
UNPACED = 1_000_000
PER_S_BARS = {"identity": 20_000, "interaction": 8_000, "value": 8_000, "profile": 8_000}
REBUILT_TIMEOUT_S = 600.0


@dataclass(frozen=True)
class Rebuilt:
    """One service's rebuild. `differ`: what `c360 verify` says beside live, "" when nothing does."""

    service: str
    records: int
    per_s: float
    cpu_us: float
    verify_s: float
    swap_s: float
    differ: str


def measure(at: Deployment, folder: Path, events: int = EVENTS) -> list[Rebuilt]:
    """Fill the log, then rebuild, verify and swap one service after the other."""
    key = write_key(at)
    send(Job(at.intake, key, events, 7, CUSTOMERS, BATCH_EVENTS, CONNECTIONS, 0, str(folder / "replay")))
    at.command("wait", "--timeout", str(WAIT_TIMEOUT_S))
    with httpx.Client(timeout=60, trust_env=False) as pages:
        return [_rebuilt(at, pages, service) for service in PER_S_BARS]


def _rebuilt(at: Deployment, pages: httpx.Client, service: str) -> Rebuilt:
    url = at.internal[service]

    def beside() -> dict[str, Any]:
        found: dict[str, Any] = pages.get(f"{url}/replay").raise_for_status().json()["beside"]
        return found

    plan = pages.get(f"{url}/replay/plan", params={"rate": UNPACED}).raise_for_status().json()
    at.command("replay", "start", service, "--rate", str(UNPACED), "--execute")
    until(lambda: beside()["left"] < plan["records"], "the rebuild begins", REBUILT_TIMEOUT_S)
    first_at, first_left = time.monotonic(), beside()["left"]
    until(lambda: beside()["left"] == 0, "the rebuild ends", REBUILT_TIMEOUT_S)
    seconds = time.monotonic() - first_at
    cpu_s = at.cpu().get(f"{service}.rebuild", 0.0)
    until(lambda: bool(beside()["reviewed"]), "all is looked at again", REBUILT_TIMEOUT_S)
    verify_s, verified = _timed(lambda: at.run("verify", service))
    swap_s, swapped = _timed(lambda: at.run("replay", "swap", service, "--execute"))
    failed = [done for done in (verified, swapped) if done.returncode]
    return Rebuilt(
        service,
        plan["records"],
        first_left / seconds,
        cpu_s * 1e6 / plan["records"],
        verify_s,
        swap_s,
        "; ".join((done.stderr or done.stdout).strip().splitlines()[0] for done in failed),
    )


def _timed(act: Callable[[], Any]) -> tuple[float, Any]:
    started = time.monotonic()
    result = act()
    return time.monotonic() - started, result


def table(found: list[Rebuilt]) -> list[str]:
    """Markdown rows."""
    rows = [
        "Live idle; verified against live, then swapped.",
        "",
        "| service | records | records/s | bar | CPU µs a record | verify s | swap s | differs |",
        "| --- " * 8 + "|",
    ]
    for one in found:
        times = f"{one.cpu_us:.0f} | {one.verify_s:.1f} | {one.swap_s:.1f} | {one.differ or 'nothing'}"
        bar = f"{PER_S_BARS[one.service]:,}"
        rows.append(f"| {one.service} | {one.records:,} | **{one.per_s:,.0f}** | {bar} | {times} |")
    return rows
