"""`c360 value ...`: tiers and the policy that sets them, the book of business.

Owns the lines people read. A policy changes nothing without --execute.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.table import Table

from services.ops.commands.failures import UsageMistake
from services.ops.commands.here import ask_json, here
from services.ops.commands.output import AsJson, console, count, print_json, readable, say

value = typer.Typer(help="What customers are worth.", rich_markup_mode=None)
policy = typer.Typer(help="The policy: grades, what they are for, margin rates.", rich_markup_mode=None)
value.add_typer(policy, name="policy")


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


@policy.command("show")
def show(as_json: AsJson = False) -> None:
    """The policy in force, as YAML, with who set it and why."""
    answer = ask_json("GET", f"{here().internal['value']}/policy")
    if as_json:
        print_json(answer)
        return
    say(f"# number {answer['number']}, set {answer['set_at']} by {answer['by']}: {answer['reason']}")
    say(yaml.safe_dump(answer["document"], sort_keys=False, allow_unicode=True).rstrip())


@policy.command("apply")
def apply(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A policy as `policy show` prints it.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept for ever.")],
    by: Annotated[str, typer.Option("--by", metavar="WHO", help="Who sets it.")] = "operator",
    execute: Annotated[bool, typer.Option("--execute", help="Put it in force; else only check it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put a policy in force; all customers are graded anew in the background."""
    body = {"document": read_document(file), "by": by, "reason": reason}
    url = f"{here().internal['value']}/policy"
    answer = ask_json("PUT", url, json=body, params={"execute": str(execute).lower()})
    if as_json:
        print_json(answer)
    elif execute:
        say(f"policy number {answer['number']} is in force")
    else:
        say("the policy can be read; nothing was changed: say --execute")


def read_document(file: Path) -> dict[str, Any]:
    """The YAML of a file. Raises UsageMistake."""
    try:
        document = yaml.safe_load(file.read_text())
    except OSError as error:
        raise UsageMistake(f"{file} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageMistake(f"{file} is no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict):
        raise UsageMistake(f"{file} holds no policy")
    return document
