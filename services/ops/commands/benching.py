"""`c360 bench [PART ...]`: the benchmarks of this checkout, on copies of their own.

Owns finding them. What is measured and how it is told is tests/benchmarks/.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Annotated

import typer

from services.ops.commands.failures import CommandError
from services.ops.local.layout import CHECKOUT


def bench(
    parts: Annotated[
        list[str] | None, typer.Argument(metavar="[PART]...", help="mix, latency, replay, ... Default: all, an hour.")
    ] = None,
) -> int:
    """Measure this build on this machine, on copies of its own; exits 1 when a result was wrong."""
    if not (CHECKOUT / "tests" / "benchmarks").is_dir():
        raise CommandError("benchmarks are part of the sources: run this in a checkout")
    command = [sys.executable, "-m", "tests.benchmarks", *(parts or [])]
    return subprocess.run(command, cwd=CHECKOUT, check=False).returncode
