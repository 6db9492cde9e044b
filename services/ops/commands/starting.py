"""`c360 up` and `c360 down`: everything of one copy on this machine, and its first keys.

Owns the order: Kafka and PostgreSQL, then our processes, then the keys the command itself uses.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from services.ops.commands import halts, keys, layout, rebuilds, secrets
from services.ops.commands.failures import CommandError, NotRunning
from services.ops.commands.here import Here, ask, here
from services.ops.commands.output import AsJson, print_json, say, tell
from services.ops.local import parts, ports, processes
from services.ops.local.errors import LocalPartError
from services.ops.local.layout import home_from, log_file, tail
from services.ops.local.state import State, change, load

READY_TIMEOUT_S = 120
ANSWER_POLL_S = 0.1
PORT_BASE_HELP = "Put intake on N+80, profile on N+84, Kafka on N+92, PostgreSQL on N+32; else free ports."


def up(
    wait: Annotated[bool, typer.Option("--wait", help="Return when everything is ready.")] = False,
    port_base: Annotated[int | None, typer.Option("--port-base", metavar="N", help=PORT_BASE_HELP)] = None,
    workers: Annotated[
        list[str] | None, typer.Option("--workers", metavar="SERVICE=N", help="More workers: interaction=2")
    ] = None,
    timeout_s: Annotated[int, typer.Option("--timeout", metavar="S", min=1)] = READY_TIMEOUT_S,
    as_json: AsJson = False,
) -> None:
    """Start Kafka, PostgreSQL and all services of this copy; what runs already is left as it is."""
    chosen = layout.workers(layout.read_counts(workers or []))
    home = home_from()
    start(home, port_base, chosen)
    ready = _is_ready(home, chosen)
    if wait and not ready:
        tell("waiting for the services ...")
        wait_ready(home, chosen, timeout_s)
        ready = True
    _report(here(), ready, as_json)


def start(home: Path, port_base: int | None, chosen: list[layout.Worker]) -> None:
    """Kafka and PostgreSQL ready, our processes launched. Raises LocalPartError, CommandError."""
    environ = os.environ
    key = secrets.deployment_key(home, environ)
    if not parts.running(home):
        tell("starting Kafka and PostgreSQL ...")
    at = parts.ensure(home, port_base)
    state = change(home, _with_ports(home, port_base, chosen))
    env = layout.environment(
        environ,
        state.ports,
        kafka=str(at.kafka),
        database_url=str(at.database_url),
        key=key,
        build=layout.build_name(environ),
    )
    wanted = layout.specs(env, state.ports, chosen)
    surplus = sorted(n for n in state.services.keys() - {spec.name for spec in wanted} if not rebuilds.is_rebuild(n))
    if surplus:
        processes.terminate(home, surplus)
    processes.launch(wanted, home)


def _with_ports(home: Path, port_base: int | None, chosen: list[layout.Worker]) -> Any:
    """A step for `change`: every port of ours is known."""

    def step(state: State) -> State:
        if port_base is None:
            return ports.assign(state, home, tuple(layout.port_names(chosen)), None)
        given = layout.ports_by_base(port_base, chosen)
        if not all(1_024 <= port <= 65_535 for port in given.values()):
            raise CommandError(f"--port-base {port_base} puts ports outside 1024 to 65535")
        return State(**{**_fields(state), "ports": {**state.ports, **given}})

    return step


def _fields(state: State) -> dict[str, Any]:
    return {name: getattr(state, name) for name in state.__struct_fields__}


def _is_ready(home: Path, chosen: list[layout.Worker]) -> bool:
    try:
        wait_ready(home, chosen, 0.0)
    except CommandError:
        return False
    return True


def wait_ready(home: Path, chosen: list[layout.Worker], timeout_s: float) -> None:
    """Waits for every process, for both public addresses, and sees that the first keys are there.

    Raises CommandError or LocalPartError naming the log of what is not ready.
    """
    deadline = time.monotonic() + timeout_s
    for name in (*(worker.name for worker in chosen), layout.INTERNAL):
        try:
            processes.wait_ready(home, [name], max(0.0, deadline - time.monotonic()))
        except LocalPartError as error:
            raise CommandError(_not_ready(home, name, str(error))) from None
    copy = here()
    for name, url in (("intake", copy.intake), ("profile", copy.profile)):
        _wait_answers(name, url, log_file(home, name), deadline)
    keys.ensure_first(copy, max(1.0, deadline - time.monotonic()))


def _not_ready(home: Path, name: str, why: str) -> str:
    """One line: what is not ready, where its log is, and the last thing it wrote there."""
    stopped = halts.halted(home).get(name)
    if stopped:
        return stopped
    log = log_file(home, name)
    last = tail(log, lines=1).strip()
    return why.partition("; ")[0] + f"; see {log}" + (f", which ends: {last}" if last else "")


def _wait_answers(name: str, url: str, log: Path, deadline: float) -> None:
    """Until the public address answers at all: its lane may run before its port is open."""
    while True:
        try:
            ask("GET", f"{url}/", timeout_s=max(0.5, deadline - time.monotonic()))
        except (NotRunning, CommandError):
            if time.monotonic() > deadline:
                raise CommandError(f"{name} does not answer at {url}; see {log}") from None
            time.sleep(ANSWER_POLL_S)
        else:
            return


def _report(copy: Here, ready: bool, as_json: bool) -> None:
    operator = secrets.key_file(copy.home, secrets.OPERATOR)
    if as_json:
        print_json(
            {
                "home": str(copy.home),
                "kafka": copy.kafka,
                "intake": copy.intake,
                "profile": copy.profile,
                "operator_key_file": str(operator),
                "ready": ready,
            }
        )
        return
    say(f"collector    {copy.intake}")
    say(f"profile API  {copy.profile}")
    say(f"API key      in {operator}" if operator.exists() else "API key      made once everything is ready")
    say(f"logs         {copy.home / 'log'}")
    say("ready" if ready else "starting; `c360 up --wait` returns when it is ready, `c360 status` tells")


def down(as_json: AsJson = False) -> None:
    """Stop all that `c360 up` started in this home; data stays."""
    home = home_from()
    ran = _anything_runs(home)
    processes.shut_down(home)
    if as_json:
        print_json({"home": str(home), "stopped": ran})
    else:
        say("stopped; data stays in " + str(home) if ran else "nothing ran here")


def _anything_runs(home: Path) -> bool:
    return any(running.pid for running in processes.alive(home)) or load(home).supervisor is not None
