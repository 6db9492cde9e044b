"""A home of its own for each test, with nothing left running afterwards."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.ops.local.processes import shut_down


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """An empty C360_HOME; whatever a test started in it is stopped."""
    place = tmp_path / "home"
    yield place
    shut_down(place)


@pytest.fixture
def other_home(tmp_path: Path) -> Iterator[Path]:
    """A second C360_HOME beside the first."""
    place = tmp_path / "other"
    yield place
    shut_down(place)
