"""`c360 events tail`: what comes in, and what becomes of it, as it happens.

Owns the lines people read and how often it is looked. Shows ids, types and times, nothing a person wrote.
"""

from __future__ import annotations

import sys
import time
from typing import Annotated, Any

import orjson
import typer

from services.ops.commands.failures import CommandError
from services.ops.commands.here import ask_json, here
from services.ops.commands.output import AsJson, print_json, readable, say, tell

LOOK_EVERY_S = 1.0
AWAY_MAX = 30
"""Looks in a row that nobody answered, after which it ends."""
COUNT_MAX = 500

events = typer.Typer(help="What comes in.", rich_markup_mode=None)


@events.command("tail")
def tail(
    source: Annotated[str | None, typer.Option("--source", metavar="NAME", help="Of this source alone.")] = None,
    state: Annotated[
        str | None, typer.Option("--state", metavar="STATE", help="applied, duplicate, waiting, parked or missing.")
    ] = None,
    count: Annotated[int, typer.Option("--count", min=1, max=COUNT_MAX, help="How many of the last ones.")] = 20,
    once: Annotated[bool, typer.Option("--once", help="Do not wait for more.")] = False,
    as_json: AsJson = False,
) -> None:
    """The last events with what became of each and why, then every new one, until you interrupt it."""
    query = {"source": source, "state": state, "limit": count, "settled": str(not once).lower()}
    known = {name: value for name, value in query.items() if value is not None}
    found = _look(known)
    if once:
        if as_json:
            print_json({"events": found["events"]})
        else:
            _lines(found["events"])
            if not found["events"]:
                say("nothing came in lately that fits")
        return
    away = 0
    while True:
        if as_json:
            _json_lines(found["events"])
        else:
            _lines(found["events"])
        known["after"] = found["after"]
        time.sleep(LOOK_EVERY_S)
        found, away = _look_again(known, away)


def _look(query: dict[str, Any]) -> Any:
    return ask_json("GET", f"{here().internal['intake']}/tail", params=query)


def _look_again(query: dict[str, Any], away: int) -> tuple[Any, int]:
    """The next look, and how many in a row were not answered: a restart is waited for. Raises CommandError."""
    try:
        return _look(query), 0
    except CommandError:
        if away >= AWAY_MAX:
            raise
        if not away:
            tell("nothing answers; waiting for it")
        return {"events": [], "after": query["after"]}, away + 1


def _json_lines(found: list[dict[str, Any]]) -> None:
    for one in found:
        sys.stdout.write(orjson.dumps(one).decode() + "\n")
    sys.stdout.flush()


def _lines(found: list[dict[str, Any]]) -> None:
    for one in readable(found):
        about = [one["type"], one["id"], one["mapping"] and f"by {one['mapping']}"]
        why = [one["reason"], one["detail"], one["incomplete"] and f"without {', '.join(one['incomplete'])}"]
        told = "  ".join(part for part in (*about, *why) if part)
        say(f"{one['at']:27}  {one['source'] or '(unregistered)':16}  {one['state']:9}  {told}".replace("\n", " "))
    sys.stdout.flush()
