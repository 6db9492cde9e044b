"""`c360 replay ...` and `c360 verify`: a service's generation rebuilt beside the live one, compared, swapped.

Owns the lines people read, and the rebuild's process where the copy runs in this home. Nothing happens without
--execute.
"""

from __future__ import annotations

import getpass
import time
from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich.table import Table

from services.ops.commands import rebuilds
from services.ops.commands.failures import EX_FAILED, CommandError
from services.ops.commands.here import Here, ask_json, ask_lines, here
from services.ops.commands.lanes import paused_lines
from services.ops.commands.output import AsJson, console, count, print_json, say, span, tell

REBUILT = ("identity", "interaction", "value", "profile", "treatment")
COMPARE_TIMEOUT_S = 900.0
STEP_TIMEOUT_S = 60.0
RETOLD_TIMEOUT_S = 600.0
POLL_S = 0.5
MIB = 1 << 20

replay = typer.Typer(help="Rebuild what a service derived from the log, and put it in place.", rich_markup_mode=None)

Service = Annotated[str, typer.Argument(metavar="SERVICE", help=", ".join(REBUILT))]
Execute = Annotated[bool, typer.Option("--execute", help="Do it; else only tell whether it could be done.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept for ever.")]
By = Annotated[str, typer.Option("--by", metavar="WHO", help="Who does it. Default: you.")]
Rate = Annotated[int | None, typer.Option("--rate", metavar="N", min=1, help="At most so many events a second.")]
Samples = Annotated[int, typer.Option("--samples", metavar="N", min=0, max=100, help="Keys to name of each topic.")]


def address(service: str, copy: Here) -> str:
    """Where a service's pages are. Raises CommandError for a service that is not rebuilt."""
    if service not in REBUILT:
        raise CommandError(f"{service} has nothing to rebuild; say one of {', '.join(REBUILT)}")
    return copy.internal[service]


@replay.command("plan")
def plan(service: Service, rate: Rate = None, as_json: AsJson = False) -> None:
    """Tell what a rebuild would read, how long it would take and how large it would be."""
    found = ask_json("GET", f"{address(service, here())}/replay/plan", params={"rate": rate} if rate else {})
    if as_json:
        print_json(found)
        return
    table = Table("topic", "partition", "records", box=None)
    for row in found["partitions"]:
        table.add_row(row["topic"], str(row["partition"]), count(row["records"]))
    console().print(table)
    say(f"{count(found['records'])} records at {count(found['rate'])}/s: {span(found['seconds'] * 1000)} or longer")
    say(f"about {count(found['bytes'] // MIB + 1)} MiB, as much as generation {found['live']} takes")
    if not found["same_tables"]:
        say("this build has other tables than the live generation: workers of the old build end at the swap")


def _step(service: str, what: str, by: str, reason: str, execute: bool, **more: Any) -> dict[str, Any]:
    url = f"{address(service, here())}/replay/{what}"
    body = {"by": by or getpass.getuser(), "reason": reason, "execute": execute, **more}
    answer: dict[str, Any] = ask_json("POST", url, json=body, timeout_s=STEP_TIMEOUT_S)
    return answer


def _told(answer: dict[str, Any], as_json: bool, done: str, would: str) -> None:
    if as_json:
        print_json(answer)
    elif answer["execute"]:
        say(done.format(**answer))
    else:
        say(f"{would.format(**answer)}; nothing was changed: say --execute")


