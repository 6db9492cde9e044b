"""`c360 customer`, `lookup` and `trace`: questions without consequences.

Owns asking and choosing the form; drawing is showing.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from services.ops.commands import asking, customer_page, showing
from services.ops.commands.failures import EX_FAILED, CommandError
from services.ops.commands.here import Here, ask, here, said
from services.ops.commands.output import AsJson, console, print_json, readable, say

TIMELINE_SHOWN = 15
NOT_KNOWN = (404, 405)


def customer(
    wanted: Annotated[str, typer.Argument(metavar="ID", help="A customer id, or TYPE:VALUE: email:ann@x.com")],
    timeline: Annotated[bool, typer.Option("--timeline", help="The newest events too.")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write it all as one page that needs nothing else.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show one customer's profile, or write it as a page."""
    parsed = asking.read_wanted(wanted)
    copy = here()
    document = asking.profile(copy, asking.customer_id(copy, parsed))
    items = asking.timeline(copy, document["customer_id"], TIMELINE_SHOWN) if timeline else []
    if html is not None:
        customer_page.write(copy, document, html)
    if as_json:
        print_json({**document, "timeline": items} if timeline else document)
        return
    if html is not None:
        say(f"written to {html}")
        return
    console().print(showing.customer(document))
    if timeline:
        say("\nTIMELINE, newest first")
        console().print(showing.timeline(items))


def lookup(type_: Annotated[str, typer.Argument(metavar="TYPE")], value: str, as_json: AsJson = False) -> None:
    """Tell whose an identifier is; exits 1 when it is nobody's or shared."""
    result = asking.lookup(here(), [(type_, value)])[0]
    if as_json:
        print_json(result)
    elif result["customer_id"]:
        say(result["customer_id"])
    elif result["ambiguous"]:
        say("shared by several customers")
        console().print(showing.candidates(result))
    else:
        say("so widely shared that it is nobody's" if result["generic"] else "nobody's yet")
    if not result["customer_id"]:
        raise typer.Exit(EX_FAILED)


def trace(source: str, id_: Annotated[str, typer.Argument(metavar="ID")], as_json: AsJson = False) -> None:
    """Tell where one event went: acknowledged, in the log, whose it is, which profile shows it."""
    found = traced(here(), source, id_)
    if as_json:
        print_json(found)
    else:
        console().print(trace_table(found))
    if not any(found[part] for part in ("intake", "interaction")):
        raise CommandError(f"no event {id_} of source {source} is known")


def traced(copy: Here, source: str, id_: str) -> dict[str, Any]:
    """What each service knows of one event; None where one knows nothing or does not answer."""
    found: dict[str, Any] = {"source": source, "id": id_, "intake": None}
    found["interaction"] = known(f"{copy.internal['interaction']}/trace", {"source": source, "id": id_})
    seen = found["interaction"] or {}
    if seen:
        place = {"partition": seen["partition"], "offset": seen["offset"]}
        found["intake"] = known(f"{copy.internal['intake']}/trace", place)
    document = asking.profile(copy, seen["customer_id"]) if seen.get("customer_id") else None
    found["profile"] = document and {
        "customer_id": document["customer_id"],
        "version": document["meta"]["version"],
        "updated_at": document["meta"]["updated_at"],
        "regrouping": document["meta"].get("regrouping", []),
    }
    return found


def known(url: str, query: dict[str, Any]) -> Any:
    """What an internal page tells; None where it knows nothing of it."""
    response = ask("GET", url, params=query)
    if response.is_success:
        return response.json()
    if response.status_code in NOT_KNOWN:
        return None
    raise CommandError(said(response))


def trace_table(found: dict[str, Any]) -> Table:
    """The trace as rows: who, what, its words."""
    table = Table("where", "what", "", box=None, padding=(0, 2), header_style="dim")
    for part in ("intake", "interaction", "profile"):
        known = found[part]
        if not known:
            table.add_row(part, "-", "does not show it")
            continue
        for number, (name, value) in enumerate(known.items()):
            table.add_row(part if number == 0 else "", name, _text(value))
    return table


def _text(value: Any) -> str:
    if value is None or value == []:
        return "-"
    return ", ".join(map(_text, value)) if isinstance(value, list) else str(readable(value))
