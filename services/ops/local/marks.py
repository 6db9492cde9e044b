"""Which process is meant: a pid alone is reused, so a mark adds when it started and in which boot.

Looks at processes, signals them and waits for their end. Keeps no state.
"""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

PROC = Path("/proc")
POLL_S = 0.02
KILL_WAIT_S = 5.0


class Mark(msgspec.Struct, frozen=True):
    """One process and no other: pid, clock ticks from boot to its start, and the boot."""

    pid: int
    start_ticks: int
    boot_id: str


def mark_of(pid: int) -> Mark | None:
    """The mark of a living process; None where there is none, or only a zombie waits to be reaped."""
    try:
        stat = (PROC / str(pid) / "stat").read_text()
        boot_id = (PROC / "sys/kernel/random/boot_id").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name in the second field may hold spaces and brackets; fields are counted from its end.
    fields = stat[stat.rindex(")") + 2 :].split()
    if fields[0] in "ZX":
        return None
    return Mark(pid=pid, start_ticks=int(fields[19]), boot_id=boot_id)


def is_alive(mark: Mark | None) -> bool:
    """Whether exactly this process still runs."""
    return mark is not None and mark_of(mark.pid) == mark


def reap(pid: int) -> int | None:
    """The exit code of a child of ours that ended (negative: the signal), else None."""
    try:
        done, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return None  # someone else's child: its exit code is not ours to know
    return os.waitstatus_to_exitcode(status) if done else None


def wait_gone(mark: Mark, timeout_s: float) -> bool:
    """Waits until the process has ended; False if it has not within `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while is_alive(mark):
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_S)
    reap(mark.pid)
    return True


def send(mark: Mark, number: int) -> bool:
    """Sends a signal to exactly this process; False if it has ended already."""
    if not is_alive(mark):
        return False
    try:
        os.kill(mark.pid, number)
    except ProcessLookupError:
        return False
    return True


def stop(mark: Mark, number: int, timeout_s: float) -> None:
    """Asks the process to end, waits `timeout_s`, then kills it and the group it leads."""
    send(mark, number)
    if wait_gone(mark, timeout_s):
        return
    try:
        os.killpg(mark.pid, signal.SIGKILL)
    except ProcessLookupError:
        send(mark, signal.SIGKILL)  # it leads no group: someone else started it
    wait_gone(mark, KILL_WAIT_S)


def pids() -> Iterator[int]:
    """The pids of all processes on this machine."""
    return (int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit())


def command_of(pid: int) -> str:
    """The command line of a process, for messages and checks; empty if it ended or is closed to us."""
    try:
        told = (PROC / str(pid) / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return ""
    return told.replace(b"\0", b" ").decode("utf-8", "replace").strip()


def with_setting(setting: str) -> list[Mark]:
    """The processes that were started with exactly this `NAME=value` in their environment."""
    wanted = setting.encode()
    found: list[Mark] = []
    for pid in pids():
        try:
            environ = (PROC / str(pid) / "environ").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # ended, or another user's: neither can be ours
        mark = mark_of(pid)
        if wanted in environ and mark is not None and pid != os.getpid():
            found.append(mark)
    return found
