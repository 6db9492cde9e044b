"""Processes that stopped on purpose, and the reason they gave in their logs.

Owns finding the reason; a halted process is not started again until `c360 up` or `c360 down` says so.
"""

from __future__ import annotations

import re
from pathlib import Path

from services.ops.commands.rebuilds import is_rebuild
from services.ops.local import processes
from services.ops.local.layout import log_file, tail

HALT_LINES_READ = 200
HALT_BYTES_READ = 65_536
HALT_WORD = "worker_halted"
_DETAIL = re.compile(r"""\bdetail(?:=|": ?)(?:'([^']*)'|"([^"]*)"|(\S+))""")


def halted(home: Path) -> dict[str, str]:
    """Process name → one line about why it halted. A rebuild holds nothing up; `replay status` tells of it."""
    return {
        one.name: f"{one.name} halted: {reason(home, one.name)}; see {log_file(home, one.name)}"
        for one in processes.alive(home)
        if one.condition == "halted" and not is_rebuild(one.name)
    }


def reason(home: Path, name: str) -> str:
    """What the process said last about halting, else the last line of its log."""
    return reason_in(tail(log_file(home, name), HALT_LINES_READ, HALT_BYTES_READ))


def reason_in(log: str) -> str:
    """The reason in the text of a log."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    told = next((line for line in reversed(lines) if HALT_WORD in line), "")
    found = _DETAIL.search(told)
    if found:
        return next(part for part in found.groups() if part is not None)
    return told or (lines[-1] if lines else "its log is empty")
