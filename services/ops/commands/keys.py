"""Write keys of sources and API keys of apps: `c360 source ...` and `c360 key ...`.

Owns asking for them and the two the command keeps for itself in C360_HOME. Prints a key once, when made.
"""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer
from rich.table import Table

from services.ops.commands import secrets
from services.ops.commands.failures import CommandError, NotRunning, UsageMistake
from services.ops.commands.here import Here, ask_json, here
from services.ops.commands.output import AsJson, console, print_json, say

SCOPES = (
    "profile:read", "profile:pii", "value:read", "events:read", "events:write", "identity:write",
    "segments:write", "treatment:decide", "ops:admin", "privacy:admin",
)  # fmt: skip
"""All but `self`, which narrows a key to one customer."""
CLI_SOURCE = "cli"
OPERATOR_NAME = "operator"
KEYS_TIMEOUT_S = 20.0
RETRY_S = 0.2

Namespaces = Annotated[
    list[str] | None, typer.Option("--namespace", metavar="TYPE=NS", help="crm_id=acme keeps its numbers apart")
]
May = Annotated[
    list[str] | None,
    typer.Option("--may", metavar="P", help="assert: speak as an operator; retract: take back others' events"),
]
AppIds = Annotated[
    list[str] | None,
    typer.Option("--app-id", metavar="ID", help="Trackers with this app id send for it without a key."),
]

sources = typer.Typer(help="Who may send events.", rich_markup_mode=None)
keys = typer.Typer(help="Who may ask the profile API.", rich_markup_mode=None)


def ensure_first(copy: Here, timeout_s: float = KEYS_TIMEOUT_S) -> None:
    """Makes the command's own API key and source where they are missing. Raises CommandError, NotRunning."""
    _until_made(copy, secrets.OPERATOR, lambda: make_key(copy, OPERATOR_NAME, list(SCOPES)), timeout_s)
    _until_made(copy, secrets.CLI, lambda: make_source(copy, CLI_SOURCE, {}), timeout_s)


def _until_made(copy: Here, name: str, make: Any, timeout_s: float) -> None:
    if secrets.read(copy.home, name) is not None:
        return
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            made = make()
        except (CommandError, NotRunning):
            if time.monotonic() > deadline:
                raise
            time.sleep(RETRY_S)
        else:
            secrets.save(copy.home, name, made)
            return


def operator_key(copy: Here) -> str:
    """The API key the command asks with; made where it is missing."""
    ensure_first(copy)
    return secrets.read(copy.home, secrets.OPERATOR) or ""


def cli_key(copy: Here) -> str:
    """The write key the command publishes with; made where it is missing."""
    ensure_first(copy)
    return secrets.read(copy.home, secrets.CLI) or ""


def make_source(copy: Here, name: str, about: dict[str, Any]) -> str:
    """The write key of a new source. `about`: identifier_namespace, channel, currency, country, timezone, may."""
    made = ask_json("POST", f"{copy.internal['intake']}/sources", json={"name": name, **about})
    return str(made["write_key"])


def kept_source(copy: Here, name: str, about: dict[str, Any]) -> str:
    """The write key of a source this home has made before, else of a new one, which is then kept."""
    kept = f"source-{name}"
    known = secrets.read(copy.home, kept)
    if known is None:
        known = make_source(copy, name, about)
        secrets.save(copy.home, kept, known)
    return known


def make_key(copy: Here, name: str, scopes: list[str]) -> str:
    """A new API key."""
    return str(_make_key(copy, name, scopes)["key"])


def _make_key(copy: Here, name: str, scopes: list[str], **more: Any) -> Any:
    return ask_json("POST", f"{copy.internal['profile']}/keys", json={"name": name, "scopes": scopes, **more})


def read_namespaces(texts: list[str]) -> dict[str, str]:
    """`["crm_id=acme"]` as {"crm_id": "acme"}. Raises UsageMistake."""
    found: dict[str, str] = {}
    for text in texts:
        type_, _, namespace = text.partition("=")
        if not type_ or not namespace:
            raise UsageMistake(f"--namespace {text}: say TYPE=NAMESPACE, as in crm_id=acme")
        found[type_] = namespace
    return found


