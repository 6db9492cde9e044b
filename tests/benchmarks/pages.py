"""A benchmark's own page: docs/benchmarks/NAME.md and its plots, with the machine, the versions and the date.

Owns writing them, in the folder that C360_BENCH_PAGES names where small runs must not replace what was measured.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks.machine import described

FOLDER = Path(os.environ.get("C360_BENCH_PAGES") or Path(__file__).parents[2] / "docs" / "benchmarks")


def write(name: str, title: str, rows: Sequence[str], plots: Mapping[str, str]) -> None:
    """The page of one benchmark; `plots`: what a plot shows → SVG."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    taken = f"Taken {datetime.now(UTC):%Y-%m-%d} by `python -m tests.benchmarks {name}`."
    lines = [f"# {title}", "", taken, "", *described(), "", *rows]
    for number, (shows, svg) in enumerate(plots.items()):
        file = f"{name}.svg" if number == 0 else f"{name}-{number + 1}.svg"
        (FOLDER / file).write_text(svg)
        lines += ["", f"![{shows}]({file})"]
    (FOLDER / f"{name}.md").write_text("\n".join(lines) + "\n")
