"""Every command that the runbook tells people to type is one that the command knows, with these options."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from services.ops.command import application

RUNBOOK = Path(__file__).resolve().parents[3] / "docs" / "runbook.md"
WORDS = {"SERVICE": "value", "ID": "x", "SOURCE": "shop", "…": "2026-01-01"}
"""What stands for something in the text."""
SHORT = {"replay", "parked"}
"""Groups whose commands the text names without `c360` once it has begun."""


def _commands() -> list[str]:
    text = RUNBOOK.read_text()
    typed = [line for block in re.findall(r"```sh\n(.*?)```", text, re.S) for line in block.splitlines()]
    spoken = re.findall(r"`([^`\n]+)`", re.sub(r"```sh.*?```", "", text, flags=re.S))
    found = [line.split("#")[0].strip() for line in [*typed, *spoken]]
    return sorted({c for c in found if c.split(" ")[0] == "c360" or (c.split(" ")[0] in SHORT and " " in c)})


@pytest.mark.parametrize("line", _commands())
def test_it_is_known(line: str) -> None:
    words = [WORDS.get(word, word) for word in shlex.split(line) if word != "c360"]
    command = typer.main.get_command(application())
    while hasattr(command, "commands"):
        assert words, line
        name = words.pop(0)
        assert name in command.commands, f"{line}: there is no {name}"
        command = command.commands[name]
    options = {option for parameter in command.params for option in parameter.opts}
    for word in words:
        if word.startswith("--"):
            assert word in options, f"{line}: there is no {word}"


def test_the_story_is_told_with_each_of_its_steps() -> None:
    told = " ".join(_commands())
    for step in ("plan", "start", "status", "diff", "swap", "rollback", "abort"):
        assert f"replay {step}" in told, step
