"""Rows of a file: CSV with a header, JSON lines, or Parquet; each as column → value, with its number.

Owns reading them one after the other, so that a file may be larger than memory. Numbers of CSV and JSON stay texts as
they were written.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from schemas.codec import Unreadable, read_json_exactly

FORMATS = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet")
CELL_CHARS_MAX = 1_000_000
PARQUET_ROWS = 10_000


class UnreadableFile(Exception):
    """The file as a whole cannot be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row; `number` counts from 1, without the header. Without `columns`, `why` it cannot be read."""

    number: int
    columns: dict[str, Any] | None
    why: str = ""


@contextmanager
def rows_of(path: Path) -> Iterator[Iterator[Row]]:
    """The rows of a file, by its ending. Raises UnreadableFile."""
    kind = path.suffix.lower()
    if kind not in FORMATS:
        raise UnreadableFile(f"{path.name}: a table ends in {', '.join(FORMATS)}")
    try:
        if kind == ".parquet":
            yield _parquet(path)
        elif kind in (".csv", ".tsv"):
            with path.open(encoding="utf-8-sig", newline="") as lines:
                yield _csv(lines, "\t" if kind == ".tsv" else None)
        else:
            with path.open("rb") as raw:
                yield _json_lines(raw)
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UnreadableFile(f"{path.name} is not UTF-8") from None


def _csv(lines: Iterable[str], delimiter: str | None) -> Iterator[Row]:
    csv.field_size_limit(CELL_CHARS_MAX)
    first = next(iter(lines), "")
    separator = delimiter or (";" if first.count(";") > first.count(",") else ",")
    header = next(csv.reader([first], delimiter=separator), [])
    number = 0
    reader = csv.reader(lines, delimiter=separator)
    while True:
        number += 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield Row(number, None, str(error))
            continue
        if cells is None:
            return
        if not cells:
            number -= 1
        elif len(cells) != len(header):
            yield Row(number, None, f"{len(cells)} cells, where the header has {len(header)}")
        else:
            yield Row(number, {name.strip(): cell for name, cell in zip(header, cells, strict=True)})


def _json_lines(lines: Iterable[bytes]) -> Iterator[Row]:
    number = 0
    for line in lines:
        if not line.strip():
            continue
        number += 1
        try:
            found = read_json_exactly(line)
        except Unreadable:
            yield Row(number, None, "no JSON")
            continue
        if isinstance(found, dict):
            yield Row(number, {str(name): value for name, value in found.items()})
        else:
            yield Row(number, None, "no JSON object")


def _parquet(path: Path) -> Iterator[Row]:
    try:
        parquet = import_module("pyarrow.parquet")
    except ImportError:
        raise UnreadableFile("Parquet needs pyarrow, which comes with the extra `demo`") from None
    number = 0
    for batch in parquet.ParquetFile(path).iter_batches(PARQUET_ROWS):
        for found in batch.to_pylist():
            number += 1
            yield Row(number, found)
