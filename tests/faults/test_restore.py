"""The database is lost and an empty one is filled from Kafka: the same customers, decisions, policies and tiers."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from services.runtime import control, policies
from services.runtime.postgres import connect
from services.value.handlers import POLICY, shipped_document
from tests.properties.stories import Tables, difference, tables
from tests.support.load import Load
from tests.support.rig import SERVICES, Rig, Rigs
from tests.support.running import until

pytestmark = pytest.mark.faults

LOAD_S = 1.0
EVENTS_PER_S = 400
REVIEW_TIMEOUT_S = 20.0
REASON = "the old cut-offs made everybody an A"


@pytest.fixture
def lived(rigs: Rigs) -> Rig:
    """A deployment that begins on an empty database and empty topics."""
    rig = rigs.fresh()
    _empty(rig, rigs)
    return rig


def _empty(rig: Rig, rigs: Rigs) -> None:
    """The database is lost, and there is an empty one."""
    lost, rig.database_url = rig.database_url, asyncio.run(rigs.databases.empty())
    asyncio.run(rigs.databases.drop(lost))


def test_an_empty_database_is_given_back_all_that_kafka_has(lived: Rig, rigs: Rigs) -> None:
    lived.hire(*SERVICES)
    with Load(lived.kafka, lived.ledger, seed=7, events_per_s=EVENTS_PER_S) as load:
        load.wait_more(LOAD_S)
        asyncio.run(_set_policy(lived))
        load.wait_more(LOAD_S)
    lived.caught_up()
    until(lambda: _is_reviewed(lived), "everybody is graded anew", REVIEW_TIMEOUT_S)
    lived.caught_up()
    before = asyncio.run(_all(lived.database_url))
    assert before["policies"]["value.policy"][0] == 2
    lived.end(*SERVICES)
    _empty(lived, rigs)
    lived.hire(*SERVICES)
    lived.caught_up()
    assert not difference(before, asyncio.run(_all(lived.database_url)))


def _is_reviewed(rig: Rig) -> bool:
    (row,) = rig.rows("SELECT policy_number, after FROM value_g1.review")
    return (row["policy_number"], row["after"]) == (2, None)


async def _set_policy(rig: Rig) -> None:
    document = shipped_document()
    document["grades"][0]["revenue_from"] = 100_000
    connection = await connect(rig.settings, "value")
    try:
        async with connection.transaction():
            await policies.change(connection, POLICY, document, "operator", REASON)
        await control.tell(rig.settings, connection, "value")
    finally:
        await connection.close()


async def _all(database_url: str) -> Tables:
    found = await tables(database_url)
    connection = await asyncpg.connect(database_url)
    try:
        found["policies"] = {
            r["name"]: (r["number"], r["state"])
            for service in ("identity", "value")
            for r in await connection.fetch(
                f"""
                SELECT f.name, f.number, e.state FROM {service}.in_force f
                JOIN {service}.input_event e ON e.originator_version = f.number
                """
            )
        }
    finally:
        await connection.close()
    return found
