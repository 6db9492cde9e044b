"""`c360 import FILE --map MAP`: a table of contacts, orders or anything else, row by row, as events of a source.

Owns the order of things, the pace, where an import that broke goes on, and what is told. Nothing is sent without
--execute. Imported twice, a file changes nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
import yaml

from services.ops.commands import waiting
from services.ops.commands.failures import EX_FAILED, UsageMistake
from services.ops.commands.here import Here, here
from services.ops.commands.keys import kept_source
from services.ops.commands.output import AsJson, count, print_json, say, tell
from services.ops.commands.policies import read_document
from services.ops.commands.reading import BadLine, Item
from services.ops.commands.sending import Tally, posts, send_all
from services.ops.importing.mapping import BadMap, Map, read_map
from services.ops.importing.rows import Row, UnreadableFile, rows_of

BAD_ROWS_TOLD_MAX = 20
SENT_AT_ONCE = 2_000
"""Rows between two notes of how far the import is."""


@dataclass(slots=True)
class _Import:
    """One import: what was read, what could not be, and an example."""

    file: Path
    mapping: Map
    source: str
    skip: int = 0
    rows: int = 0
    bad: list[BadLine] = field(default_factory=list)
    example: Any = None

    def items(self, rows: Iterator[Row]) -> Iterator[Item]:
        """The rows as events, in order; bad ones are noted and left out."""
        now = datetime.now(UTC)
        for row in rows:
            if row.number <= self.skip:
                continue
            self.rows += 1
            try:
                if row.columns is None:
                    raise ValueError(row.why)
                body = self.mapping.event(row.columns, self.source, now)
            except ValueError as wrong:
                self.bad.append(BadLine(row.number, str(wrong)))
                continue
            if self.example is None:
                self.example = orjson.loads(body)
            yield Item(row.number, "cloudevent", body)


def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with a header, JSON lines, or Parquet.")],
    map_: Annotated[Path, typer.Option("--map", metavar="MAP", help="YAML: which column is what.")],
    source: Annotated[str, typer.Option("--source", metavar="NAME", help="Whose events these are.")] = "import",
    rate: Annotated[int | None, typer.Option("--rate", metavar="N", min=1, help="Events a second at most.")] = None,
    again: Annotated[bool, typer.Option("--again", help="From the first row, not where an import ended.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Return when profiles show them.")] = False,
    execute: Annotated[bool, typer.Option("--execute", help="Send; else only read and tell.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send a table's rows as events; without --execute it is only read, and what is wrong with it told."""
    try:
        mapping = read_map(read_document(map_))
    except BadMap as wrong:
        raise UsageMistake(f"{map_}: {wrong}") from None
    doing = _Import(file, mapping, source)
    try:
        tally = _send(doing, here(), rate, again) if execute else _read(doing)
    except UnreadableFile as wrong:
        raise UsageMistake(str(wrong)) from None
    if wait and tally.position:
        waiting.until_visible(here(), waiting.TIMEOUT_S, tally.position)
    _report(doing, tally, execute, as_json)
    if doing.bad or tally.refused:
        raise typer.Exit(EX_FAILED)


def _read(doing: _Import) -> Tally:
    with rows_of(doing.file) as rows:
        for _ in doing.items(rows):
            pass
    return Tally()


def _send(doing: _Import, copy: Here, rate: int | None, again: bool) -> Tally:
    note = copy.home / "imports" / f"{_fingerprint(doing)}.json"
    doing.skip = 0 if again or not note.exists() else int(orjson.loads(note.read_bytes())["row"])
    key = kept_source(copy, doing.source, {"channel": "import"})
    whole, started = Tally(), time.monotonic()
    with rows_of(doing.file) as rows:
        items = doing.items(rows)
        while some := [item for _, item in zip(range(SENT_AT_ONCE), items, strict=False)]:
            tally = asyncio.run(send_all(copy.intake, posts(iter(some), key)))
            whole.accepted += tally.accepted
            whole.ends = {**whole.ends, **{p: max(e, whole.ends.get(p, 0)) for p, e in tally.ends.items()}}
            whole.refused += tally.refused
            note.parent.mkdir(exist_ok=True)
            note.write_bytes(orjson.dumps({"row": some[-1].line, "file": doing.file.name}))
            _pace(whole.accepted, rate, started)
    note.unlink(missing_ok=True)
    return whole


def _pace(sent: int, rate: int | None, started: float) -> None:
    spent_s = time.monotonic() - started
    if rate is not None:
        time.sleep(max(0.0, sent / rate - spent_s))
    tell(f"{count(sent)} rows, {count(round(sent / max(spent_s, 1e-3)))}/s")


def _fingerprint(doing: _Import) -> str:
    """Of the file, its map and source: another one begins at its first row."""
    stat = doing.file.stat()
    told = f"{doing.file.resolve()}:{stat.st_size}:{stat.st_mtime_ns}:{doing.source}:{doing.mapping}"
    return hashlib.blake2b(told.encode(), digest_size=12).hexdigest()


def _report(doing: _Import, tally: Tally, executed: bool, as_json: bool) -> None:
    bad = [{"row": one.line, "why": one.why} for one in doing.bad]
    refused: list[dict[str, Any]] = [{"row": p.line, "events": p.events, "why": why} for p, why in tally.refused]
    if as_json:
        told = {"rows": doing.rows, "began_after_row": doing.skip, "accepted": tally.accepted, "bad_rows": bad}
        print_json({**told, "refused": refused, "position": tally.position, "executed": executed})
        return
    if doing.skip:
        say(f"going on after row {count(doing.skip)}, where an import of this file ended")
    if executed:
        say(f"sent {count(tally.accepted)} of {count(doing.rows)} rows as {doing.source}")
    else:
        say(f"{count(doing.rows)} rows, {count(len(bad))} of them bad; nothing was sent: say --execute")
        if doing.example is not None:
            say("the first would be:")
            say(yaml.dump(doing.example, sort_keys=False, allow_unicode=True).rstrip())
    for one in bad[:BAD_ROWS_TOLD_MAX]:
        tell(f"row {one['row']}: {one['why']}")
    if len(bad) > BAD_ROWS_TOLD_MAX:
        tell(f"... and {count(len(bad) - BAD_ROWS_TOLD_MAX)} more bad rows")
    for one in refused:
        tell(f"row {one['row']} and what follows ({one['events']} rows) refused: {one['why']}")
