"""`c360 reads`: who read personal data of whom, and when.

Owns the lines people read; what is noted and kept is the profile service's.
"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from services.ops.commands import asking
from services.ops.commands.here import here
from services.ops.commands.output import AsJson, console, count, print_json, readable

AUDITED_MAX = 200


def reads(
    customer: Annotated[str | None, typer.Option(metavar="CUSTOMER", help="A customer id, or TYPE:VALUE")] = None,
    key_id: Annotated[str | None, typer.Option("--key", metavar="KEY_ID", help="An id of `key list`")] = None,
    since: Annotated[str | None, typer.Option("--from", metavar="TIME", help="RFC 3339")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="TIME", help="RFC 3339")] = None,
    limit: Annotated[int, typer.Option(min=1, max=AUDITED_MAX)] = 50,
    as_json: AsJson = False,
) -> None:
    """Which keys read personal data of whom, and when, the newest first."""
    copy = here()
    wanted = asking.customer_id(copy, asking.read_wanted(customer)) if customer is not None else None
    given = {"customer_id": wanted, "key_id": key_id, "from": since, "to": until, "limit": limit}
    answer = asking.public(copy, "/audit/reads", **{name: part for name, part in given.items() if part is not None})
    if as_json:
        print_json(answer)
        return
    table = Table("last", "reads", "key", "call", "customer", "scopes", box=None)
    for one in readable(answer["reads"]):
        who = f"{one['key_name']} ({one['key_id']})"
        shown = (one["last_at"], count(one["reads"]), who, one["call"], one["customer_id"], ", ".join(one["scopes"]))
        table.add_row(*shown)
    console().print(table if answer["reads"] else "nothing personal was read")