@replay.command("start")
def start(
    service: Service, rate: Rate = None, execute: Execute = False, reason: Reason = "", by: By = "",
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Begin the next generation beside the live one."""
    answer = _step(service, "start", by, reason, execute, rate=rate)
    launched = rebuilds.launch(here(), service) if execute else False
    _told(
        answer, as_json, "generation {generation} is being rebuilt; `replay status` shows how far it is",
        "generation {generation} would be rebuilt beside the live one",
    )  # fmt: skip
    if execute and not launched and not as_json:
        say(f"this home runs no workers: start `python -m services.{service} rebuild` where they run")


@replay.command("pause")
def pause(
    service: Service, execute: Execute = False, reason: Reason = "", by: By = "", as_json: AsJson = False
) -> None:
    """Let the rebuild stop after the batch at hand."""
    _told(_step(service, "pause", by, reason, execute), as_json, "generation {generation} rests", "it would rest")


@replay.command("resume")
def resume(
    service: Service, rate: Rate = None, execute: Execute = False, reason: Reason = "", by: By = "",
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Let the rebuild go on, maybe at another rate."""
    answer = _step(service, "resume", by, reason, execute, rate=rate)
    if execute:
        rebuilds.launch(here(), service)
    _told(answer, as_json, "generation {generation} goes on", "it would go on")


@replay.command("abort")
def abort(
    service: Service, execute: Execute = False, reason: Reason = "", by: By = "", as_json: AsJson = False
) -> None:
    """Drop the generation beside the live one: a rebuild given up, or one kept for a rollback."""
    answer = _step(service, "abort", by, reason, execute)
    if execute:
        rebuilds.end(here(), service)
    _told(answer, as_json, "generation {generation} is dropped", "generation {generation} would be dropped")


@replay.command("swap")
def swap(
    service: Service, execute: Execute = False, reason: Reason = "", by: By = "", wait: bool = True,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Make the rebuilt generation live; what differs is told anew, the other one is kept and follows."""
    _swapped(service, "swap", execute, reason, by, wait, as_json)


@replay.command("rollback")
def rollback(
    service: Service, execute: Execute = False, reason: Reason = "", by: By = "", wait: bool = True,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Make the generation live again that was live before the swap."""
    _swapped(service, "rollback", execute, reason, by, wait, as_json)


def _swapped(service: str, what: str, execute: bool, reason: str, by: str, wait: bool, as_json: bool) -> None:
    answer = _step(service, what, by, reason, execute)
    if execute and wait:
        answer["retelling"] = until_retold(service, here(), lambda text: None if as_json else tell(text))
    _told(
        answer, as_json, "generation {live} is live; workers waited {waited_ms} ms. Generation {other} is kept",
        "generation {live} would be live instead of {other}",
    )  # fmt: skip
    if execute and wait and not as_json:
        say(f"{count(answer['retelling']['told'])} of {count(answer['retelling']['walked'])} states told anew")


def until_retold(service: str, copy: Here, progress: Callable[[str], None]) -> dict[str, Any]:
    """Waits until what a swap changed is told. Raises CommandError after RETOLD_TIMEOUT_S."""
    deadline = time.monotonic() + RETOLD_TIMEOUT_S
    while True:
        found: dict[str, Any] = ask_json("GET", f"{address(service, copy)}/replay")["retelling"]
        if found["done"]:
            return found
        if paused := paused_lines(service, ask_json("GET", f"{address(service, copy)}/lane")["paused"]):
            raise CommandError(f"it is done, and what differs is told once the lane goes on: {paused[0]}")
        if time.monotonic() > deadline:
            raise CommandError(f"{service} still tells what changed; does its worker run? see `c360 status`")
        progress(f"{count(found['walked'])} states looked at, {count(found['told'])} told anew")
        time.sleep(POLL_S)


@replay.command("status")
def status(service: Service, as_json: AsJson = False) -> None:
    """Tell what is live, what is beside it and how far it is, and what was done."""
    found = ask_json("GET", f"{address(service, here())}/replay")
    if as_json:
        print_json(found)
        return
    say(f"generation {found['live']} is live")
    _say_beside(found["beside"])
    walk = found["retelling"]
    if walk:
        state = "told" if walk["done"] else "being told"
        say(f"last swap: {count(walk['told'])} of {count(walk['walked'])} states {state}, since {walk['begun_at']}")
    table = Table("at", "generation", "what", "by", "reason", box=None)
    for step in found["steps"]:
        table.add_row(step["at"], str(step["generation"]), step["what"], step["by"], step["reason"])
    if found["steps"]:
        console().print(table)


def _say_beside(one: dict[str, Any] | None) -> None:
    if one is None:
        say("no other generation")
        return
    kept = "kept for a rollback" if one["kept_for_rollback"] else "being rebuilt"
    say(f"generation {one['generation']} is {kept}: {one['state']}, its worker {one['worker']}")
    eta = span(one["seconds_left"] * 1000) if one["left"] else "none"
    rate = f"{count(one['events_per_s'])} of at most {count(one['rate'])} events/s"
    say(f"{count(one['left'])} records left, {eta}; {rate}; {count(one['bytes'] // MIB + 1)} MiB")
    table = Table("topic", "partition", "position", "end", box=None)
    for row in one["positions"]:
        if row["end"]:
            table.add_row(row["topic"], str(row["partition"]), count(row["position"]), count(row["end"]))
    console().print(table)


@replay.command("diff")
def diff(service: Service, samples: Samples = 10, as_json: AsJson = False) -> int:
    """Compare what both generations tell, at the same positions; exits 1 when they differ."""
    url = f"{address(service, here())}/replay/diff"
    found = ask_lines(url, {"samples": samples}, COMPARE_TIMEOUT_S, lambda text: None if as_json else tell(text))
    topics = found["topics"]
    differ = any(one[kind] for one in topics.values() for kind in ("changed", "only_live", "only_rebuilt"))
    if as_json:
        print_json(found)
        return EX_FAILED if differ else 0
    table = Table("topic", "same", "changed", "only in live", "only in the other", box=None)
    for topic, one in topics.items():
        table.add_row(topic, *(count(one[k]) for k in ("same", "changed", "only_live", "only_rebuilt")))
    console().print(table)
    for topic, one in topics.items():
        for name, number in one["fields"].items():
            say(f"{topic}: {name} differs in {count(number)}")
        for sample in one["samples"]:
            say(f"  {sample['key']}: {', '.join(sample['fields'])}")
    say(f"generation {found['live']} against {found['rebuilt']}, at the same positions")
    return EX_FAILED if differ else 0


def verify(service: Service, as_json: AsJson = False) -> int:
    """Compare all rows of both generations by checksums, at the same positions; exits 1 when any differ."""
    url = f"{address(service, here())}/verify"
    found = ask_lines(url, {}, COMPARE_TIMEOUT_S, lambda text: None if as_json else tell(text))
    if as_json:
        print_json(found)
        return EX_FAILED if found["differing_total"] else 0
    for one in found["differing"]:
        say(f"{one['table']} {one.get('key', '')}: in {one.get('in') or one['only']}")
    say(f"{count(found['rows'])} rows of {found['tables']} tables; {count(found['differing_total'])} differ")
    for one in found["uncompared"]:
        say(f"not compared: {one['table']}, {one['what']}: {one['why']}")
    return EX_FAILED if found["differing_total"] else 0
