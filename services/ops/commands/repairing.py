"""`c360 repair`: a customer, or everybody of whom events were appended in a time, derived anew and replaced.

Owns the lines people read. Nothing is replaced without --execute.
"""

from __future__ import annotations

import getpass
from typing import Annotated, Any

import typer

from services.ops.commands.failures import EX_FAILED, UsageMistake
from services.ops.commands.here import ask_lines, here
from services.ops.commands.output import AsJson, count, print_json, say, tell
from services.ops.commands.replay import By, Execute, Reason, Service, address

REPAIR_TIMEOUT_S = 3_600.0
NAMED_MAX = 20

Customer = Annotated[str | None, typer.Option("--customer", metavar="ID", help="One customer, by any id of his.")]
From = Annotated[
    str | None, typer.Option("--from", metavar="TIME", help="Appended to the log from then on, RFC 3339.")
]
To = Annotated[str | None, typer.Option("--to", metavar="TIME", help="And before then. Default: now.")]


def repair(
    service: Service, customer: Customer = None, begin: From = None, end: To = None, execute: Execute = False,
    reason: Reason = "", by: By = "", as_json: AsJson = False,
) -> int:  # fmt: skip
    """Derive some customers anew from their first events, and replace what differs; exits 1 when any is left so."""
    if (customer is None) == (begin is None) or (end is not None and begin is None):
        raise UsageMistake("say either --customer, or --from (and --to)")
    body: dict[str, Any] = {"by": by or getpass.getuser(), "reason": reason, "execute": execute}
    body |= {"customer": customer, "from": begin, "to": end}
    url = f"{address(service, here())}/repair"
    found = ask_lines(url, {}, REPAIR_TIMEOUT_S, lambda text: None if as_json else tell(text), body)
    left = found["differing"] if not execute else 0
    if as_json:
        print_json(found)
        return EX_FAILED if left else 0
    for table, number in found["tables"].items():
        say(f"{table}: rows of {count(number)} ids differ")
    for one in found["customers"][:NAMED_MAX]:
        say(f"  {one}")
    say(f"{found['of']}: {count(found['records'])} records, {count(found['differing'])} customers differ")
    if execute:
        say(f"{count(found['replaced'])} customers replaced, {count(found['told'])} told anew")
    elif left:
        say("nothing was changed: say --execute")
    return EX_FAILED if left else 0
