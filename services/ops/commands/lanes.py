"""`c360 lane status|pause|resume`: a service's lane made to rest after its batch, and to go on from there.

Owns the lines people read. Nothing changes without --execute. A rebuild is paused by `c360 replay pause`.
"""

from __future__ import annotations

import getpass
import time
from collections.abc import Iterable
from typing import Annotated, Any

import typer
from rich.table import Table

from services.ops.commands.failures import CommandError, UsageMistake
from services.ops.commands.here import ask_json, here
from services.ops.commands.layout import WORKERS
from services.ops.commands.output import AsJson, console, print_json, say, span

AT_REST = ("paused", "halted", "silent")
"""States in which a worker applies nothing."""
REST_TIMEOUT_S = 30.0
"""How long a batch may take that was at hand; a worker that is stuck longer is told of."""
POLL_S = 0.1

lane = typer.Typer(help="Let a service's lane rest, and go on.", rich_markup_mode=None)

Service = Annotated[str, typer.Argument(metavar="SERVICE", help=", ".join(WORKERS))]
Which = Annotated[str | None, typer.Option("--lane", metavar="L", help="One of its lanes. Default: all it has.")]
Execute = Annotated[bool, typer.Option("--execute", help="Do it; else only tell whether it could be done.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept for ever.")]
By = Annotated[str, typer.Option("--by", metavar="WHO", help="Who does it. Default: you.")]


def _address(service: str) -> str:
    if service not in WORKERS:
        raise UsageMistake(f"there is no service {service}; say one of {', '.join(WORKERS)}")
    return here().internal[service]


@lane.command("status")
def status(service: Service, as_json: AsJson = False) -> None:
    """Tell how the workers of a service's lanes stand, who paused them and why, and pauses that were."""
    found = ask_json("GET", f"{_address(service)}/lane")
    if as_json:
        print_json(found)
        return
    _table(("lane", "worker", "state", "build"), found["workers"])
    for line in paused_lines(service, found["paused"]):
        say(line)
    if found["ended"]:
        _table(("lane", "since", "by", "reason", "resumed_at", "resumed_by", "because"), found["ended"])


def _table(columns: tuple[str, ...], rows: Iterable[dict[str, Any]]) -> None:
    table = Table(*(column.replace("_", " ") for column in columns), box=None)
    for row in rows:
        table.add_row(*(str(row[column]) for column in columns))
    console().print(table)


@lane.command("pause")
def pause(
    service: Service, which: Which = None, execute: Execute = False, reason: Reason = "", by: By = "",
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Let a lane rest after the batch at hand, until `c360 lane resume`; returns when its workers do rest."""
    if execute and not reason.strip():
        raise UsageMistake("say why: --reason")
    answer = _step(service, "pause", which, execute, reason, by)
    if execute:
        _until_at_rest(service, answer["lanes"])
    _told(answer, as_json, "rests; what comes waits in the log", "would rest after the batch at hand")


@lane.command("resume")
def resume(
    service: Service, which: Which = None, execute: Execute = False, reason: Reason = "", by: By = "",
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Let a paused lane go on, exactly where it was."""
    answer = _step(service, "resume", which, execute, reason, by)
    _told(answer, as_json, "goes on", "would go on")


def _step(service: str, what: str, which: str | None, execute: bool, reason: str, by: str) -> dict[str, Any]:
    body = {"by": by or getpass.getuser(), "reason": reason, "execute": execute, "lane": which}
    answer: dict[str, Any] = ask_json("POST", f"{_address(service)}/lane/{what}", json=body)
    return answer


def _until_at_rest(service: str, lanes: list[str]) -> None:
    deadline = time.monotonic() + REST_TIMEOUT_S
    url = f"{_address(service)}/lane"
    while True:
        workers = [one for one in ask_json("GET", url)["workers"] if one["lane"] in lanes]
        busy = [one for one in workers if one["state"] not in AT_REST]
        if not busy:
            return
        if time.monotonic() > deadline:
            names = ", ".join(f"{one['worker']} ({one['state']})" for one in busy)
            raise CommandError(f"{service} is paused, but worker {names} does not rest after {REST_TIMEOUT_S:g} s")
        time.sleep(POLL_S)


def _told(answer: dict[str, Any], as_json: bool, done: str, would: str) -> None:
    if as_json:
        print_json(answer)
        return
    for name in answer["lanes"]:
        rest = done if answer["execute"] else f"{would}; nothing was changed: say --execute"
        say(f"lane {name} of {answer['service']} {rest}")


def paused_lines(service: str, paused: Iterable[dict[str, Any]]) -> list[str]:
    """One line for each pause that lasts: which lane, since when, by whom, why, and how it ends."""
    return [
        f"lane {one['lane']} of {service} is paused since {one['since']} by {one['by']}"
        f" ({one['reason'] or 'no reason told'}); it rests for {span(one['seconds'] * 1000)},"
        f" `c360 lane resume {service} --execute` lets it go on"
        for one in paused
    ]
