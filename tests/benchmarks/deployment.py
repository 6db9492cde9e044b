"""A deployment for benchmarks: `c360 up` in a home of its own, its processes by name, its doors.

Owns starting and stopping through the public command, as a user would.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.ops.local import processes
from tests.benchmarks.machine import cpu_s, memory_mib
from tests.support.databases import KEY

UP_TIMEOUT_S = 180
C360 = (sys.executable, "-m", "services.ops.command")


@dataclass(frozen=True)
class Deployment:
    """A running copy: addresses from `c360 status --json`."""

    home: Path
    kafka: str
    database: str
    intake: str
    profile: str

    def command(self, *words: str) -> str:
        """Run a c360 command and give what it prints."""
        done = subprocess.run(
            [*C360, *words], env=_environment(self.home), capture_output=True, text=True, timeout=UP_TIMEOUT_S
        )
        if done.returncode != 0:
            raise RuntimeError(f"c360 {' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def json(self, *words: str) -> Any:
        """The same as JSON."""
        return json.loads(self.command(*words, "--json"))

    @property
    def operator_key(self) -> str:
        """The local operator's API key."""
        return (self.home / "operator.key").read_text().strip()

    def pids(self) -> dict[str, int]:
        """Process name → pid, Kafka and PostgreSQL included."""
        return {r.name: r.pid for r in processes.alive(self.home) if r.pid is not None}

    def cpu(self) -> dict[str, float]:
        """Process name → CPU seconds so far."""
        return {name: cpu_s(pid) for name, pid in self.pids().items() if name != "supervisor"}

    def memory(self) -> dict[str, float]:
        """Process name → resident MiB."""
        return {name: memory_mib(pid) for name, pid in self.pids().items()}


def _environment(home: Path) -> dict[str, str]:
    own = {k: v for k, v in os.environ.items() if k not in ("KAFKA_BOOTSTRAP", "DATABASE_URL")}
    return {**own, "C360_HOME": str(home), "C360_DEPLOYMENT_KEY": KEY}


@contextmanager
def running(home: Path, *options: str) -> Iterator[Deployment]:
    """A copy that is up inside the block and down after it."""
    subprocess.run([*C360, "up", "--wait", *options], env=_environment(home), check=True, timeout=UP_TIMEOUT_S)
    try:
        found = subprocess.run(
            [*C360, "status", "--json"], env=_environment(home), check=True, capture_output=True, text=True
        )
        status = json.loads(found.stdout)
        yield Deployment(home, status["kafka"], status["database"], status["intake"], status["profile"])
    finally:
        subprocess.run([*C360, "down"], env=_environment(home), check=False, timeout=UP_TIMEOUT_S)
