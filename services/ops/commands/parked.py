"""`c360 parked list|show|retry|replace|discard`: records that were set aside, and what becomes of them.

Owns the lines people read. Nothing changes without --execute; what people wrote is shown masked.
"""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from services.ops.commands import asking, private_files
from services.ops.commands.failures import CommandError, UsageMistake
from services.ops.commands.here import Here, ask, ask_json, here, said
from services.ops.commands.layout import WORKERS
from services.ops.commands.output import AsJson, console, count, print_json, readable, say

PARKED_MAX = 1_000
COLUMNS = ("parked_at", "source", "reason", "detail", "topic", "partition", "offset")

parked = typer.Typer(help="Events that were set aside, with the reason.", rich_markup_mode=None)

Service = Annotated[str, typer.Argument(metavar="SERVICE", help=", ".join(WORKERS))]
Place = Annotated[str | None, typer.Option("--place", metavar="TOPIC/PARTITION/OFFSET", help="One record.")]
Reason = Annotated[str | None, typer.Option("--reason", metavar="CODE", help="All parked for this reason.")]
Source = Annotated[str | None, typer.Option("--source", metavar="NAME", help="All of this source.")]
Build = Annotated[str | None, typer.Option("--build", metavar="NAME", help="All that this build parked.")]
All = Annotated[bool, typer.Option("--all", help="All of them.")]
By = Annotated[str, typer.Option("--by", metavar="WHO", help="Who does it. Default: you.")]
Customer = Annotated[
    str | None, typer.Option("--customer", metavar="ID", help="All of his records: a customer id, or TYPE:VALUE.")
]
Execute = Annotated[bool, typer.Option("--execute", help="Do it; else only tell how many they are.")]


def _address(service: str, copy: Here) -> str:
    if service not in WORKERS:
        raise UsageMistake(f"there is no service {service}; say one of {', '.join(WORKERS)}")
    return copy.internal[service]


@parked.command("list")
def list_parked(
    service: Annotated[
        str | None, typer.Argument(metavar="[SERVICE]", help="Of one service's lane. Default: of intake's doors.")
    ] = None,
    reason: Reason = None,
    source: Source = None,
    build: Build = None,
    limit: Annotated[int, typer.Option(min=1, max=PARKED_MAX)] = 50,
    as_json: AsJson = False,
) -> None:
    """What was set aside, newest first, and how much by reason and source."""
    copy = here()
    if service is None:
        _list_intake(copy, limit, as_json)
        return
    query = {"reason": reason, "source": source, "build": build, "limit": limit}
    url = f"{_address(service, copy)}/parked/records"
    body = ask_json("GET", url, params={k: v for k, v in query.items() if v is not None})
    if as_json:
        print_json(body)
        return
    _table(body["parked"], COLUMNS)
    for group in body["groups"]:
        say(f"{count(group['count'])} {group['reason']} from {group['source'] or 'an unknown source'}")


def _list_intake(copy: Here, limit: int, as_json: bool) -> None:
    """What intake set aside at its doors, and how much others did."""
    body = ask_json("GET", f"{copy.internal['intake']}/parked", params={"limit": limit})
    others = {name: _parked_by(copy, name) for name in WORKERS if name != "intake"}
    if as_json:
        print_json({**body, "other_services": others})
        return
    _table(body["parked"], COLUMNS)
    for reason, number in sorted(body.get("by_reason", {}).items()):
        say(f"{count(number)} {reason}")
    for service, reasons in others.items():
        for reason, number in sorted(reasons.items()):
            say(f"{count(number)} {reason} in {service}; see `c360 parked list {service}`")


