"""`c360 mapping list|show|apply|remove`: what a source's own event names mean, before the shipped tables.

Owns the lines people read. A mapping changes nothing without --execute.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.table import Table

from services.ops.commands.failures import UsageMistake
from services.ops.commands.here import ask, ask_json, here
from services.ops.commands.output import AsJson, console, print_json, readable, say, tell
from services.ops.commands.policies import By, Execute, File, Reason, as_yaml, read_document

mapping = typer.Typer(help="What a source's own event names mean.", rich_markup_mode=None)

Source = Annotated[str, typer.Argument(metavar="SOURCE")]


@mapping.command("list")
def list_mappings(as_json: AsJson = False) -> None:
    """Which sources have a mapping of their own."""
    found = ask_json("GET", f"{here().internal['intake']}/mappings")
    if as_json:
        print_json(found)
        return
    table = Table("source", "mapping", "rows", "set", "by", "reason", box=None, padding=(0, 2))
    for one in readable(found["mappings"]):
        rows = sum(len(one["document"].get(part) or {}) for part in ("calls", "events"))
        table.add_row(one["source"], one["version"], str(rows), one["set_at"], one["by"], one["reason"])
    console().print(table if found["mappings"] else "no source has a mapping of its own")


@mapping.command("show")
def show(source: Source, as_json: AsJson = False) -> None:
    """A source's mapping in force, as YAML, with who set it and why."""
    found = ask_json("GET", f"{here().internal['intake']}/mappings/{source}")
    if as_json:
        print_json(found)
        return
    say(f"# {found['version']}, set {found['set_at']} by {found['by']}: {found['reason']}")
    say(as_yaml(found["document"]).rstrip())


@mapping.command("apply")
def apply(
    source: Source, file: File, reason: Reason, by: By = "operator", execute: Execute = False, as_json: AsJson = False
) -> None:
    """Put a mapping in force: rows by call and by event name, as in schemas/mappings; what came is not changed."""
    document = read_document(file)
    wrong = list(_unquoted(document, ""))
    for place in wrong:
        tell(f"{place}: YAML reads this name as another value: write it in quotes")
    if wrong:
        raise UsageMistake(f"nothing was changed; errors in the mapping: {len(wrong)}")
    answer = _put(source, document, by, reason, execute)
    if as_json:
        print_json({**answer, "execute": execute})
        return
    _told(answer)
    for name, rules in answer["expected"].items():
        say(f"{readable(name)}: without {', '.join(rules)} in what is sent it counts nothing")
    if execute:
        say(f"mapping {answer['number']} of {source} is in force; what came before stays: see `c360 remap`")
    else:
        say("the mapping can be read; nothing was changed: say --execute")


@mapping.command("remove")
def remove(
    source: Source, reason: Reason, by: By = "operator", execute: Execute = False, as_json: AsJson = False
) -> None:
    """Leave the source to the shipped tables again."""
    answer = _put(source, None, by, reason, execute)
    if as_json:
        print_json({**answer, "execute": execute})
        return
    _told(answer)
    say(f"{source} has no mapping of its own" if execute else "nothing was changed: say --execute")


def _put(source: str, document: Any, by: str, reason: str, execute: bool) -> dict[str, Any]:
    """What the change does, or did. Raises UsageMistake after telling every error, each with its place."""
    url = f"{here().internal['intake']}/mappings/{source}"
    body = {"document": document, "by": by, "reason": reason}
    params = {"execute": str(execute).lower()}
    refused = ask("PUT", url, json=body, params=params)
    if refused.is_success:
        answer: dict[str, Any] = refused.json()
        return answer
    problem = refused.json() if "json" in refused.headers.get("content-type", "") else {}
    errors = problem.get("errors") or []
    for one in readable(errors):
        tell(f"{one['place']}: {one['message']}" if one["place"] else one["message"])
    if errors:
        raise UsageMistake(f"nothing was changed; errors in the mapping: {len(errors)}")
    raise UsageMistake(problem.get("detail") or problem.get("title") or f"intake answers {refused.status_code}")


def _unquoted(value: Any, place: str) -> Iterator[str]:
    """Where a name stands that YAML takes for a number or a yes or no, such as `no`: it would be kept as another."""
    for key, part in value.items() if isinstance(value, dict) else ():
        below = f"{place}.{key}".lstrip(".")
        if not isinstance(key, str):
            yield below
        yield from _unquoted(part, below)


def _told(answer: dict[str, Any]) -> None:
    for what in ("added", "changed", "removed"):
        for name in answer[what]:
            say(f"{what}: {name}")
