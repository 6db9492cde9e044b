"""R1, R2: rebuilds and swaps while events come in and processes are killed; what is live then is what the log says.

Through the public command, on a copy of its own: the supervisor starts again what is killed.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.benchmarks.sending import Job, send
from tests.support import deployment
from tests.support.deployment import Deployment
from tests.support.running import until

EVENTS_BEFORE, EVENTS_WHILE = 6_000, 8_000
CUSTOMERS = 1_500
EVENTS_PER_S = 250.0
RATE = "1500"
SHARES = (0.25, 0.5, 0.75)
TIMEOUT_S = 120.0
SWAPPED = ("value", "identity")


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Deployment]:
    """A copy with two workers of value."""
    with deployment.running(tmp_path, "--workers", "value=2") as copy:
        yield copy


def _job(copy: Deployment, key: str, count: int, seed: int, rate: float) -> Job:
    return Job(copy.intake, key, count, seed, CUSTOMERS, 100, 2, rate, str(copy.home / f"ledger.{seed}"))


def _standing(copy: Deployment, service: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{copy.internal[service]}/replay", timeout=30, trust_env=False).json()
    return found


def _kill(copy: Deployment, name: str) -> None:
    os.kill(until(lambda: copy.pids().get(name, 0), f"{name} runs", TIMEOUT_S), signal.SIGKILL)


def _rebuild(copy: Deployment, service: str) -> None:
    """From the beginning, killed at a quarter, a half and three quarters of the way."""
    records = copy.json("replay", "plan", service)["records"]
    copy.command("replay", "start", service, "--rate", RATE, "--execute")
    for share in SHARES:
        _until_left(copy, service, int(records * (1 - share)))
        _kill(copy, f"{service}.rebuild")

    def is_level() -> bool:
        one = _standing(copy, service)["beside"]
        return bool(one["behind_live"] < 100 and one["reviewed"] and one["worker"] == "fetching")

    until(is_level, "the rebuild follows the tail", TIMEOUT_S)


def _until_left(copy: Deployment, service: str, most: int) -> None:
    """Until the other generation has no more records to read than that; if none, it has looked at everybody too."""

    def is_there() -> bool:
        one = _standing(copy, service)["beside"]
        return bool(one["left"] <= most and (most or one["reviewed"]))

    until(is_there, f"{service} has {most} records left", TIMEOUT_S)


def _swap(copy: Deployment, service: str) -> int:
    """Put it in place and kill a worker while it tells what differs; how long workers waited, in ms."""
    done: dict[str, Any] = copy.json("replay", "swap", service, "--execute", "--no-wait")
    _kill(copy, service)
    until(lambda: _standing(copy, service)["retelling"]["done"], "all that differs is told", TIMEOUT_S)
    assert _standing(copy, service)["live"] == done["live"]
    return int(done["waited_ms"])


def _differs(copy: Deployment, service: str) -> list[Any]:
    """What `diff` and `verify` find between what is live and the generation beside it."""
    _until_left(copy, service, 0)
    told = json.loads(copy.run("replay", "diff", service, "--json").stdout)["topics"]
    rows = json.loads(copy.run("verify", service, "--json").stdout)
    return [*(sample for one in told.values() for sample in one["samples"]), *rows["differing"]]


@pytest.mark.faults
def test_R1_R2_killed_rebuilds_and_swaps_under_load_end_with_one_live_generation_that_is_right(
    copy: Deployment,
) -> None:
    key = copy.json("source", "create", "load", "--channel", "web", "--currency", "USD")["write_key"]
    send(_job(copy, key, EVENTS_BEFORE, 7, 0.0))
    loading = threading.Thread(target=send, args=(_job(copy, key, EVENTS_WHILE, 8, EVENTS_PER_S),))
    loading.start()
    try:
        for service in SWAPPED:
            _rebuild(copy, service)
            assert _swap(copy, service) < 1_000
    finally:
        loading.join()
    copy.command("wait")
    for service in SWAPPED:
        assert not _differs(copy, service)
    # No reader keeps old state: profiles are what a reader of the topics would have who begins today.
    copy.command("replay", "start", "profile", "--rate", "1000000", "--execute")
    assert not _differs(copy, "profile")
