"""The example files, found and read: one list for all tests."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from services.intake.domain.accept import accept
from services.intake.domain.importing import read_import
from services.intake.domain.model import Accepted, Parked, Received, Source
from services.intake.domain.permissions import PERMISSIONS

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"
SEGMENT = "segment"
ARRIVAL = datetime(2026, 3, 6, 9, 15, 5, tzinfo=UTC)
KEY = b"a deployment key of thirty-two b"

FILES = sorted(EXAMPLES.glob("*/*.json"))


def outcomes(path: Path) -> list[Accepted | Parked]:
    """What intake makes of one example file."""
    received = Received(ARRIVAL, Source(name="shop", may=PERMISSIONS))
    return [accept(raw, received, KEY) for raw in read_import(path.read_bytes())]
