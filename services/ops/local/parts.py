"""Kafka and PostgreSQL of one home: started, found and stopped; or, where they are given, only checked.

The address of each is remembered: a restart has the same. Restarting what dies is supervise's.
"""

import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from services.ops.local import kafka as kafka_node
from services.ops.local import launching, layout, marks, ports
from services.ops.local import postgres as postgres_server
from services.ops.local.errors import LocalPartError
from services.ops.local.state import Process, ProcessSpec, State, change, load

READY_TIMEOUT_S = 60.0
RETRY_S = 0.5
POLL_S = 0.05
STARTS_MAX = 4
"""How often one call starts a part that ends at once: a killed server's children may hold its memory."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where Kafka ("host:port[,host:port]") and PostgreSQL ("postgresql://...") are; None: not here."""

    kafka: str | None
    database_url: str | None


@dataclass(frozen=True, slots=True)
class Part:
    """How one part is prepared, addressed, asked whether it is ready, found without the state, stopped."""

    ports: tuple[str, ...]
    prepare: Callable[[Path, Mapping[str, int]], ProcessSpec]
    address: Callable[[Path, Mapping[str, int]], str]
    answers: Callable[[str], bool]
    strays: Callable[[Path], list[marks.Mark]]
    stop_signal: int
    stop_timeout_s: float


PARTS: Mapping[str, Part] = {
    "kafka": Part(
        ports=("kafka", "kafka_controller"),
        prepare=lambda home, at: kafka_node.prepare(home, at["kafka"], at["kafka_controller"]),
        address=lambda home, at: f"{ports.HOST}:{at['kafka']}",
        answers=kafka_node.answers,
        strays=lambda home: marks.with_setting(launching.setting_of(home, "kafka")),
        stop_signal=signal.SIGTERM,
        stop_timeout_s=kafka_node.STOP_TIMEOUT_S,
    ),
    "postgres": Part(
        ports=("postgres",),
        prepare=lambda home, at: postgres_server.prepare(home, at["postgres"]),
        address=lambda home, at: postgres_server.url(home, at["postgres"]),
        answers=postgres_server.answers,
        strays=postgres_server.servers,
        stop_signal=signal.SIGINT,
        stop_timeout_s=postgres_server.STOP_TIMEOUT_S,
    ),
}


def ensure(home: Path, port_base: int | None, environ: Mapping[str, str] = os.environ) -> Addresses:
    """Kafka and PostgreSQL, ready: those KAFKA_BOOTSTRAP and DATABASE_URL name, else started in this home.

    Raises LocalPartError if one that is named does not answer, or one that is not cannot be started.
    """
    bootstrap, database_url = environ.get("KAFKA_BOOTSTRAP"), environ.get("DATABASE_URL")
    if bootstrap and not kafka_node.answers(bootstrap):
        raise LocalPartError(f"KAFKA_BOOTSTRAP is {bootstrap}, where no Kafka answers")
    if database_url and not postgres_server.answers(database_url):
        where = database_url.rpartition("@")[2]  # never the password
        raise LocalPartError(f"DATABASE_URL points to {where}, where no PostgreSQL takes connections")
    own = start(home, port_base, kafka=not bootstrap, postgres=not database_url)
    return Addresses(kafka=bootstrap or own.kafka, database_url=database_url or own.database_url)


def start(home: Path, port_base: int | None, *, kafka: bool, postgres: bool) -> Addresses:
    """Starts the wanted parts and waits until they answer; those that run already are left as they are.

    Returns the addresses of the wanted parts, durably remembered. Raises LocalPartError in one line:
    missing Java or jars, a taken port, a folder that cannot be made, a server that ends or never answers.
    """
    home = home.resolve()
    names = _wanted(kafka, postgres)
    for name in names:
        change(home, starting(home, name, port_base))
    for name in names:
        _wait_ready(home, name)
    return _addresses(home, load(home), names)


def stop(home: Path, *, kafka: bool = True, postgres: bool = True) -> None:
    """Stops the parts, writing all out, whoever started them; a second call finds nothing to do."""
    home = home.resolve()
    for name in _wanted(kafka, postgres):
        change(home, _stopping(home, name))


def running(home: Path) -> Addresses | None:
    """The addresses of the parts that run in this home, None if none does. Asks none whether it answers."""
    home = home.resolve()
    state = load(home)
    names = tuple(name for name in PARTS if marks.is_alive(state.mark(name)))
    return _addresses(home, state, names) if names else None


def starting(home: Path, name: str, port_base: int | None = None) -> Callable[[State], State]:
    """A step for `change`: this part is wanted, and running. Does not wait until it answers."""
    part = PARTS[name]

    def step(before: State) -> State:
        alive = marks.is_alive(before.mark(name))
        state = ports.assign(before, home, part.ports, port_base)
        state = msgspec.structs.replace(state, parts=tuple(sorted({*state.parts, name})))
        if alive and state.ports != before.ports:
            raise LocalPartError(f"{name} runs on port {before.ports[name]}; stop it before its port changes")
        if alive:
            return state
        if (dead := before.mark(name)) is not None:
            marks.reap(dead.pid)
        _stop_strays(home, name)
        for each in part.ports:
            ports.require_free(each, state.ports[each])
        mark = launching.spawn(home, part.prepare(home, state.ports))
        seen = state.processes.get(name, Process(mark=None, condition="waiting"))
        return state.with_process(name, msgspec.structs.replace(seen, mark=mark, condition="running"))

    return step


def _stopping(home: Path, name: str) -> Callable[[State], State]:
    """A step for `change`: this part is neither wanted nor running."""

    def step(state: State) -> State:
        mark = state.mark(name)
        if mark is not None:
            marks.stop(mark, PARTS[name].stop_signal, PARTS[name].stop_timeout_s)
        _stop_strays(home, name)
        kept = tuple(part for part in state.parts if part != name)
        return msgspec.structs.replace(state.with_process(name, None), parts=kept)

    return step


def _stop_strays(home: Path, name: str) -> None:
    """Ends what runs of this part unknown to the state, which was lost or never written."""
    for stray in PARTS[name].strays(home):
        marks.stop(stray, PARTS[name].stop_signal, PARTS[name].stop_timeout_s)


def _wait_ready(home: Path, name: str) -> None:
    address = PARTS[name].address(home, load(home).ports)
    deadline = time.monotonic() + READY_TIMEOUT_S
    log = layout.log_file(home, name)
    starts = 1
    while not PARTS[name].answers(address):
        if not marks.is_alive(load(home).mark(name)):
            if starts == STARTS_MAX:
                raise LocalPartError(
                    f"{name} ends while starting; {log} ends with: {layout.tail(log, lines=3)}"
                )
            time.sleep(RETRY_S)
            change(home, starting(home, name))
            starts += 1
        if time.monotonic() > deadline:
            raise LocalPartError(f"{name} does not answer after {READY_TIMEOUT_S:.0f} s; see {log}")
        time.sleep(POLL_S)


def _wanted(kafka: bool, postgres: bool) -> tuple[str, ...]:
    return tuple(name for name, wants in (("kafka", kafka), ("postgres", postgres)) if wants)


def _addresses(home: Path, state: State, names: tuple[str, ...]) -> Addresses:
    found = {name: PARTS[name].address(home, state.ports) for name in names}
    return Addresses(kafka=found.get("kafka"), database_url=found.get("postgres"))
