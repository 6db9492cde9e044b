"""What commands print: people get tables and lines, programs get one JSON document. Errors go to stderr.

Owns the two forms; what is said is the commands' own.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console

WIDE_COLUMNS = 500
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


def console() -> Console:
    """Where people read. Wide when it is no terminal, so that nothing a script reads is wrapped."""
    terminal = sys.stdout.isatty()
    # Without markup: what sources send may hold square brackets.
    return Console(markup=False, highlight=False, soft_wrap=not terminal, width=None if terminal else WIDE_COLUMNS)


def print_json(body: Any) -> None:
    """One JSON document, indented, ending with a newline."""
    sys.stdout.write(orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode())


def say(text: str = "") -> None:
    """One line to people."""
    console().print(readable(text))


def readable(value: Any) -> Any:
    """The same document with control characters replaced: what sources send must not steer a terminal."""
    if isinstance(value, str):
        return (
            value if value.isprintable() else "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in value)
        )
    if isinstance(value, dict):
        return {name: readable(one) for name, one in value.items()}
    return [readable(one) for one in value] if isinstance(value, list) else value


def tell(text: str) -> None:
    """One line about progress, to stderr, so that stdout stays what was asked for."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def count(number: int) -> str:
    """39,858."""
    return f"{number:,}"


def span(ms: float | None) -> str:
    """Milliseconds as people say it: `12 ms`, `3.4 s`, `5 min`, `2 h`."""
    if ms is None:
        return "-"
    if ms < 1_000:
        return f"{ms:.0f} ms"
    seconds = ms / 1_000
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3_600:.0f} h"
