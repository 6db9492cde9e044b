"""`c360 identity how` and `c360 identity history`: in what order a customer's records join, what was decided when.

Owns the lines people read of both; what holds a customer together now is identity.py's.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from services.ops.commands import asking
from services.ops.commands.here import here
from services.ops.commands.identity import LISTED_MAX, identity, link_words, named
from services.ops.commands.output import AsJson, console, count, print_json, readable, say

Wanted = Annotated[str, typer.Argument(metavar="ID", help="A customer id, or TYPE:VALUE: email:ann@x.com")]


@identity.command("how")
def how(wanted: Wanted, as_json: AsJson = False) -> None:
    """Tell in what order a customer's records join, strongest link first, and which link is the weakest."""
    parsed = asking.read_wanted(wanted)
    copy = here()
    answer = asking.profile(copy, asking.customer_id(copy, parsed), "/identity/how")
    if as_json:
        print_json(answer)
        return
    say(answer["why"])
    if answer["steps"]:
        table = Table("", "joins", "to", "what", "records", "", box=None, padding=(0, 2), header_style="dim")
        for row in rows(readable(answer)):
            table.add_row(*row)
        console().print(table)
    more = answer["totals"]["steps"] - LISTED_MAX
    if more > 0:
        say(f"and {count(more)} more steps; --json has the first {len(answer['steps'])}")


def rows(answer: dict[str, Any]) -> list[tuple[str, ...]]:
    """A row a step: number, both ends, the link, both sizes, marks; beside the listed ones the last there is."""
    hinge = answer["hinge"]["number"] if answer["hinge"] else None
    listed = answer["steps"][:LISTED_MAX]
    found: list[tuple[str, ...]] = []
    for step in listed if answer["weakest"] in listed else [*listed, answer["weakest"]]:
        link = step["link"]
        marks = ["weakest"] if step["weakest"] else []
        marks += [f"{count(step['hanging'])} hang on it"] if step["hanging"] else []
        marks += ["most"] if step["number"] == hinge else []
        sizes = f"{count(step['a_records'])} + {count(step['b_records'])}"
        ends = named(link["a"]), named(link["b"])
        found.append((str(step["number"]), *ends, link_words(link), sizes, ", ".join(marks)))
    return found


@identity.command("history")
def history(
    wanted: Wanted,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=100, help="Decisions.")] = LISTED_MAX,
    cursor: Annotated[str | None, typer.Option("--cursor", metavar="CURSOR", help="Of the page before.")] = None,
    former: Annotated[
        str | None, typer.Option("--former", metavar="ID", help="Decisions under an id the customer had before.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell what was decided about a customer, newest first, each with the evidence it was decided on."""
    parsed = asking.read_wanted(wanted)
    copy = here()
    query = {"limit": limit, "cursor": cursor, "former": former}
    given = {name: value for name, value in query.items() if value is not None}
    answer = asking.profile(copy, asking.customer_id(copy, parsed), "/identity/history", **given)
    if as_json:
        print_json(answer)
        return
    say(answer["why"])
    for decision in answer["decisions"]:
        for line in lines(decision):
            say(line)
    if answer["former"]:
        say(f"also decided under former ids (--former ID): {', '.join(answer['former'])}")
    if answer["next_cursor"]:
        say(f"more: --cursor {answer['next_cursor']}")


def lines(decision: dict[str, Any]) -> list[str]:
    """A decision as people read it: what and when, then a line for each record or pair."""
    kind = decision["decision"]
    said: list[str] = []
    if kind == "joined":
        said = [f"{named(r)}{_from(r)}{_because(r['because'])}" for r in decision["records"]]
    elif kind == "left":
        said = [f"{named(r)} to {r['to'] or 'nobody'}: {r['constraint'] or 'no link any more'}"
                for r in decision["records"]]  # fmt: skip
    elif kind == "refused":
        said = [f"{_pair(r['records'])}: {r['constraint']}" for r in decision["refused"]]
        said += [f"{_pair(pair)}: not refused any more" for pair in decision["lifted"]]
    elif kind == "generic":
        said = [f"{named(r)} is seen with too many people" for r in decision["records"]]
        said += [f"{named(r)} is so no more" for r in decision["cleared"]]
    else:
        said = [named(r) for r in decision["records"]]
    more = decision["total"] - len(said)
    rest = [f"    and {count(more)} more"] if more > 0 else []
    return [f"{decision['version']}. {decision['at']}  {kind}", *(f"    {line}" for line in said), *rest]


def _pair(records: list[dict[str, Any]]) -> str:
    return " with ".join(named(r) for r in records)


def _from(record: dict[str, Any]) -> str:
    return f" from {record['from']}" if record["from"] and record["from"] != record["record_id"] else ""


def _because(because: dict[str, Any] | None) -> str:
    if because is None:
        return ""
    by = because["actor"] or because["source"]
    who = f" by {by}" if by else ""
    alike = f" ({because['bits']:g} bits)" if because["bits"] is not None else ""
    why = f": {because['reason']}" if because["reason"] else ""
    return f", {because['kind']}{alike} with {named(because['with'])}{who}{why}"
