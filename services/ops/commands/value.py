"""`c360 value ...`: tiers and the policy that sets them, the book of business.

Owns the lines people read. A policy changes nothing without --execute.
"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from services.ops.commands.here import ask_json, here
from services.ops.commands.output import AsJson, console, count, print_json, readable, say
from services.ops.commands.policies import policy_commands

value = typer.Typer(help="What customers are worth.", rich_markup_mode=None)
value.add_typer(
    policy_commands(
        "value",
        "The policy: grades, what they are for, margin rates.",
        "all customers are graded anew in the background",
    ),
    name="policy",
)


@value.command("tiers")
def tiers(as_json: AsJson = False) -> None:
    """How many customers are in each grade, and what they brought."""
    answer = ask_json("GET", f"{here().internal['value']}/tiers")
    if as_json:
        print_json(answer)
        return
    table = Table("grade", "from", "customers", "orders", "revenue", "what for", box=None)
    for grade in answer["grades"]:
        table.add_row(
            grade["grade"],
            grade["revenue_from"] or "",
            count(grade["customers"]),
            count(grade["orders"]),
            f"{grade['revenue']} {answer['currency']}",
            readable(grade["purpose"]),
        )
    console().print(table)
    say(f"policy number {answer['policy_number']}")


@value.command("totals")
def totals(
    since: Annotated[str | None, typer.Option("--from", metavar="DATE", help="First business day.")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="DATE", help="First day that does not count.")] = None,
    as_json: AsJson = False,
) -> None:
    """What all customers brought, by currency."""
    query = {k: v for k, v in (("from", since), ("to", until)) if v}
    answer = ask_json("GET", f"{here().internal['value']}/book", params=query)
    if as_json:
        print_json(answer)
        return
    table = Table("currency", "revenue", "refunds", "margin", "cost to serve", "orders", box=None)
    for one in answer["totals"]:
        margin = f"{one['margin']}{' (estimated)' if one['margin_estimated'] else ''}"
        table.add_row(
            one["currency"], one["revenue"], one["refunds"], margin, one["cost_to_serve"], count(one["orders"])
        )
    console().print(table)
