"""`c360 restore`: what control.events has of policies goes back into a database that lost it.

Owns the lines people read. The log itself needs no restoring: workers on an empty database read it from its start.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from services.ops.commands.failures import EX_FAILED
from services.ops.commands.here import ask_json, here
from services.ops.commands.output import AsJson, console, count, print_json, say

EVENT_SOURCED = ("intake", "identity", "interaction", "value", "profile", "treatment")
TIMEOUT_S = 150.0


def restore(
    execute: Annotated[bool, typer.Option("--execute", help="Write it; else only tell what would be.")] = False,
    as_json: AsJson = False,
) -> int:
    """Restore policies from control.events; conflicts are told, and then nothing of that service is written."""
    copy = here()
    method = "POST" if execute else "GET"
    found: dict[str, Any] = {
        service: ask_json(method, f"{copy.internal[service]}/restore", timeout_s=TIMEOUT_S)
        for service in EVENT_SOURCED
    }
    conflicts = any(one["conflicting"] for one in found.values())
    if as_json:
        print_json({"executed": execute, "services": found})
        return EX_FAILED if conflicts else 0
    table = Table("service", "restored" if execute else "to restore", "known", "conflicting", box=None)
    for service, one in found.items():
        table.add_row(service, count(one["added"]), count(one["known"]), count(len(one["conflicting"])))
    console().print(table)
    if conflicts:
        say("the database holds other events under the same numbers: nothing was written where they conflict")
    elif not execute:
        say("nothing was changed: say --execute")
    return EX_FAILED if conflicts else 0
