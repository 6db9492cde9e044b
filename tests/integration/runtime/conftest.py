"""A fresh deployment of real processes for the tests that ask for one."""

from __future__ import annotations

import pytest

from tests.support.rig import Rig, Rigs


@pytest.fixture
def rig(rigs: Rigs) -> Rig:
    """A deployment that no test has used before, without any process."""
    return rigs.fresh()
