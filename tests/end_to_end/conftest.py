"""Sources that the tests of the public doors share."""

from __future__ import annotations

import pytest

from tests.support.doors import Doors, Source


@pytest.fixture(scope="session")
def web(doors: Doors) -> Source:
    """A web shop."""
    return doors.source("webshop", "--channel", "web", "--currency", "EUR")


@pytest.fixture(scope="session")
def crm(doors: Doors) -> Source:
    """A CRM that numbers its own records."""
    return doors.source("crm", "--channel", "import")
