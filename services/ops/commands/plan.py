"""`c360 plan list|show|apply`: tracking plans, what sources promised to send.

Owns reading a file and the lines people read. A plan changes nothing without --execute.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.table import Table

from services.ops.commands.failures import UsageMistake
from services.ops.commands.here import ask_json, here
from services.ops.commands.output import AsJson, console, count, print_json, readable, say
from services.ops.commands.policies import By, Execute, Reason

plan = typer.Typer(help="Tracking plans: what sources promised to send.", rich_markup_mode=None)

Source = Annotated[str, typer.Argument(metavar="SOURCE")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="A plan as `plan show` prints it, or JSON.")]


@plan.command("list")
def list_plans(as_json: AsJson = False) -> None:
    """Which sources have a plan, and how often it was broken."""
    found = ask_json("GET", f"{here().internal['intake']}/plans")
    if as_json:
        print_json(found)
        return
    table = Table("source", "version", "types", "on violation", "violations", box=None, padding=(0, 2))
    for one in found["plans"]:
        document = one["document"]
        mode = document.get("on_violation", "forward")
        row = (one["source"], one["version"], len(document["types"]), mode, count(one["violations"]))
        table.add_row(*(str(readable(cell)) for cell in row))
    console().print(table if found["plans"] else "no source has a plan")


@plan.command("show")
def show(source: Source, as_json: AsJson = False) -> None:
    """A source's plan in force, as YAML, and which rules were broken how often."""
    found = ask_json("GET", f"{here().internal['intake']}/plans/{source}")
    if as_json:
        print_json(found)
        return
    say(f"# version {found['version']}, set {found['set_at']} by {found['by']}: {found['reason']}")
    say(yaml.safe_dump(found["document"], sort_keys=False, allow_unicode=True).rstrip())
    for one in found["violations"]:
        times = count(one["count"])
        say(f"# {times} of {one['type']} broke {one['rule']} of version {one['version']}, last {one['last_at']}")


@plan.command("apply")
def apply(
    source: Source, file: File, reason: Reason, by: By = "operator", execute: Execute = False, as_json: AsJson = False
) -> None:
    """Put a plan in force: types with the JSON Schema of their events' data; on_violation: forward or park."""
    body = {"document": _read(file), "by": by, "reason": reason}
    url = f"{here().internal['intake']}/plans/{source}"
    answer = ask_json("PUT", url, json=body, params={"execute": str(execute).lower()})
    if as_json:
        print_json({**answer, "execute": execute})
        return
    for what in ("added", "changed", "removed"):
        for name in answer[what]:
            say(f"{what}: {name}")
    said = f"version {answer['version']} is in force" if execute else "nothing was changed: say --execute"
    say(said if execute else f"the plan can be read; {said}")


def _read(file: Path) -> Any:
    """The document of a file. Its numbers are numbers: a schema's bounds are no texts. Raises UsageMistake."""
    try:
        document = yaml.safe_load(file.read_text())
        json.dumps(document, allow_nan=False)
    except OSError as error:
        raise UsageMistake(f"{file} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageMistake(f"{file} is no YAML: {' '.join(str(error).split())}") from None
    except (TypeError, ValueError) as error:
        raise UsageMistake(f"{file} holds what JSON cannot say: {error}") from None
    return document
