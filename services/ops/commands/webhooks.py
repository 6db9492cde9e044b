"""`c360 webhooks ...`: endpoints that are told of changes, how each does, its dead letters, and telling it again.

Owns the lines people read; the calls are the public profile API's. What is told again or removed needs --execute.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from services.ops.commands import asking
from services.ops.commands.failures import UsageMistake
from services.ops.commands.here import ask_json, here
from services.ops.commands.keys import operator_key
from services.ops.commands.output import AsJson, console, count, print_json, readable, say

LISTED_MAX = 200
PAGE = "/webhooks"
LINES = (
    "url", "state", "disabled_reason", "types", "description", "timeout_ms", "retry_for_s", "waiting", "dead",
    "taken_at", "failed_at", "failed_reason", "failing_since", "gap_at", "former_secret_until", "cursor",
)  # fmt: skip

Id = Annotated[str, typer.Argument(metavar="WEBHOOK", help="An id of `webhooks list`.")]
Type = Annotated[list[str] | None, typer.Option("--type", metavar="T", help="customer.merged, ...; without: all")]
Execute = Annotated[bool, typer.Option("--execute", help="Do it; without this nothing changes.")]

webhooks = typer.Typer(help="Endpoints of apps that are told of changes.", rich_markup_mode=None)


@webhooks.command("list")
def list_all(as_json: AsJson = False) -> None:
    """All endpoints, and how each does."""
    answer = asking.public(here(), PAGE)
    if as_json:
        print_json(answer)
        return
    table = Table("webhook", "state", "waiting", "dead", "last taken", "last failure", "url", box=None)
    for one in readable(answer["webhooks"]):
        state = one["disabled_reason"] or ("failing" if one["failing_since"] else one["state"])
        shown = (
            state,
            count(one["waiting"]),
            count(one["dead"]),
            one["taken_at"] or "-",
            one["failed_reason"] or "-",
        )
        table.add_row(one["webhook_id"], *shown, one["url"])
    console().print(table if answer["webhooks"] else "no webhooks yet")


@webhooks.command("create")
def create(
    url: Annotated[str, typer.Argument(metavar="URL", help="https, of a public address")],
    type_: Type = None,
    description: Annotated[str | None, typer.Option(metavar="TEXT")] = None,
    timeout_ms: Annotated[int, typer.Option(metavar="MS", help="How long one attempt may take.")] = 10_000,
    retry_for_s: Annotated[int, typer.Option(metavar="S", help="How long a delivery is tried again.")] = 259_200,
    as_json: AsJson = False,
) -> None:
    """Tell an endpoint what changes from now on; prints its secret, once."""
    body = {
        "url": url,
        "types": type_ or [],
        "description": description,
        "timeout_ms": timeout_ms,
        "retry_for_s": retry_for_s,
    }
    made = _asked("POST", PAGE, body)
    if as_json:
        print_json(made)
    else:
        say(f"webhook {made['webhook_id']} is told from now on")
        say(f"its secret, shown this once: {made['secret']}")


@webhooks.command("show")
def show(webhook_id: Id, as_json: AsJson = False) -> None:
    """One endpoint, and how it does."""
    found = asking.public(here(), f"{PAGE}/{webhook_id}")
    if as_json:
        print_json(found)
        return
    for name in LINES:
        value = readable(found[name])
        if value not in (None, []):
            say(f"{name:20} {', '.join(value) if isinstance(value, list) else value}")


@webhooks.command("set")
def change(
    webhook_id: Id,
    url: Annotated[str | None, typer.Option(metavar="URL")] = None,
    type_: Type = None,
    enabled: Annotated[bool | None, typer.Option("--enable/--disable", help="Begin anew, or pause.")] = None,
    timeout_ms: Annotated[int | None, typer.Option(metavar="MS")] = None,
    retry_for_s: Annotated[int | None, typer.Option(metavar="S")] = None,
    as_json: AsJson = False,
) -> None:
    """Change an endpoint, pause it, or begin anew with one that was disabled: what waits is delivered."""
    body = {"url": url, "types": type_, "enabled": enabled, "timeout_ms": timeout_ms, "retry_for_s": retry_for_s}
    given = {name: part for name, part in body.items() if part is not None}
    if not given:
        raise UsageMistake("say what is to be otherwise: --url, --type, --enable, --disable, ...")
    found = _asked("PATCH", f"{PAGE}/{webhook_id}", given)
    if as_json:
        print_json(found)
    else:
        say(f"webhook {webhook_id} is {found['state']}")


@webhooks.command("rotate")
def rotate(
    webhook_id: Id,
    overlap_s: Annotated[int, typer.Option(metavar="S", help="How long the former secret signs too.")] = 86_400,
    as_json: AsJson = False,
) -> None:
    """Give an endpoint a new secret; prints it, once."""
    made = _asked("POST", f"{PAGE}/{webhook_id}/rotate", {"overlap_s": overlap_s})
    if as_json:
        print_json(made)
    else:
        say(f"its new secret, shown this once: {made['secret']}")
        say(f"deliveries are signed with the former one too until {made['former_secret_until']}")


@webhooks.command("remove")
def remove(webhook_id: Id, execute: Execute = False, as_json: AsJson = False) -> None:
    """Remove an endpoint with all that waits for it."""
    found = asking.public(here(), f"{PAGE}/{webhook_id}")
    if execute:
        _asked("DELETE", f"{PAGE}/{webhook_id}", None)
    if as_json:
        print_json({**found, "execute": execute})
    elif execute:
        say(f"webhook {webhook_id} is removed")
    else:
        say(f"{count(found['waiting'])} waiting deliveries would go with it; nothing was changed: say --execute")


@webhooks.command("deliveries")
def deliveries(
    webhook_id: Id,
    state: Annotated[str | None, typer.Option(metavar="STATE", help="waiting, taken, or dead")] = None,
    limit: Annotated[int, typer.Option(min=1, max=LISTED_MAX)] = 50,
    as_json: AsJson = False,
) -> None:
    """Deliveries of an endpoint, the newest first; `--state dead`: its dead letters."""
    query = {"limit": limit, **({"state": state} if state else {})}
    answer = asking.public(here(), f"{PAGE}/{webhook_id}/deliveries", **query)
    if as_json:
        print_json(answer)
        return
    table = Table("delivery", "state", "attempts", "reason", "type", "customer", "queued", box=None)
    for one in answer["deliveries"]:
        shown = (one["state"], count(one["attempts"]), one["reason"] or "-", one["type"], one["customer_id"])
        table.add_row(str(one["delivery_id"]), *shown, one["queued_at"])
    console().print(table if answer["deliveries"] else "no deliveries")


@webhooks.command("retry")
def retry(
    webhook_id: Id,
    delivery_id: Annotated[int, typer.Argument(metavar="DELIVERY", help="A number of `webhooks deliveries`.")],
    execute: Execute = False,
    as_json: AsJson = False,
) -> None:
    """Deliver a dead letter after all."""
    again = f"{PAGE}/{webhook_id}/deliveries/{delivery_id}/retry"
    _done(again, None, execute, as_json, f"delivery {delivery_id} waits, and is due", "it would be delivered again")


@webhooks.command("replay")
def replay(
    webhook_id: Id,
    since: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="RFC 3339: 2026-03-01T10:00:00Z")
    ] = None,
    after: Annotated[str | None, typer.Option(metavar="CURSOR", help="A cursor of a stream, or `begin`")] = None,
    execute: Execute = False,
    as_json: AsJson = False,
) -> None:
    """Tell an endpoint once more what changed, each event under the id it had."""
    if (since is None) == (after is None):
        raise UsageMistake("say from where: --from TIME or --after CURSOR")
    body = {"from": since} if since is not None else {"after": after}
    done = "it is told once more from there"
    _done(f"{PAGE}/{webhook_id}/replay", body, execute, as_json, done, "it would be told once more from there")


def _done(page: str, body: Any, execute: bool, as_json: bool, done: str, would: str) -> None:
    found = _asked("POST", page, body) if execute else {}
    if as_json:
        print_json({**found, "execute": execute})
    else:
        say(done if execute else f"{would}; nothing was changed: say --execute")


def _asked(method: str, page: str, body: Any) -> Any:
    copy = here()
    more = {} if body is None else {"json": body}
    return ask_json(method, f"{copy.profile}/v1{page}", key=operator_key(copy), **more)
