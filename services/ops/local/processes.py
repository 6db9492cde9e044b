"""Our own processes of one home: told to the supervisor, found, waited for and ended.

Writes what should run; supervise makes it so. A process that exits with 78 halted on purpose and stays down.
"""

import http.client
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from services.ops.local import launching, layout, marks, parts
from services.ops.local.errors import LocalPartError
from services.ops.local.state import Condition, Process, ProcessSpec, State, change, load

__all__ = ["ProcessSpec", "Running", "alive", "launch", "shut_down", "terminate", "wait_ready"]

SUPERVISOR = "supervisor"
SUPERVISOR_START_S = 10.0
SUPERVISOR_STOP_S = 90.0
STRAY_STOP_S = 15.0
PROBE_TIMEOUT_S = 1.0
POLL_S = 0.05


class Running(msgspec.Struct, frozen=True):
    """A part or process of a home. `condition`: running, waiting (restarts soon) or halted (exit code 78)."""

    name: str
    pid: int | None
    condition: Condition
    restarts: int
    exit_code: int | None


def launch(specs: Sequence[ProcessSpec], home: Path) -> None:
    """Has the supervisor run these processes, besides those it runs already; starts it where it is not.

    One that runs with the same spec is left as it is, one with another spec is replaced. Returns once the
    supervisor runs; `wait_ready` waits for the processes. Raises LocalPartError if it cannot start.
    """
    home = home.resolve()
    for spec in specs:
        before = load(home)
        if spec.name in parts.PARTS or spec.name == SUPERVISOR:
            raise LocalPartError(f"{spec.name} is the name of a local part; call the process something else")
        if before.services.get(spec.name) != spec or not marks.is_alive(before.mark(spec.name)):
            terminate(home, [spec.name])
            change(home, _wanting(spec))
    change(home, _supervised(home))


def wait_ready(home: Path, names: Iterable[str], timeout_s: float) -> None:
    """Waits until each process runs and, where it has a `ready_url`, answers it with 200.

    Raises LocalPartError, with the end of its log, if one halts or is not ready within `timeout_s`.
    """
    home = home.resolve()
    deadline = time.monotonic() + timeout_s
    for name in names:
        while not _is_ready(home, name):
            process = load(home).processes.get(name)
            log = layout.log_file(home, name)
            if process and process.condition == "halted":
                raise LocalPartError(f"{name} halted on purpose; {log} ends: {layout.tail(log)}")
            if time.monotonic() > deadline:
                raise LocalPartError(
                    f"{name} is not ready after {timeout_s:.0f} s; {log} ends: {layout.tail(log)}"
                )
            time.sleep(POLL_S)


def terminate(home: Path, names: Iterable[str] | None = None) -> None:
    """Ends these processes (all of ours by default) and no longer wants them; Kafka and PostgreSQL stay.

    Each is asked with its stop signal, all at once, and killed after its own timeout.
    """
    home = home.resolve()

    def step(state: State) -> State:
        chosen = set(state.services if names is None else names)
        _end(home, state, chosen)
        for name in chosen:
            state = state.with_process(name, None)
        kept = {name: spec for name, spec in state.services.items() if name not in chosen}
        return msgspec.structs.replace(state, services=kept)

    change(home, step)


def alive(home: Path) -> list[Running]:
    """All that was started in this home, as last seen; a dead one not yet noticed is told as waiting."""
    state = load(home.resolve())
    return [_seen(name, process) for name, process in sorted(state.processes.items())]


def shut_down(home: Path) -> None:
    """Stops all of a home: the supervisor, our processes, Kafka, PostgreSQL, and strays of a lost state."""
    home = home.resolve()
    supervisor = load(home).supervisor
    if supervisor is not None:
        marks.stop(supervisor, signal.SIGTERM, SUPERVISOR_STOP_S)
    launching.stop_strays(home, SUPERVISOR, signal.SIGTERM, SUPERVISOR_STOP_S)
    stop_everything(home)


def stop_everything(home: Path) -> None:
    """What is left of a shutdown once no supervisor restarts anything."""
    terminate(home)
    parts.stop(home)
    for stray in marks.with_setting(launching.home_setting(home)):
        marks.stop(stray, signal.SIGTERM, STRAY_STOP_S)
    change(home, lambda state: msgspec.structs.replace(state, supervisor=None))


def _wanting(spec: ProcessSpec) -> Callable[[State], State]:
    return lambda state: msgspec.structs.replace(state, services={**state.services, spec.name: spec})


def _supervised(home: Path) -> Callable[[State], State]:
    """A step for `change`: a supervisor runs."""

    def step(state: State) -> State:
        if marks.is_alive(state.supervisor):
            return state
        argv = (sys.executable, "-m", "services.ops.local.supervise", str(home))
        spec = ProcessSpec(name=SUPERVISOR, argv=argv, stop_timeout_s=SUPERVISOR_STOP_S)
        return msgspec.structs.replace(state, supervisor=launching.spawn(home, spec))

    return step


def _end(home: Path, state: State, names: set[str]) -> None:
    """Signals all at once, then waits for each in turn."""
    living = [
        (mark, state.services.get(name) or ProcessSpec(name=name, argv=()))
        for name in sorted(names)
        if (mark := state.mark(name)) is not None
    ]
    for mark, spec in living:
        marks.send(mark, spec.stop_signal)
    for mark, spec in living:
        marks.stop(mark, spec.stop_signal, spec.stop_timeout_s)


def _seen(name: str, process: Process) -> Running:
    running = marks.is_alive(process.mark)
    condition = process.condition if running or process.condition == "halted" else "waiting"
    pid = process.mark.pid if running and process.mark else None
    return Running(name, pid, condition, process.restarts, process.exit_code)


def _is_ready(home: Path, name: str) -> bool:
    state = load(home)
    spec = state.services.get(name)
    if spec is None or not marks.is_alive(state.mark(name)):
        return False
    return spec.ready_url is None or _answers_200(spec.ready_url)


def _answers_200(url: str) -> bool:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=PROBE_TIMEOUT_S)
    try:
        connection.request("GET", address.path or "/")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
