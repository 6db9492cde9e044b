"""The processes of rebuilds in this home: started with the settings of the service's worker, and ended.

Owns their names. The supervisor keeps them running; one that halted is left down and is no trouble of the live copy.
"""

from __future__ import annotations

import os
import sys

from services.ops.commands.here import Here
from services.ops.commands.layout import build_name
from services.ops.local import processes
from services.ops.local.state import ProcessSpec, load

SUFFIX = ".rebuild"


def name_of(service: str) -> str:
    """What the process of a service's rebuild is called; also the name of its log."""
    return f"{service}{SUFFIX}"


def is_rebuild(name: str) -> bool:
    """Whether a process of this name is a rebuild."""
    return name.endswith(SUFFIX)


def launch(copy: Here, service: str) -> bool:
    """Have the rebuild run, started anew if it halted; False where this home does not run the service."""
    worker = load(copy.home).services.get(service) if copy.home.is_dir() else None
    if worker is None:
        return False
    own = {"C360_WORKER_INDEX": "0", "C360_WORKER_PORT": "0", "C360_BUILD": build_name(os.environ)}
    spec = ProcessSpec(
        name=name_of(service),
        argv=(sys.executable, "-m", f"services.{service}", "rebuild"),
        env=worker.env | own,
    )
    processes.launch([spec], copy.home)
    return True


def end(copy: Here, service: str) -> None:
    """End it, if it runs here."""
    if copy.home.is_dir() and name_of(service) in load(copy.home).services:
        processes.terminate(copy.home, [name_of(service)])
