"""One worker process of a test: started, signalled, watched and ended by its own pid.

Owns the process and its log. Knows nothing of topics or tables.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

CHECKOUT = Path(__file__).resolve().parents[2]
END_TIMEOUT_S = 20.0
PAGE_TIMEOUT_S = 2.0
POLL_S = 0.1
PORT_FIRST, PORTS = 12_000, 7_000

_ports = (PORT_FIRST + (os.getpid() * 97 + n) % PORTS for n in itertools.count())

T = TypeVar("T")


def until(condition: Callable[[], T], what: str, timeout_s: float) -> T:
    """What the condition gives once it is true. Raises AssertionError after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {timeout_s:.0f} s: {what}"
        time.sleep(POLL_S)
    return found


def free_port() -> int:
    """A port nobody listens on now, from below those the kernel gives to outgoing connections."""
    for port in _ports:
        with socket.socket() as listening, contextlib.suppress(OSError):
            listening.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


class Running:
    """One worker process. `pid` is its own, nothing is between it and a signal."""

    def __init__(self, service: str, index: int, env: Mapping[str, str], module: str, log: Path) -> None:
        self.service, self.index, self.log = service, index, log
        self.port = int(env["C360_WORKER_PORT"])
        with log.open("ab") as out:
            command = (sys.executable, "-m", module, "worker")
            self._process = subprocess.Popen(command, env=env, cwd=log.parent, stdout=out, stderr=out)
        self.pid = self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it lives (or is stopped); minus the signal when one ended it."""
        return self._process.poll()

    def send(self, number: signal.Signals) -> None:
        """A signal, unless it has ended."""
        if self.exit_code is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL; returns when it is gone."""
        self.send(signal.SIGKILL)
        self._process.wait(END_TIMEOUT_S)

    def resume(self) -> None:
        """SIGCONT."""
        self.send(signal.SIGCONT)

    def end(self) -> int:
        """SIGTERM, then its exit code. Raises AssertionError when it does not end by itself."""
        self.send(signal.SIGTERM)
        try:
            return self._process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.log.name} does not end on SIGTERM") from None

    def wait_ended(self, timeout_s: float) -> int:
        """Its exit code once it has ended by itself."""
        until(lambda: self.exit_code is not None, f"{self.log.name} ends", timeout_s)
        return self.exit_code or 0

    def is_stopped(self) -> bool:
        """Whether SIGSTOP has reached it."""
        with contextlib.suppress(FileNotFoundError):
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2][0] == "T"
        return False

    def is_ready(self) -> bool:
        """Whether its health page says so."""
        assert self.exit_code is None, f"{self.log.name} ended with {self.exit_code}: {self._last_lines()}"
        return self._page("healthz") is not None

    def count(self, what: str) -> int:
        """A counter of its lane: fenced, rebalanced, adopted, started_over, told_anew."""
        page = self._page("metrics")
        assert page is not None, f"{self.log.name} shows no metrics"
        found = re.search(rf'^c360_lane_events_total{{[^}}]*what="{what}"}} ([0-9.e+]+)$', page, re.MULTILINE)
        return int(float(found[1])) if found else 0

    def _page(self, name: str) -> str | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{name}", timeout=PAGE_TIMEOUT_S) as answer:
                return str(answer.read().decode())
        except OSError:
            return None

    def _last_lines(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-5:])
