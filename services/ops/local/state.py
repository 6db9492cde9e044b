"""What C360_HOME remembers: ports, what should run, what does. One file, replaced whole, under a lock.

Holds settings of processes, so it is readable by its owner only.
"""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from services.ops.local.errors import LocalPartError
from services.ops.local.layout import make_home
from services.ops.local.marks import Mark

FORMAT = 1
Condition = Literal["running", "waiting", "halted"]


class ProcessSpec(msgspec.Struct, frozen=True):
    """A process to keep running.

    `argv[0]` is a path; `env` is added to the supervisor's environment; `ready_url` answers 200 when ready;
    `log_file` defaults to `log/<name>.log` in the home; after `stop_signal` it has `stop_timeout_s` to end.
    """

    name: str
    argv: tuple[str, ...]
    env: dict[str, str] = {}
    ready_url: str | None = None
    log_file: str | None = None
    stop_signal: int = 15
    stop_timeout_s: float = 15.0


class Process(msgspec.Struct, frozen=True):
    """A process as last seen. waiting: it ended and will be started again; halted: it ended on purpose."""

    mark: Mark | None
    condition: Condition
    restarts: int = 0
    exit_code: int | None = None


class State(msgspec.Struct, frozen=True):
    """All that is remembered. `parts` and `services` are wanted; `processes` is what was started."""

    format: int = FORMAT
    ports: dict[str, int] = {}
    parts: tuple[str, ...] = ()
    services: dict[str, ProcessSpec] = {}
    processes: dict[str, Process] = {}
    supervisor: Mark | None = None

    def mark(self, name: str) -> Mark | None:
        """The mark of the process called `name`, if one was started."""
        process = self.processes.get(name)
        return process.mark if process else None

    def with_process(self, name: str, process: Process | None) -> "State":
        """The same state with one process told anew, or forgotten."""
        others = {key: value for key, value in self.processes.items() if key != name}
        return msgspec.structs.replace(
            self, processes=others if process is None else {**others, name: process}
        )


def state_file(home: Path) -> Path:
    """Where the state is."""
    return home / "state.json"


def load(home: Path) -> State:
    """The state as last written; an empty one where there is none. LocalPartError if it cannot be read."""
    path = state_file(home)
    try:
        state = msgspec.json.decode(path.read_bytes(), type=State)
    except FileNotFoundError:
        return State()
    except msgspec.DecodeError as error:
        raise LocalPartError(f"{path} is damaged ({error}); move it away and start again") from error
    if state.format != FORMAT:
        raise LocalPartError(
            f"{path} has format {state.format}, this build writes {FORMAT}; use its own build"
        )
    return state


def change(home: Path, step: Callable[[State], State]) -> State:
    """Applies `step` to the state under the home's lock and writes the result durably.

    Blocks while another process changes the state. If `step` raises, nothing is written.
    """
    make_home(home)
    with (home / "state.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = load(home)
        after = step(before)
        if after != before:
            write_whole(state_file(home), msgspec.json.format(msgspec.json.encode(after), indent=1))
        return after


def write_whole(path: Path, data: bytes) -> None:
    """Replaces a file at once and durably: a reader, or a power cut, finds the old text or the new."""
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