def _table(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> None:
    table = Table(*columns, box=None, padding=(0, 2), header_style="dim")
    for row in rows:
        table.add_row(*(str(readable(row.get(column, ""))) or "-" for column in columns))
    console().print(table if rows else "nothing is parked")


def _parked_by(copy: Here, service: str) -> dict[str, int]:
    return dict(ask_json("GET", f"{copy.internal[service]}/status").get("parked", {}))


@parked.command("show")
def show(
    service: Service, place: Annotated[str, typer.Argument(metavar="TOPIC/PARTITION/OFFSET")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write what intake was sent there, as it came.")
    ] = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """One record with its content; values are masked, names of fields are not."""
    if out is not None:
        _write_content(service, place, out)
        return
    found = ask_json("GET", f"{_address(service, here())}/parked/record", params={"place": place})
    if as_json:
        print_json(found)
        return
    for name, value in found.items():
        if name in ("headers", "value"):
            say(f"{name}:")
            print_json(readable(value))
        else:
            say(f"{name:12} {value}")


def _write_content(service: str, place: str, out: Path) -> None:
    if service != "intake":
        raise UsageMistake("--out is for what intake has parked; what is in the log is put right by its source")
    response = ask("GET", f"{_address(service, here())}/parked/content", params={"place": place})
    if not response.is_success:
        raise CommandError(said(response))
    private_files.write(out, response.content)
    say(f"written to {out}, which only you may read; correct it, then `c360 parked replace {place} --with FILE`")


@parked.command("retry")
def retry(
    service: Service, place: Place = None, reason: Reason = None, source: Source = None, build: Build = None,
    customer: Customer = None, everything: All = False, by: By = "", execute: Execute = False,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Let the lane try some again; what it applies is no longer parked. What was parked of a request stays."""
    chosen = _chosen(place, reason, source, build, customer, everything)
    answer = _post(service, "retry", {**chosen, "by": by, "execute": execute})
    _told(answer, execute, as_json, "are tried again; `c360 parked list` shows what stays", "would be tried again")


@parked.command("discard")
def discard(
    service: Service,
    because: Annotated[str, typer.Option("--because", metavar="TEXT", help="Why; it is kept for ever.")],
    place: Place = None, reason: Reason = None, source: Source = None, build: Build = None,
    customer: Customer = None, everything: All = False, by: By = "", execute: Execute = False,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Set some aside for good."""
    chosen = _chosen(place, reason, source, build, customer, everything)
    answer = _post(service, "discard", {**chosen, "because": because, "by": by, "execute": execute})
    _told(answer, execute, as_json, "are discarded", "would be discarded")


def _chosen(
    place: str | None, reason: str | None, source: str | None, build: str | None, customer: str | None,
    everything: bool,
) -> dict[str, Any]:  # fmt: skip
    named = {"place": place, "reason": reason, "source": source, "build": build, "customer": customer}
    chosen: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    if bool(chosen) == everything:
        raise UsageMistake("say which: --place, --reason, --source, --build or --customer, or --all alone")
    if customer is not None:
        copy = here()
        customer_id = asking.customer_id(copy, asking.read_wanted(chosen.pop("customer")))
        chosen["keys"] = ask_json("GET", f"{copy.internal['profile']}/customers/{customer_id}/ids")["ids"]
    return chosen


@parked.command("replace")
def replace(
    place: Annotated[str, typer.Argument(metavar="TOPIC/PARTITION/OFFSET", help="What intake has parked.")],
    file: Annotated[Path, typer.Option("--with", metavar="FILE", help="One event: a CloudEvent, or a Segment call.")],
    by: By = "", execute: Execute = False, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Take a corrected event in the place of a parked one, as from its source and as if it had come then."""
    body = {"place": place, "event": _event(file), "by": by, "execute": execute}
    made = _post("intake", "replace", body)
    if as_json:
        print_json({**made, "execute": execute})
        return
    lacks = f", without {', '.join(made['incomplete'])}" if made["incomplete"] else ""
    done = "stands for it" if execute else "would stand for it; nothing was changed: say --execute"
    say(f"{readable(made['type'])}{lacks}: {made['event_id']} {done}")


def _event(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except OSError as error:
        raise UsageMistake(f"{file} cannot be read: {error.strerror}") from None
    except ValueError:
        raise UsageMistake(f"{file} is not JSON") from None


def _post(service: str, what: str, body: dict[str, Any]) -> dict[str, Any]:
    body["by"] = body["by"] or getpass.getuser()
    found: dict[str, Any] = ask_json("POST", f"{_address(service, here())}/parked/{what}", json=body)
    return found


def _told(answer: dict[str, Any], execute: bool, as_json: bool, done: str, would: str) -> None:
    if as_json:
        print_json({**answer, "execute": execute})
    elif execute:
        say(f"{count(answer['chosen'])} {done}")
    else:
        say(f"{count(answer['chosen'])} {would}; nothing was changed: say --execute")
