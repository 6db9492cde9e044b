"""A deployment for each fault test, what it found out, and sizes of the rows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.sizes import FIGURES
from tests.support.rig import Rig, Rigs


class _Kept:
    """The deployment at hand; the next test goes on with it where it was proven clean and has the same workers."""

    rig: Rig | None = None


@pytest.fixture(scope="module")
def kept(rigs: Rigs) -> Iterator[_Kept]:
    """What a module's tests share."""
    kept = _Kept()
    yield kept
    if kept.rig is not None:
        rigs.close(kept.rig)


@pytest.fixture
def rig(rigs: Rigs, kept: _Kept) -> Rig:
    """A deployment: the last test's when `zero` proved it, else a fresh one without any process."""
    if kept.rig is not None and not kept.rig.proven:
        rigs.close(kept.rig)
        kept.rig = None
    if kept.rig is None:
        kept.rig = rigs.fresh()
    kept.rig.proven = False
    return kept.rig


@pytest.fixture
def own_rig(rigs: Rigs) -> Iterator[Rig]:
    """A fresh deployment for one test alone."""
    rig = rigs.fresh()
    yield rig
    rigs.close(rig)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Seeds and figures, also of tests that passed."""
    if FIGURES:
        terminalreporter.section("faults")
        for line in FIGURES:
            terminalreporter.write_line(line)
