"""docs/mission.md: what the product must do, and which end-to-end tests show it.

Owns reading docs/mission.yaml and the tests' markers, and the words of the page. Runs and imports no test: markers
are read from the source. `python -m tests.support.mission` writes the page.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
ROWS = ROOT / "docs" / "mission.yaml"
PAGE = ROOT / "docs" / "mission.md"
TESTS = ROOT / "tests"
END_TO_END = "end_to_end/"
MARKER = "pytest.mark.feature"

WORKS, IN_PART, NOT_YET = "works", "in part", "not yet"

HEAD = f"""\
# What it is for, and what of it works

Made from docs/mission.yaml and from the end-to-end tests that carry a row's id; `make mission` makes it again.
A row "{WORKS}" when such a test shows it and nothing is known to be missing; each line below a row is one test, and
says which part of the row it shows. "{IN_PART}" says what this build lacks. End-to-end tests send to and ask a
running copy (Kafka, PostgreSQL and all services) through its public doors only.
"""


@dataclass(frozen=True)
class Row:
    """A row: what must work, and what of it this build lacks (empty: nothing)."""

    id: str
    title: str
    must: str
    missing: str


@dataclass(frozen=True)
class Marked:
    """A marker: the rows it names and the test it is on, empty where it is on none. `file` is relative to tests/."""

    file: str
    test: str
    rows: tuple[str, ...]


def read_rows(text: str) -> list[Row]:
    """The rows in their order. Raises TypeError or KeyError where the file has another form."""
    rows = yaml.safe_load(text)
    return [Row(id_, row["title"], row["must"], row.get("missing", "")) for id_, row in rows.items()]


def read_markers(text: str, file: str) -> list[Marked]:
    """The markers in a module's source, in order; also those that are on no test."""
    tree = ast.parse(text)
    used = [(name, marker) for name, marker in _decorators(tree) if _is_marker(marker)]
    inside = {id(node) for _, marker in used for node in ast.walk(marker)}
    bare = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and _is_marker(node))
    found = [Marked(file, name, _named(marker)) for name, marker in used]
    return [*found, *(Marked(file, "", ()) for node in bare if id(node) not in inside)]


def all_markers() -> list[Marked]:
    """The markers of all test modules."""
    modules = sorted(TESTS.rglob("*.py"))
    texts = ((path.read_text(), str(path.relative_to(TESTS))) for path in modules)
    return [marker for text, file in texts if MARKER in text for marker in read_markers(text, file)]


def mistakes(rows: Sequence[Row], markers: Sequence[Marked]) -> list[str]:
    """What makes the page untrue: markers that show nothing, rows that claim to work and are not shown."""
    known, shown = {row.id for row in rows}, {id_ for marker in markers for id_ in marker.rows}
    found = []
    for marker in markers:
        place = f"{marker.file}::{marker.test}" if marker.test else marker.file
        if not marker.file.startswith(END_TO_END):
            found.append(f"{place}: only end-to-end tests show that a row works")
        if not marker.test:
            found.append(f"{place}: a marker is on no test")
        elif not marker.rows:
            found.append(f"{place}: the marker names no row")
        found += [f"{place}: there is no row {id_}" for id_ in marker.rows if id_ not in known]
    unshown = (row for row in rows if not row.missing and row.id not in shown)
    return [*found, *(f"{row.id}: it claims to work, and no test shows it" for row in unshown)]


def page(rows: Sequence[Row], markers: Sequence[Marked]) -> str:
    """The page."""
    tests = {row.id: [marker for marker in markers if row.id in marker.rows] for row in rows}
    states = {row.id: _state(row, tests[row.id]) for row in rows}
    counts = ", ".join(f"{list(states.values()).count(state)} {state}" for state in (WORKS, IN_PART, NOT_YET))
    overview = [f"| {row.id} | {row.title} | {states[row.id]} |" for row in rows]
    blocks = [_block(row, states[row.id], tests[row.id]) for row in rows]
    table = ["| row | | state |", "| --- | --- | --- |", *overview]
    return "\n".join([HEAD, f"Of {len(rows)} rows: {counts}.", "", *table, "", "\n\n".join(blocks), ""])


def _block(row: Row, state: str, tests: Sequence[Marked]) -> str:
    told = f"**{state}**" + (f": {row.missing}" if row.missing else "")
    lines = [f"- [{sentence(one.test)}](../tests/{one.file})" for one in tests]
    return "\n\n".join(filter(None, (f"## {row.id} {row.title}", row.must, told, "\n".join(lines))))


def _state(row: Row, tests: Sequence[Marked]) -> str:
    if not row.missing:
        return WORKS
    return IN_PART if tests else NOT_YET


def sentence(test: str) -> str:
    """A test's name as it is read."""
    words = test.removeprefix("test_").replace("_", " ")
    return words[:1].upper() + words[1:]


def _decorators(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield from ((node.name, decorator) for decorator in node.decorator_list)


def _is_marker(node: ast.AST) -> bool:
    """A call of the marker, or the marker alone."""
    named = node.func if isinstance(node, ast.Call) else node
    return isinstance(named, ast.Attribute) and ast.unparse(named) == MARKER


def _named(marker: ast.AST) -> tuple[str, ...]:
    arguments = marker.args if isinstance(marker, ast.Call) else []
    return tuple(str(a.value) for a in arguments if isinstance(a, ast.Constant))


def main() -> int:
    """Write the page; 1 and nothing written when it would be untrue."""
    rows, markers = read_rows(ROWS.read_text()), all_markers()
    found = mistakes(rows, markers)
    if found:
        sys.stderr.write("\n".join(found) + "\n")
        return 1
    PAGE.write_text(page(rows, markers))
    return 0


if __name__ == "__main__":
    sys.exit(main())
