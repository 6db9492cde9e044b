"""`c360 contact ...`: what is wrong with everybody's contact data, and of whom.

Owns asking page after page and the lines people read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.table import Table

from services.ops.commands import asking
from services.ops.commands.here import Here, here
from services.ops.commands.output import AsJson, console, count, print_json, readable, say
from services.ops.page.words import day

FIRST_ROWS = 20

contact = typer.Typer(help="How good the contact data is.", rich_markup_mode=None)


@contact.callback()
def _group() -> None:
    """A group of one command is still a group."""


@contact.command("issues")
def issues(
    code: Annotated[str | None, typer.Option("--code", metavar="CODE", help="Only these issues.")] = None,
    as_json: AsJson = False,
) -> None:
    """What is wrong today, counted over all customers, and the first of them."""
    copy = here()
    listed = _first(copy, code)
    totals: Counter[str] = Counter()
    customers, today = 0, ""
    for page in _pages(copy, limit=0):
        totals.update(page["totals"])
        customers, today = customers + page["customers"], page["day"]
    if as_json:
        print_json({"day": today, "customers": customers, "totals": totals, "issues": listed})
        return
    table = Table("issue", "customers' values", box=None)
    for name, number in totals.items():
        if code in (None, name):
            table.add_row(name, count(number))
    console().print(table)
    say(f"of {count(customers)} customers, on {day(today)}")
    if listed:
        say()
        console().print(_rows(listed))


def _pages(copy: Here, **query: Any) -> Iterator[dict[str, Any]]:
    cursor: dict[str, str] = {}
    while True:
        page = asking.public(copy, "/contact/issues", **query, **cursor)
        yield page
        if page["next_cursor"] is None:
            return
        cursor = {"cursor": page["next_cursor"]}


def _first(copy: Here, code: str | None) -> list[dict[str, Any]]:
    """The first rows: pages may be empty where such issues are rare."""
    found: list[dict[str, Any]] = []
    for page in _pages(copy, limit=FIRST_ROWS, **({"code": code} if code else {})):
        found += page["issues"]
        if len(found) >= FIRST_ROWS:
            break
    return found[:FIRST_ROWS]


def _rows(listed: list[dict[str, Any]]) -> Table:
    table = Table("customer", "issue", "value", "since", "ask for", box=None)
    for one in listed:
        value = readable("" if one["value"] is None else str(one["value"]))
        table.add_row(one["customer_id"], one["code"], value, day(one["since"]), one["ask_for"])
    return table
