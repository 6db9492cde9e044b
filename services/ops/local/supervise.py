"""The supervisor of one home: `python -m services.ops.local.supervise HOME`. Restarts what dies.

Runs until SIGTERM, then stops all. Killed itself, it leaves everything running and findable: the next one
takes over what lives. A process that exits with 78 has halted on purpose and is left down.
"""

import os
import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from services.ops.local import launching, layout, marks, parts
from services.ops.local.errors import LocalPartError
from services.ops.local.processes import stop_everything
from services.ops.local.state import Process, State, change, load

EX_CONFIG = 78
LOOK_S = 0.1
BACKOFF_FIRST_S = 0.5
BACKOFF_MAX_S = 10.0
STEADY_S = 30.0
"""A process that ran this long before it died starts again at the first, shortest delay."""
LOG_LOOK_S = 5.0


@dataclass
class Delay:
    """When a dead process may start again, and how long the next delay is."""

    started_at: float = 0.0
    due_at: float = 0.0
    next_s: float = BACKOFF_FIRST_S

    def start_after_death(self, now: float) -> None:
        """Sets when to start again after a death noticed `now`."""
        if now - self.started_at >= STEADY_S:
            self.next_s = BACKOFF_FIRST_S
        self.due_at = now + self.next_s
        self.next_s = min(self.next_s * 2, BACKOFF_MAX_S)


@dataclass
class Watch:
    """What the supervisor knows beyond the state file: delays, and when logs were last looked at."""

    home: Path
    delays: dict[str, Delay] = field(default_factory=dict)
    logs_due_at: float = 0.0

    def look(self, now: float) -> None:
        """One round: notes what died, starts what is due, keeps logs within bounds."""
        state = load(self.home)
        for name in (*state.parts, *state.services):
            process = state.processes.get(name)
            if process is not None and (process.condition == "halted" or marks.is_alive(process.mark)):
                continue
            delay = self.delays.setdefault(name, Delay())
            if process is not None and process.condition == "running":
                self._note_death(name, process, delay, now)
            elif now >= delay.due_at:
                self._start(name, delay, now)
        if now >= self.logs_due_at:
            self.logs_due_at = now + LOG_LOOK_S
            for log in (self.home / "log").glob("*.log"):
                layout.bound_log(log)

    def _note_death(self, name: str, process: Process, delay: Delay, now: float) -> None:
        exit_code = marks.reap(process.mark.pid) if process.mark else None
        halted = exit_code == EX_CONFIG and name not in parts.PARTS
        dead = Process(
            mark=process.mark,
            condition="halted" if halted else "waiting",
            restarts=process.restarts,
            exit_code=exit_code,
        )
        # Only if it is still the same: someone may have started or ended it on purpose meanwhile.
        change(
            self.home,
            lambda state: state.with_process(name, dead) if state.processes.get(name) == process else state,
        )
        delay.start_after_death(now)
        say(
            f"{name} ended with {exit_code}; "
            + ("left down" if halted else f"again in {delay.due_at - now:.1f} s")
        )

    def _start(self, name: str, delay: Delay, now: float) -> None:
        """Starts it if it is still wanted and not running; a start that fails is a death."""
        try:
            change(self.home, lambda state: started(self.home, name, state))
        except LocalPartError as error:
            say(f"{name} does not start: {error}")
            delay.start_after_death(now)
            return
        delay.started_at = now


def started(home: Path, name: str, state: State) -> State:
    """The state with this part or process running, its restart counted; unchanged if no longer wanted."""
    before = state.processes.get(name)
    if (name not in state.parts and name not in state.services) or marks.is_alive(state.mark(name)):
        return state
    if name in parts.PARTS:
        state = parts.starting(home, name)(state)
        mark = state.mark(name)
    else:
        mark = launching.spawn(home, state.services[name])
    restarts = before.restarts + 1 if before else 0
    exit_code = before.exit_code if before else None
    return state.with_process(name, Process(mark, "running", restarts, exit_code))


def say(text: str) -> None:
    """One line to the supervisor's own log."""
    print(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), text, flush=True)


def main(home: Path) -> int:
    """Supervises until SIGTERM or SIGINT; 0 after an orderly stop, 1 if another supervisor has taken over."""
    wake, ending = threading.Event(), threading.Event()

    def end(number: int, frame: object) -> None:
        ending.set()
        wake.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGCHLD, lambda number, frame: wake.set())
    own = marks.mark_of(os.getpid())
    change(home, lambda state: state if marks.is_alive(state.supervisor) else _owned(state, own))
    watch = Watch(home)
    say(f"supervises {home}")
    while not ending.is_set():
        if load(home).supervisor != own:
            say("another supervisor has taken over")
            return 1
        watch.look(time.monotonic())
        wake.wait(LOOK_S)
        wake.clear()
    say("stops all")
    stop_everything(home)
    return 0


def _owned(state: State, own: marks.Mark | None) -> State:
    return msgspec.structs.replace(state, supervisor=own)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
