"""Real parts for the tests: one Kafka and one PostgreSQL for the session, started when first asked for."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

from services.ops.local import parts
from tests.support import deployment
from tests.support.databases import Databases
from tests.support.doors import Doors, Named, Source
from tests.support.house import House
from tests.support.rig import Rigs
from tests.support.scheduling import OneCopy

settings.register_profile(
    "c360",
    deadline=None,
    max_examples=int(os.environ.get("C360_EXAMPLES", "30")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    derandomize=True,
)
settings.load_profile("c360")


SETTINGS = {"C360_LOG_LEVEL": "debug", "C360_WEBHOOKS_ALLOW_PRIVATE": "true"}
"""Of the session's copy."""
LONGEST_FIRST = ("end_to_end", "faults", "properties", "integration")
"""Folders of tests that mostly wait: begun last, one worker would wait alone at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first; within a folder as written."""
    rank = {folder: number for number, folder in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: rank.get(item.path.relative_to(Path(__file__).parent).parts[0], len(rank)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneCopy:
    """One copy for all that stand at its doors."""
    return OneCopy(config, log)


@pytest.fixture(scope="session")
def parts_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the session's own Kafka and PostgreSQL; both are stopped at the end."""
    home = tmp_path_factory.mktemp("parts")
    yield home
    parts.stop(home)


@pytest.fixture(scope="session")
def databases(parts_home: Path) -> Databases:
    """A real PostgreSQL: DATABASE_URL's, or one of our own."""
    url = os.environ.get("DATABASE_URL")
    if not url:
        url = parts.start(parts_home, None, kafka=False, postgres=True).database_url
    assert url, "PostgreSQL says where it listens"
    return Databases(url)


@pytest_asyncio.fixture
async def house(databases: Databases) -> AsyncIterator[House]:
    """A fresh deployment on the broker in memory."""
    url = await databases.fresh()
    house = House(url)
    yield house
    await house.close()
    await databases.drop(url)


@pytest.fixture(scope="session")
def rigs(parts_home: Path, databases: Databases) -> Iterator[Rigs]:
    """Deployments of real processes on a real Kafka: KAFKA_BOOTSTRAP's, or one of our own."""
    kafka = os.environ.get("KAFKA_BOOTSTRAP")
    if not kafka:
        kafka = parts.start(parts_home, None, kafka=True, postgres=False).kafka
    assert kafka, "Kafka says where it listens"
    rigs = Rigs(kafka, databases, parts_home)
    yield rigs
    rigs.close()


@pytest.fixture(scope="session")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """The public doors of one running copy (`c360 up`), shared by the session; it logs all there is to log."""
    with deployment.running(tmp_path_factory.mktemp("copy"), settings=SETTINGS) as copy:
        doors = Doors(copy)
        yield doors
        doors.close()


@pytest.fixture
def own() -> Named:
    """Makes a name or number this test's own: `own("ann")` is `ann-3f9c…`, the same all through the test."""
    mark = uuid.uuid4().hex[:10]
    return lambda name: f"{name}-{mark}"


@pytest.fixture(scope="session")
def web(doors: Doors) -> Source:
    """A web shop that sends events to the running copy."""
    return doors.source("webshop", "--channel", "web", "--currency", "EUR")
