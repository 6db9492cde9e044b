"""A deployment for each fault test, and what the tests found out, told at the end of the run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import asyncpg
import pytest

from tests.faults.sizes import FIGURES
from tests.support.rig import Rig, Rigs


@pytest.fixture
def rig(rigs: Rigs) -> Iterator[Rig]:
    """The last test's deployment when `zero` proved it, else a fresh one without any process."""
    yield from _described(rigs.again())


@pytest.fixture
def fresh_rig(rigs: Rigs) -> Iterator[Rig]:
    """A deployment that no test has used before."""
    yield from _described(rigs.fresh())


def _described(rig: Rig) -> Iterator[Rig]:
    """What each lane said last is printed when a test failed; a postmaster that is down says nothing."""
    yield rig
    if not rig.proven:
        with contextlib.suppress(OSError, asyncpg.PostgresError):
            print(rig.description())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Seeds and figures, also of tests that passed."""
    if FIGURES:
        terminalreporter.section("faults")
        for line in FIGURES:
            terminalreporter.write_line(line)
