"""`c360 segment ...`: which segments there are, setting one from a file, who is in it, and why, or why not.

Owns the lines people read. A segment changes nothing without --execute.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from services.ops.commands import asking
from services.ops.commands.here import ask_json, here
from services.ops.commands.keys import operator_key
from services.ops.commands.output import AsJson, console, count, print_json, readable, say
from services.ops.commands.policies import as_yaml, read_document

LISTED_MAX = 100
COUNTED = ("version", "size")
"""What `segment show` prints and nobody sets."""

Id = Annotated[str, typer.Argument(metavar="ID", help="A segment's id.")]
Wanted = Annotated[str, typer.Argument(metavar="CUSTOMER", help="A customer id, or TYPE:VALUE: email:ann@x.com")]

segment = typer.Typer(help="Segments: who belongs together, by conditions, and why.", rich_markup_mode=None)


@segment.command("list")
def list_all(as_json: AsJson = False) -> None:
    """All segments, and how many customers are in each."""
    answer = asking.public(here(), "/segments")
    if as_json:
        print_json(answer)
        return
    table = Table("segment", "name", "version", "within", "customers", box=None)
    for one in readable(answer["segments"]):
        shown = (one["segment_id"], one["name"], count(one["version"]), one["within"] or "-", count(one["size"]))
        table.add_row(*shown)
    console().print(table)
    if not answer["reviewed"]:
        say("one was changed: everybody is still looked at again")


@segment.command("show")
def show(segment_id: Id, as_json: AsJson = False) -> None:
    """A segment as YAML, as `set` takes it, and what its members are worth."""
    copy = here()
    answer = asking.public(copy, f"/segments/{segment_id}")
    worth = asking.public(copy, f"/segments/{segment_id}/summary")
    if as_json:
        print_json({**answer, "summary": worth})
        return
    brought = ", ".join(f"{one['revenue']} {one['currency']}" for one in worth["revenue"] or ()) or "nothing"
    grades = ", ".join(f"{grade}: {count(number)}" for grade, number in (worth["tiers"] or {}).items())
    say(f"# version {answer['version']}; {count(worth['size'])} customers who brought {brought}")
    say(f"# by tier {grades or '-'}")
    say(as_yaml({k: v for k, v in answer.items() if k not in COUNTED and v is not None}).rstrip())


@segment.command("set")
def set_one(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A segment as `segment show` prints it.")],
    execute: Annotated[bool, typer.Option("--execute", help="Put it in force; else only check it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Define a segment, or change it; everybody is looked at again in the background."""
    document = read_document(file)
    copy = here()
    body = {name: part for name, part in document.items() if name not in COUNTED}
    answer = ask_json(
        "POST", f"{copy.profile}/v1/segments", key=operator_key(copy), json=body,
        params={"execute": str(execute).lower()},
    )  # fmt: skip
    if as_json:
        print_json(answer)
    elif execute:
        say(f"segment {answer['segment_id']}, version {answer['version']}, is in force; see `c360 wait`")
    else:
        say("the segment can be read; nothing was changed: say --execute")


@segment.command("members")
def members(segment_id: Id, as_json: AsJson = False) -> None:
    """Who is in a segment, the first of them by id."""
    answer = asking.public(here(), f"/segments/{segment_id}/members", limit=LISTED_MAX)
    if as_json:
        print_json(answer)
        return
    table = Table("customer", "name", "tier", "since", box=None)
    for one in readable(answer["members"]):
        table.add_row(one["customer_id"], one["name"] or "-", one["tier"] or "-", one["since"])
    console().print(table)
    if answer["next_cursor"] is not None:
        say(f"the first {LISTED_MAX}; more by GET /v1/segments/{segment_id}/members?cursor=")


@segment.command("why")
def why(segment_id: Id, wanted: Wanted, as_json: AsJson = False) -> None:
    """Why a customer is in a segment, or is not: every condition with its actual value."""
    copy = here()
    customer_id = asking.customer_id(copy, asking.read_wanted(wanted))
    answer = asking.profile(copy, customer_id, f"/segments/{segment_id}")
    if as_json:
        print_json(answer)
        return
    since = f" since {answer['since']}" if answer["since"] else ""
    say(f"{customer_id} is {'in' if answer['member'] else 'not in'} {segment_id}{since}")
    _say_condition(answer["conditions"], 1)
    for outer in answer["within"]:
        say(f"  within {outer['segment_id']}:")
        _say_condition(outer["conditions"], 2)


def _say_condition(condition: dict[str, Any], depth: int) -> None:
    actual = f"  (is {', '.join(map(str, condition['actual'])) or 'not there'})" if "actual" in condition else ""
    say(f"{'  ' * depth}{'yes' if condition['holds'] else 'no':<4}{condition['condition']}{actual}")
    for one in condition.get("conditions", ()):
        _say_condition(one, depth + 1)
