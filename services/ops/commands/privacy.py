"""`c360 erase` and `c360 export`: one customer's data, forgotten for good or handed out.

Owns the lines people read. Nothing is erased without --execute, and no name is printed.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from services.ops.commands import asking, private_files
from services.ops.commands.failures import EX_FAILED, CommandError
from services.ops.commands.here import Here, ask, ask_json, here, said
from services.ops.commands.keys import operator_key
from services.ops.commands.output import AsJson, count, print_json, say

Wanted = Annotated[str, typer.Argument(metavar="CUSTOMER", help="A customer id, or TYPE:VALUE: email:ann@x.com")]
Timeout = Annotated[float, typer.Option("--timeout", min=0, metavar="SECONDS", help="How long to wait for the end.")]
WAIT_MS = 5_000
LOOK_EVERY_S = 0.5
UNDER_WAY = ("asked", "told", "waiting")
"""States of receipts that are followed."""
REASON = "asked for"


def erase(
    wanted: Wanted,
    reason: Annotated[str, typer.Option("--reason", help="Kept for ever with the receipt: name nobody.")] = REASON,
    execute: Annotated[bool, typer.Option("--execute", help="Do it; else only tell what there is.")] = False,
    timeout_s: Timeout = 60.0,
    as_json: AsJson = False,
) -> int:
    """Erase a customer: all his records in every service, and whatever would come of them. It cannot be undone."""
    copy = here()
    customer_id = asking.customer_id(copy, asking.read_wanted(wanted))
    if not execute:
        return _only_told(copy, customer_id, as_json)
    url = f"{copy.profile}/v1"
    key = operator_key(copy)
    found = ask_json("POST", f"{url}/customers/{customer_id}/erase", key=key, json={"reason": reason})
    found = _followed(found, f"{url}/erasures/{found['erasure_id']}", key, timeout_s, params={"wait_ms": WAIT_MS})
    if as_json:
        print_json(found)
    elif found["state"] == "done":
        say(f"{customer_id} is erased: {count(found['records'])} records; receipt {found['erasure_id']}")
    else:
        say(f"{customer_id} is being erased ({found['state']}); see GET /v1/erasures/{found['erasure_id']}")
    return 0 if found["state"] == "done" else EX_FAILED


def _followed(found: dict[str, Any], place: str, key: str, timeout_s: float, **more: Any) -> dict[str, Any]:
    """The receipt when it is at its end, or as it stands when the time is over."""
    until = time.monotonic() + timeout_s
    while found["state"] in UNDER_WAY and time.monotonic() < until:
        time.sleep(LOOK_EVERY_S)
        found = ask_json("GET", place, key=key, **more)
    return found


def _only_told(copy: Here, customer_id: str, as_json: bool) -> int:
    totals: dict[str, Any] = asking.profile(copy, customer_id, include="identity")["identity"]["totals"]
    if as_json:
        print_json({"customer_id": customer_id, "records": totals["records"], "executed": False})
    else:
        say(f"{customer_id} has {count(totals['records'])} records; nothing was changed: say --execute")
    return 0


def export(
    wanted: Wanted,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy goes, as JSON.")],
    timeout_s: Timeout = 120.0,
    as_json: AsJson = False,
) -> int:
    """Write everything that is kept of a customer into a file."""
    copy = here()
    customer_id = asking.customer_id(copy, asking.read_wanted(wanted))
    key, url = operator_key(copy), f"{copy.profile}/v1"
    found = ask_json("POST", f"{url}/customers/{customer_id}/export", key=key)
    place = f"{url}/exports/{found['export_id']}"
    found = _followed(found, place, key, timeout_s)
    if found["state"] != "done":
        raise CommandError(f"the copy is {found['state']}; see GET /v1/exports/{found['export_id']}")
    copied = ask("GET", f"{place}/data", key=key)
    if not copied.is_success:
        raise CommandError(said(copied))
    private_files.write(file, copied.content)
    if as_json:
        print_json(found)
    else:
        say(f"{count(found['bytes'])} bytes of {customer_id} are in {file}")
    return 0
