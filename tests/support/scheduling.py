"""Which worker of `pytest -n` runs which tests: all that stand at the doors of a running copy are one worker's.

So there is one copy.
Owns the division of the suite. xdist's own groups by mark do nothing under pytest 9.2: ids of tests are no longer
what a plugin sets, so a file's text tells what it needs.
"""

from __future__ import annotations

from functools import cache

from xdist.scheduler import LoadScopeScheduling

from tests.support.deployment import CHECKOUT

AT_DOORS = "doors: Doors"
"""How a test asks for the copy's doors."""


class OneCopy(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """Hands out whole files; all that stand at the doors as one."""

    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid.split("::")[0])


@cache
def scope(file: str) -> str:
    """What is run by the worker that runs this file: the file, or all that share a copy."""
    return "doors" if AT_DOORS in (CHECKOUT / file).read_text() else file
