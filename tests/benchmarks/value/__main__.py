"""`python -m tests.benchmarks.value [known] [grid] [size] [lane] [baskets]`: measures, prints, and writes
docs/benchmarks-value.md when all parts were measured.

Owns the order and the page. A figure under its bar stands beside it; nothing is hidden.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks.machine import processor
from tests.benchmarks.value import baskets, grid, known, lane, size

HEAD_LINES = 7
PAGE = Path(__file__).parents[3] / "docs" / "benchmarks-value.md"
PARTS: dict[str, Callable[[Path], list[str]]] = {
    "known": known.lines,
    "grid": grid.lines,
    "size": size.lines,
    "lane": lane.lines,
    "baskets": baskets.lines,
}


def main(wanted: list[str]) -> int:
    """Measure the parts asked for, all by default."""
    if unknown := set(wanted) - PARTS.keys():
        print(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    chosen = wanted or list(PARTS)
    lines = ["# Benchmarks of value", "", f"Taken {datetime.now(UTC):%Y-%m-%d} by `make bench-value`.", ""]
    lines += [
        f"- machine: {os.cpu_count()} cores ({processor()}), of which ours uses one",
        f"- CPython {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy")),
        "- peers: lifetimes 0.11.3, PyMC-Marketing 0.19.2, mpmath 1.4.1, each in its own environment",
    ]
    with tempfile.TemporaryDirectory(prefix="c360-value-") as name:
        for part in chosen:
            folder = Path(name) / part
            folder.mkdir()
            found = PARTS[part](folder)
            print("\n".join(found), flush=True)
            lines += found
    # Whoever else worked on the machine made CPU time dearer too: what is shared is not measured apart.
    lines.insert(
        HEAD_LINES, "- load average at the end (1, 5, 15 min): " + ", ".join(f"{x:.1f}" for x in os.getloadavg())
    )
    if set(chosen) == PARTS.keys():
        PAGE.write_text("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
