"""`c360 publish FILE`: events of a file through the public collector.

Owns the order of things and what is told of them: what was accepted, up to which position, which lines not.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from services.ops.commands import waiting
from services.ops.commands.failures import EX_FAILED, UsageMistake
from services.ops.commands.here import here
from services.ops.commands.keys import cli_key
from services.ops.commands.output import AsJson, count, print_json, say, tell
from services.ops.commands.reading import BadLine, Item, read_items
from services.ops.commands.sending import Tally, posts, send_all

BAD_LINES_TOLD_MAX = 20
STDIN = "-"


def publish(
    file: Annotated[str, typer.Argument(metavar="FILE", help="JSON lines, a JSON array or one object; - is stdin")],
    key: Annotated[str | None, typer.Option("--key", help="A source's write key; else the source `cli`")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Return when profiles show them.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send the events of a file: CloudEvents and Segment calls, by body."""
    bad: list[BadLine] = []
    with ExitStack() as open_files:
        lines = _lines(file, open_files)
        copy = here()
        items = _good(read_items(lines), bad)
        progress = open_files.enter_context(_progress())
        task = progress.add_task("sent", total=None)
        tally = asyncio.run(
            send_all(
                copy.intake,
                posts(items, key or cli_key(copy)),
                on_accepted=lambda events: progress.advance(task, events),
            )
        )
    if wait and tally.position:
        waiting.until_visible(copy, waiting.TIMEOUT_S, tally.position)
    _report(tally, bad, as_json)
    if bad or tally.refused:
        raise typer.Exit(EX_FAILED)


def _lines(file: str, open_files: ExitStack) -> Iterable[bytes]:
    if file == STDIN:
        return sys.stdin.buffer
    path = Path(file)
    try:
        return open_files.enter_context(path.open("rb"))
    except OSError as error:
        raise UsageMistake(f"{path} cannot be read: {error.strerror}") from None


def _good(items: Iterable[Item | BadLine], bad: list[BadLine]) -> Iterator[Item]:
    for item in items:
        if isinstance(item, BadLine):
            bad.append(item)
        else:
            yield item


def _progress() -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed:,.0f}"), TimeElapsedColumn())
    quiet = not sys.stderr.isatty()
    return Progress(*columns, console=Console(stderr=True), disable=quiet, transient=True)


def _report(tally: Tally, bad: list[BadLine], as_json: bool) -> None:
    refused: list[dict[str, Any]] = [
        {"line": post.line, "events": post.events, "why": why} for post, why in tally.refused
    ]
    if as_json:
        print_json(
            {
                "accepted": tally.accepted,
                "position": tally.position,
                "bad_lines": [{"line": one.line, "why": one.why} for one in bad],
                "refused": refused,
            }
        )
        return
    say(f"accepted {count(tally.accepted)} event{'' if tally.accepted == 1 else 's'}")
    if tally.position:
        say(f"position {tally.position}")
    for one in bad[:BAD_LINES_TOLD_MAX]:
        tell(f"line {one.line}: {one.why}")
    if len(bad) > BAD_LINES_TOLD_MAX:
        tell(f"... and {count(len(bad) - BAD_LINES_TOLD_MAX)} more bad lines")
    for row in refused:
        tell(f"line {row['line']} and what follows ({row['events']} events) refused: {row['why']}")
