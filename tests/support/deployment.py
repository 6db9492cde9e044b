"""A running copy: `c360 up` in a home of its own, its processes by name, its doors.

Owns starting and stopping through the public command, as a user would.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.ops.commands.here import here
from services.ops.local import processes
from services.ops.local.state import load
from tests.benchmarks.machine import cpu_s, memory_mib
from tests.support.databases import KEY

UP_TIMEOUT_S = 180
C360 = (sys.executable, "-m", "services.ops.command")
CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Deployment:
    """A running copy: addresses from `c360 status --json`. `settings` are what it was started with."""

    home: Path
    kafka: str
    database: str
    intake: str
    profile: str
    settings: Mapping[str, str] = field(default_factory=dict)

    def run(self, *words: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a c360 command, however it ends."""
        return subprocess.run(
            [*C360, *words],
            env=self.environment,
            cwd=CHECKOUT,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=UP_TIMEOUT_S,
        )

    def command(self, *words: str) -> str:
        """What a c360 command prints. Raises RuntimeError when it fails."""
        done = self.run(*words)
        if done.returncode != 0:
            raise RuntimeError(f"c360 {' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def json(self, *words: str) -> Any:
        """The same as JSON."""
        return json.loads(self.command(*words, "--json"))

    @property
    def environment(self) -> dict[str, str]:
        """What a command needs to find this copy."""
        return _environment(self.home, self.settings)

    @property
    def operator_key(self) -> str:
        """The local operator's API key."""
        return (self.home / "operator.key").read_text().strip()

    @property
    def internal(self) -> Mapping[str, str]:
        """Service → address of its internal pages, as the command finds them."""
        return here(self.environment).internal

    @property
    def ports(self) -> Mapping[str, int]:
        """Port name → port of everything in it."""
        return load(self.home).ports

    def pids(self) -> dict[str, int]:
        """Process name → pid, Kafka and PostgreSQL included."""
        return {r.name: r.pid for r in processes.alive(self.home) if r.pid is not None}

    def cpu(self) -> dict[str, float]:
        """Process name → CPU seconds so far."""
        return {name: cpu_s(pid) for name, pid in self.pids().items() if name != "supervisor"}

    def memory(self) -> dict[str, float]:
        """Process name → resident MiB."""
        return {name: memory_mib(pid) for name, pid in self.pids().items()}


def _environment(home: Path, settings: Mapping[str, str]) -> dict[str, str]:
    own = {k: v for k, v in os.environ.items() if k not in ("KAFKA_BOOTSTRAP", "DATABASE_URL")}
    return {**own, "C360_HOME": str(home), "C360_DEPLOYMENT_KEY": KEY, **settings}


@contextmanager
def running(home: Path, *options: str, settings: Mapping[str, str] | None = None) -> Iterator[Deployment]:
    """A copy that is up inside the block and down after it."""
    given = dict(settings or {})
    environment = _environment(home, given)
    try:
        subprocess.run([*C360, "up", "--wait", *options], env=environment, check=True, timeout=UP_TIMEOUT_S)
        found = subprocess.run(
            [*C360, "status", "--json"], env=environment, check=True, capture_output=True, text=True
        )
        status = json.loads(found.stdout)
        yield Deployment(home, status["kafka"], status["database"], status["intake"], status["profile"], given)
    finally:
        subprocess.run([*C360, "down"], env=environment, check=False, timeout=UP_TIMEOUT_S)
