"""`c360 SERVICE policy show|apply`: the policy of a service, as YAML.

Owns reading a file and the lines people read. A policy changes nothing without --execute.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from services.ops.commands.failures import UsageMistake
from services.ops.commands.here import ask_json, here
from services.ops.commands.output import AsJson, print_json, say
from services.runtime.documents import read_yaml

File = Annotated[Path, typer.Argument(metavar="FILE", help="A policy as `policy show` prints it.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept for ever.")]
By = Annotated[str, typer.Option("--by", metavar="WHO", help="Who sets it.")]
Execute = Annotated[bool, typer.Option("--execute", help="Put it in force; else only check it.")]


NUMBER = re.compile(r"-?\d+\.\d+")


class _AsWritten(yaml.SafeDumper):
    """Numbers with a point are kept as text; here they are numbers again."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    if NUMBER.fullmatch(value):
        return dumper.represent_scalar("tag:yaml.org,2002:float", value)
    return dumper.represent_str(value)


_AsWritten.add_representer(str, _text)


def policy_commands(service: str, summary: str, effect: str) -> typer.Typer:
    """The commands for one service's policy; `effect`: what follows when one is put in force."""
    policy = typer.Typer(help=summary, rich_markup_mode=None)

    @policy.command("show")
    def show(as_json: AsJson = False) -> None:
        """The policy in force, as YAML, with who set it and why."""
        answer = ask_json("GET", f"{here().internal[service]}/policy")
        if as_json:
            print_json(answer)
            return
        say(f"# number {answer['number']}, set {answer['set_at']} by {answer['by']}: {answer['reason']}")
        say(as_yaml(answer["document"]).rstrip())

    @policy.command("apply", help=f"Put a policy in force; {effect}.")
    def apply(
        file: File, reason: Reason, by: By = "operator", execute: Execute = False, as_json: AsJson = False
    ) -> None:
        body = {"document": read_document(file), "by": by, "reason": reason}
        url = f"{here().internal[service]}/policy"
        answer = ask_json("PUT", url, json=body, params={"execute": str(execute).lower()})
        if as_json:
            print_json(answer)
        elif execute:
            say(f"policy number {answer['number']} is in force; {effect}")
        else:
            say("the policy can be read; nothing was changed: say --execute")

    return policy


def as_yaml(document: dict[str, Any]) -> str:
    """The document as it would be written by hand."""
    text: str = yaml.dump(document, Dumper=_AsWritten, sort_keys=False, allow_unicode=True, width=110)
    return text


def read_document(file: Path) -> dict[str, Any]:
    """The YAML of a file. Raises UsageMistake."""
    try:
        document = read_yaml(file.read_text())
    except OSError as error:
        raise UsageMistake(f"{file} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageMistake(f"{file} is no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict):
        raise UsageMistake(f"{file} holds no policy")
    return document
