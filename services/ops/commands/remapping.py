"""`c360 remap --source NAME`: what came before a mapping was right, mapped anew.

Owns the lines people read, and the exit code: 1 where something could not be mapped anew. Nothing is replaced
without --execute.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from schemas.envelope import parse_rfc3339
from services.ops.commands.failures import EX_FAILED, UsageMistake
from services.ops.commands.here import ask_lines, here
from services.ops.commands.output import AsJson, console, count, print_json, readable, say, tell

REMAP_TIMEOUT_S = 3_600.0

Source = Annotated[str, typer.Option("--source", metavar="NAME", help="Whose events.")]
From = Annotated[str | None, typer.Option("--from", metavar="TIME", help="Taken into the log from then on.")]
To = Annotated[str | None, typer.Option("--to", metavar="TIME", help="And before then. Default: now.")]
Name = Annotated[str | None, typer.Option("--event", metavar="NAME", help="Only those sent by this name.")]
Type = Annotated[str | None, typer.Option("--type", metavar="TYPE", help="Only those that are of this type now.")]
Execute = Annotated[bool, typer.Option("--execute", help="Replace them; else only tell how many they are.")]


def remap(
    source: Source, begin: From = None, end: To = None, event: Name = None, type_: Type = None,
    execute: Execute = False, as_json: AsJson = False,
) -> int:  # fmt: skip
    """Map a source's past events by today's tables, and replace those that become others; run again, it goes on."""
    for option, text in (("--from", begin), ("--to", end)):
        _check_moment(option, text)
    body = {"source": source, "from": begin, "to": end, "event": event, "type": type_, "execute": execute}
    url = f"{here().internal['intake']}/remap"
    found = ask_lines(url, {}, REMAP_TIMEOUT_S, lambda text: None if as_json else tell(text), body)
    if as_json:
        print_json({**found, "execute": execute})
    else:
        _show(found, execute)
    return EX_FAILED if found["left"] else 0


def _show(found: dict[str, Any], execute: bool) -> None:
    table = Table("from", "to", "events", "incomplete", box=None, padding=(0, 2), header_style="dim")
    for one in readable(found["moves"]):
        table.add_row(one["from"], one["to"], count(one["events"]), count(one["incomplete"]))
    if found["moves"]:
        console().print(table)
    for one in readable([] if execute else found["examples"]):
        lacks = f", without {', '.join(one['lacks'])}" if one["lacks"] else ""
        say(f"  {one['event_id']} of {one['time']}: {one['from']} -> {one['to']}{lacks}")
    say(f"{count(found['read'])} events of {found['source']} read, {count(found['unchanged'])} stay as they are")
    for name, what in (
        ("taken_back_before", "were taken back before"),
        ("in_our_words", "came in our own words"),
        ("erased", "were left out: who sent them is erased"),
    ):
        if found[name]:
            say(f"{count(found[name])} {what}")
    if found["unfinished"]:
        say(f"{count(found['unfinished'])} of an earlier run had a replacement and were not taken back yet")
    for one in found["left"]:
        say(f"{count(one['events'])} cannot be mapped anew, {one['reason']}: {one['why']}")
    changes = found["differing"] + found["unfinished"]
    if execute:
        say(f"{count(found['published'])} replaced")
    elif changes:
        say(f"{count(changes)} would be replaced; nothing was changed: say --execute")


def _check_moment(option: str, text: str | None) -> None:
    try:
        parse_rfc3339(text or "2000-01-01T00:00:00Z")
    except (ValueError, OverflowError):
        raise UsageMistake(f"{option} is an RFC 3339 time with a zone, as 2026-03-02T09:15:00Z") from None
