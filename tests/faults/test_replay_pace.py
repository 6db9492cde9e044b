"""R7: a rebuild keeps the rate it was given and its promise of when it is done, and nobody waits for it.

Through the public command and doors, on a copy of its own.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.benchmarks.sending import Job, send
from tests.faults.sizes import FIGURES
from tests.support import deployment
from tests.support.deployment import Deployment
from tests.support.doors import Doors
from tests.support.running import until

EVENTS, CUSTOMERS = 6_000, 1_500
RATE = 200
RATE_OFF_MAX, ETA_OFF_MAX = 0.10, 0.25
PAUSE_MAX_S = 2.0
RATIO_MAX = 1.5
FAST_ENOUGH_S = 0.250
"""A p95 below it passes whatever the ratio."""
SETTLES_S = 2.0
MEASURED_S = 12.0
TIMEOUT_S = 120.0


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Deployment]:
    """A copy with everything in it."""
    with deployment.running(tmp_path) as copy:
        yield copy


def _beside(copy: Deployment) -> dict[str, Any]:
    found = httpx.get(f"{copy.internal['interaction']}/replay", timeout=30, trust_env=False).json()
    beside: dict[str, Any] = found["beside"]
    return beside


def _step(copy: Deployment, step: str) -> None:
    """What the command asks for, without the second that a command takes to start."""
    body = {"by": "a test", "execute": True}
    httpx.post(f"{copy.internal['interaction']}/replay/{step}", json=body, trust_env=False).raise_for_status()


def _sent_to_seen_s(doors: Doors, seconds: float) -> list[float]:
    """How long it took, again and again, until somebody's profile showed what was just sent."""
    source, taken = doors.source("probe"), []
    ends = time.monotonic() + seconds
    event = {"type": "page.viewed", "identifiers": {"user_id": "probe"}, "properties": {"path": "/"}}
    position = doors.send(source, event)
    customer = doors.customer_of("user_id", "probe", position)
    while time.monotonic() < ends:
        began = time.monotonic()
        doors.profile(customer, doors.send(source, event))
        taken.append(time.monotonic() - began)
    return taken


def _p95(taken: list[float]) -> float:
    return statistics.quantiles(taken, n=20)[-1]


def _rate(copy: Deployment, seconds: float) -> float:
    """Records a second that the rebuild goes through."""
    began, left = time.monotonic(), _beside(copy)["left"]
    threading.Event().wait(seconds)
    return float((left - _beside(copy)["left"]) / (time.monotonic() - began))


@pytest.mark.faults
def test_R7_a_rebuild_holds_its_rate_and_its_word_and_nobody_waits_for_it(copy: Deployment) -> None:
    doors = Doors(copy)
    key = copy.json("source", "create", "load", "--channel", "web", "--currency", "USD")["write_key"]
    send(Job(copy.intake, key, EVENTS, 7, CUSTOMERS, 100, 2, 0.0, str(copy.home / "ledger")))
    copy.command("wait")
    calm = _p95(_sent_to_seen_s(doors, MEASURED_S))

    copy.command("replay", "start", "interaction", "--rate", str(RATE), "--execute")
    until(lambda: bool((_beside(copy) or {}).get("left")), "the rebuild is at work", TIMEOUT_S)
    threading.Event().wait(SETTLES_S)
    started, promised_s = time.monotonic(), _beside(copy)["seconds_left"]
    held = _rate(copy, MEASURED_S)
    busy = _p95(_sent_to_seen_s(doors, MEASURED_S))

    asked = time.monotonic()
    _step(copy, "pause")
    until(lambda: _beside(copy)["worker"] == "paused", "it rests", TIMEOUT_S)
    paused_s = time.monotonic() - asked
    left = _beside(copy)["left"]
    _step(copy, "resume")
    rested_s = time.monotonic() - asked
    until(lambda: _beside(copy)["left"] == 0, "it is done", TIMEOUT_S)
    took_s = time.monotonic() - started - rested_s

    FIGURES.append(
        f"R7: rate {held:.0f} of {RATE}/s, promised {promised_s} s, took {took_s:.0f} s, paused in {paused_s:.1f} s"
        f" with {left} left; p95 {calm * 1000:.0f} ms calm, {busy * 1000:.0f} ms beside it"
    )
    assert abs(held - RATE) <= RATE * RATE_OFF_MAX
    assert abs(took_s - promised_s) <= promised_s * ETA_OFF_MAX
    assert paused_s <= PAUSE_MAX_S
    assert busy <= max(FAST_ENOUGH_S, calm * RATIO_MAX)
    doors.close()
