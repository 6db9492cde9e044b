"""`c360 customers` and `c360 changes`: who there is, and what happens to them as it happens.

Owns asking page by page, reading a stream of changes and going on with it where it broke off, and their lines.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Any

import httpx
import typer
from rich.table import Table

from services.ops.commands import asking
from services.ops.commands.failures import CommandError, NotRunning
from services.ops.commands.here import Here, here, said
from services.ops.commands.keys import operator_key
from services.ops.commands.output import AsJson, console, print_json, readable, say, tell
from services.ops.page.words import day

PAGE_MAX = 100
READ_TIMEOUT_S = 40.0
"""Longer than there is between two comments of a stream."""
AGAIN_AFTER_S = 2.0
ENDED = "stream.ended"
GONE = "customer-gone"


def customers(
    query: Annotated[
        str | None, typer.Option("--query", "-q", metavar="TEXT", help="A name, e-mail, phone number, or any id.")
    ] = None,
    tier: Annotated[
        str | None, typer.Option("--tier", metavar="GRADE", help="Only of this grade: A, B, C or D.")
    ] = None,
    sort: Annotated[
        str | None, typer.Option("--sort", metavar="ORDER", help="name, last_seen or revenue; else what fits best.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List customers, found by what people type."""
    given = {"query": query, "tier": tier, "sort": sort}
    listed = _listed(here(), limit, {name: value for name, value in given.items() if value is not None})
    if as_json:
        print_json({"items": listed})
        return
    table = Table("customer", "name", "e-mail", "phone", "tier", "last seen", box=None, padding=(0, 2))
    for one in readable(listed):
        addresses = (" ".join(one["emails"]), " ".join(one["phones"]))
        table.add_row(one["customer_id"], one["name"] or "", *addresses, one["tier"] or "", day(one["last_seen"]))
    console().print(table if listed else "nobody fits")


def _listed(copy: Here, limit: int, query: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = asking.public(copy, "/customers", **query, **cursor, limit=min(PAGE_MAX, limit - len(found)))
        found += page["items"]
        if page["next_cursor"] is None or len(found) >= limit:
            return found
        cursor = {"cursor": page["next_cursor"]}


def changes(
    customer: Annotated[
        str | None, typer.Option("--customer", metavar="ID", help="Only of this one: an id, or TYPE:VALUE.")
    ] = None,
    after: Annotated[
        str | None, typer.Option("--after", metavar="CURSOR", help="The id of an event; `begin`: all that is kept.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="End after so many; 0: never.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Tell what changes as it changes, until it is interrupted; with --json one CloudEvent a line."""
    copy = here()
    wanted = asking.customer_id(copy, asking.read_wanted(customer)) if customer is not None else None
    path = "/v1/changes" if wanted is None else f"/v1/customers/{wanted}/stream"
    for told, (_, event) in enumerate(_following(copy, path, after), 1):
        if as_json:
            sys.stdout.write(json.dumps(event, separators=(",", ":")) + "\n")
            sys.stdout.flush()
        else:
            say(line(event))
        if told == limit:
            return


def line(event: dict[str, Any]) -> str:
    """A change as people read it."""
    kind, data = event["type"], event["data"]
    name = kind.removeprefix("customer.")
    about = _SAID[kind](data) if kind in _SAID else ", ".join(data.get("changed", ()))
    if "into" in data:
        into = data["into"]
        about = f"into {into if isinstance(into, str) else ', '.join(into)}"
    return f"{event['time']}  {name:<10}  {event['subject']}  {about}".rstrip()


def _joined(*parts: str | None) -> str:
    return ", ".join(part for part in parts if part)


def _named(name: str, value: Any) -> str | None:
    return None if value is None else f"{name} {value}"


_SAID: dict[str, Callable[[dict[str, Any]], str]] = {
    "segment.entered": lambda d: d["segment_id"],
    "segment.left": lambda d: d["segment_id"],
    "tier.changed": lambda d: f"{d['from'] or 'none'} to {d['to'] or 'none'}",
    "promise.due": lambda d: _joined(d["promise_id"], _named("due", d["due_at"]), _named("by", d["by"])),
    "feedback.detractor": lambda d: _joined(
        _named(f"{d['scale']}", d["score"]), _named("survey", d["survey_id"]), _named("follow-up", d["follow_up"])
    ),
    "customer.defected": lambda d: _joined(_named("since", d["since"]), _named("cause", d["cause"])),
}
"""Type → what is said of it."""


def _following(copy: Here, path: str, after: str | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """(cursor, CloudEvent) for ever; goes on where it was when the stream breaks off."""
    answered = False
    while True:
        try:
            for cursor, kind, data in _stream(copy, path, after):
                answered, after = True, cursor
                if kind == ENDED:
                    tell(f"the stream ended: {data['reason']}")
                    if data["reason"] == GONE:
                        break
                elif kind:
                    yield cursor, data
        except httpx.HTTPError as error:
            if not answered:
                raise NotRunning() from None
            tell(f"the stream broke off: {type(error).__name__}")
        time.sleep(AGAIN_AFTER_S)


def _stream(copy: Here, path: str, after: str | None) -> Iterator[tuple[str, str, Any]]:
    """(cursor, type, data) of one connection; no type where only the cursor moved. Raises CommandError: refused."""
    headers = {"Authorization": f"Bearer {operator_key(copy)}", **({"Last-Event-ID": after} if after else {})}
    url = f"{copy.profile}{path}"
    with httpx.stream("GET", url, headers=headers, timeout=READ_TIMEOUT_S, trust_env=False) as response:
        if response.status_code != 200:
            response.read()
            raise CommandError(said(response))
        yield from parsed(response.iter_lines())


def parsed(lines: Iterable[str]) -> Iterator[tuple[str, str, Any]]:
    """(id, event, data) of server-sent events whose data is JSON; "" and None where there is only an id."""
    fields: dict[str, str] = {}
    for text in lines:
        name, colon, value = text.partition(":")
        if text:
            # A comment has no name.
            if name and colon:
                fields[name] = value.removeprefix(" ")
            continue
        if "id" in fields:
            yield fields["id"], fields.get("event", ""), json.loads(fields["data"]) if "data" in fields else None
        fields = {}