@sources.command("create")
def create_source(
    name: str,
    namespace: Namespaces = None,
    business_namespace: Annotated[str | None, typer.Option("--business-namespace")] = None,
    channel: Annotated[str | None, typer.Option(help="web, app, email, call, store, ...")] = None,
    currency: Annotated[str | None, typer.Option(help="Of amounts without one: EUR")] = None,
    country: Annotated[str | None, typer.Option(help="DE")] = None,
    timezone: Annotated[str | None, typer.Option(help="Europe/Berlin")] = None,
    subject_type: Annotated[
        str | None, typer.Option("--subject-type", help="Of which type CloudEvents' subject is: user_id")
    ] = None,
    events_per_s: Annotated[
        int | None, typer.Option("--events-per-s", metavar="N", min=1, help="More are answered 429.")
    ] = None,
    may: May = None,
    app_id: AppIds = None,
    as_json: AsJson = False,
) -> None:
    """Let a new source send events; prints its write key, once."""
    given = {
        "identifier_namespace": read_namespaces(namespace or []) or None,
        "business_namespace": business_namespace,
        "channel": channel,
        "currency": currency,
        "country": country,
        "timezone": timezone,
        "subject_type": subject_type,
        "events_per_s": events_per_s,
        "may": may or None,
        "app_ids": app_id or None,
    }
    key = make_source(here(), name, {field: value for field, value in given.items() if value is not None})
    if as_json:
        print_json({"name": name, "write_key": key})
    else:
        say(f"write key of {name}: {key}")


@sources.command("revoke")
def revoke_source_key(
    write_key: Annotated[str, typer.Argument(metavar="WRITE_KEY")],
    execute: Annotated[bool, typer.Option("--execute", help="Do it; without this nothing changes.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let a write key send no more; its source and its other keys stay."""
    asked = {"write_key": write_key, "execute": execute}
    found = ask_json("POST", f"{here().internal['intake']}/sources/revoke", json=asked)
    if as_json:
        print_json(found)
    else:
        done = "is revoked" if execute else "would be revoked; with --execute it is"
        say(f"a key of {found['name']} {done}")


@sources.command("list")
def list_sources(as_json: AsJson = False) -> None:
    """All sources, without their keys."""
    _listed(ask_json("GET", f"{here().internal['intake']}/sources"), "sources", as_json)


@keys.command("create")
def create_key(
    name: str,
    scope: Annotated[list[str], typer.Option("--scope", metavar="S", help=", ".join(SCOPES))],
    origin: Annotated[
        list[str] | None,
        typer.Option("--origin", metavar="URL", help="Web pages that may ask with it: https://shop.example"),
    ] = None,
    requests_per_s: Annotated[
        int | None,
        typer.Option("--requests-per-s", metavar="N", min=0, help="More are answered 429; 0: without a limit"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let an app ask the profile API; prints its key, once."""
    made = _make_key(here(), name, scope, origins=origin or [], requests_per_s=requests_per_s)
    if as_json:
        print_json({"name": name, "key_id": made.get("key_id"), "key": made["key"]})
    else:
        say(f"API key of {name}: {made['key']}")


@keys.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """All API keys, without the keys themselves."""
    _listed(ask_json("GET", f"{here().internal['profile']}/keys"), "keys", as_json)


@keys.command("revoke")
def revoke_key(key_id: str, as_json: AsJson = False) -> None:
    """Take an API key back, at once."""
    ask_json("DELETE", f"{here().internal['profile']}/keys/{key_id}")
    if as_json:
        print_json({"key_id": key_id, "revoked": True})
    else:
        say(f"{key_id} is revoked")


def _listed(body: Any, name: str, as_json: bool) -> None:
    if as_json:
        print_json(body)
        return
    rows = body.get(name, []) if isinstance(body, dict) else body
    columns = list(dict.fromkeys(column for row in rows for column in row))
    table = Table(*columns, box=None)
    for row in rows:
        table.add_row(*("" if row.get(column) is None else _cell(row[column]) for column in columns))
    console().print(table if rows else f"no {name} yet")


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name}={part}" for name, part in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
