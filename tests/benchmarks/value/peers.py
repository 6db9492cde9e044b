"""Other tools on the same customers, each in its own environment (deploy/setup/peers.sh).

Owns handing them arrays and taking back their figures. Arrays go through a file in a folder of the run's own.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from services.value.domain.models.arrays import Floats, Ints

ROOT = Path(__file__).resolve().parents[3]
PEERS = ROOT / ".local" / "peers"
PYMC = ROOT / ".local" / "peers-pymc"
TIMEOUT_S = 280


def arrays(rows: Sequence[tuple[int, ...]]) -> list[Ints]:
    """The columns of rows."""
    return list(np.array(rows, dtype=np.int64).T.copy())


def ask(module: str, folder: Path, given: Mapping[str, Floats | Ints], where: Path = PEERS) -> dict[str, Any]:
    """Run a module of this package in another environment: it reads these arrays, and prints JSON as its last line.

    Raises FileNotFoundError where the environment is missing.
    """
    python = where / "bin" / "python"
    if not python.exists():
        raise FileNotFoundError(f"{python} is missing: run deploy/setup/peers.sh")
    path = folder / f"{module}.npz"
    np.savez(path, allow_pickle=False, **dict(given))
    command = [str(python), "-W", "ignore", "-m", f"tests.benchmarks.value.{module}", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode:
        raise RuntimeError(f"{module} failed:\n{done.stderr[-4_000:]}")
    found: dict[str, Any] = orjson.loads(done.stdout.strip().splitlines()[-1])
    return found
