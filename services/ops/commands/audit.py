"""`c360 audit`: does every event that came in end somewhere, by source and minute?

Owns which minutes are looked at, the lines people read, and the exit code: 1 where something does not add up.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from schemas.envelope import parse_rfc3339, rfc3339
from services.ops.commands.failures import EX_FAILED, UsageMistake
from services.ops.commands.here import ask_lines, here
from services.ops.commands.output import AsJson, console, count, print_json, readable, say, tell

MINUTES_DEFAULT = 10
TIMEOUT_S = 900.0
COLUMNS = (
    "received", "refused", "applied", "duplicate", "shadowed", "suppressed", "parked", "waiting", "uncounted", "lost",
    "missing",
)  # fmt: skip

Since = Annotated[str | None, typer.Option("--from", metavar="TIME", help="From this minute. RFC 3339.")]
Until = Annotated[str | None, typer.Option("--to", metavar="TIME", help="To before this minute. Default: now.")]
Minutes = Annotated[int, typer.Option("--minutes", min=1, max=1_440, help="How many, where --from is not said.")]
Source = Annotated[str | None, typer.Option("--source", metavar="NAME", help="Show this source alone.")]


def audit(
    since: Since = None,
    until: Until = None,
    minutes: Minutes = MINUTES_DEFAULT,
    source: Source = None,
    as_json: AsJson = False,
) -> int:
    """Add up what became of every event of some minutes, and tell where that is not what came in."""
    to = _moment(until, "--to") if until else datetime.now(UTC) + timedelta(minutes=1)
    start = _moment(since, "--from") if since else to - timedelta(minutes=minutes + (until is None))
    query = {"from": rfc3339(start), "to": rfc3339(to)}
    found = ask_lines(f"{here().internal['intake']}/audit", query, TIMEOUT_S, tell)
    if source is not None:
        found["accounts"] = [one for one in found["accounts"] if one["source"] == source]
    if as_json:
        print_json(found)
    else:
        _show(found)
    return 0 if all(one["is_right"] for one in found["accounts"]) else EX_FAILED


def _show(found: dict[str, Any]) -> None:
    if not found["accounts"]:
        say("nothing came in")
        return
    table = Table("minute", "source", *COLUMNS, box=None, padding=(0, 2), header_style="dim")
    for one in found["accounts"]:
        numbers = (count(one[name]) if one[name] else "-" for name in COLUMNS)
        table.add_row(one["minute"], str(readable(one["source"])) or "(unregistered)", *numbers)
    console().print(table)
    for part in found["not_answering"]:
        say(f"{part} does not answer: what only it knows is not told")
    for one in found["accounts"]:
        of = f"of {one['source']} at {one['minute']}"
        if one["lost"]:
            say(f"{count(one['lost'])} {of} were answered for and are not in the log")
        if one["missing"]:
            say(f"{count(one['missing'])} {of} are in the log and nowhere else")
    for place in found["missing_places"]:
        say(f"missing: {place}")
    if all(one["is_right"] for one in found["accounts"]):
        say("every event ended somewhere, or is still to be come to")


def _moment(text: str, option: str) -> datetime:
    try:
        return parse_rfc3339(text)
    except (ValueError, OverflowError):
        raise UsageMistake(f"{option} is an RFC 3339 time with a zone, as 2026-03-02T09:15:00Z") from None
