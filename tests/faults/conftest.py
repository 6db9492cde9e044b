"""A deployment for each fault test, and what the tests found out, told at the end of the run."""

from __future__ import annotations

import pytest

from tests.faults.sizes import FIGURES
from tests.support.rig import Rig, Rigs


@pytest.fixture
def rig(rigs: Rigs) -> Rig:
    """The last test's deployment when `zero` proved it, else a fresh one without any process."""
    return rigs.again()


@pytest.fixture
def fresh_rig(rigs: Rigs) -> Rig:
    """A deployment that no test has used before."""
    return rigs.fresh()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Seeds and figures, also of tests that passed."""
    if FIGURES:
        terminalreporter.section("faults")
        for line in FIGURES:
            terminalreporter.write_line(line)
