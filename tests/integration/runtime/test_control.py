"""control.events on a real Kafka: inputs are told, and an empty store is given them back exactly."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from eventsourcing.persistence import StoredEvent

from schemas.topics import CONTROL_EVENTS
from services.runtime import control, documents
from services.runtime.control import ControlIncomplete, Restored, read_control, restore, tell
from services.runtime.eventstore import INPUTS, STATE_BYTES_MAX, append, notifications
from services.runtime.postgres import Connection
from services.runtime.topics import ensure_topics
from tests.support import load
from tests.support.databases import Databases
from tests.support.doors import Named
from tests.support.eventstore import Stores, new_stores
from tests.support.memory_broker import Record
from tests.support.rig import Rigs

pytestmark = pytest.mark.asyncio

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)
IDENTITY, VALUE = "identity.policy", "value.policy"
NO_UPDATE = """
    CREATE FUNCTION crash() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the process dies here'; END $$;
    CREATE TRIGGER crash BEFORE UPDATE ON input_told EXECUTE FUNCTION crash();
"""


@pytest_asyncio.fixture
async def stores(databases: Databases, rigs: Rigs) -> AsyncIterator[Stores]:
    """Both stores, empty, beside a Kafka with all topics."""
    async with new_stores(databases, rigs.kafka) as stores:
        await ensure_topics(stores.settings)
        yield stores


@pytest_asyncio.fixture
async def emptied(databases: Databases, rigs: Rigs) -> AsyncIterator[Connection]:
    """Another database of the same service, made after the first one was lost."""
    async with new_stores(databases, rigs.kafka) as stores:
        yield stores.one


@pytest.fixture
def service(own: Named) -> str:
    """A service whose messages are this test's alone."""
    return own("intake")


async def _put(connection: Connection, name: str, *limits: int) -> None:
    for limit in limits:
        async with connection.transaction():
            await documents.put(connection, name, {"limit": limit}, "ann", "to try it", NOON)


async def _rows(connection: Connection) -> list[asyncpg.Record]:
    return await connection.fetch("SELECT * FROM input_event ORDER BY notification_id")


async def _told_up_to(connection: Connection) -> Any:
    return await connection.fetchval("SELECT told_up_to FROM input_told")


async def _messages(stores: Stores, service: str) -> list[Record]:
    records = await asyncio.to_thread(load.read, stores.settings.kafka_bootstrap, CONTROL_EVENTS.name)
    return [r for r in records if ("c360_service", service.encode()) in r.headers]


async def test_every_input_is_told_once_with_its_aggregate_as_the_key(stores: Stores, service: str) -> None:
    await _put(stores.one, IDENTITY, 1, 2)
    await _put(stores.one, VALUE, 7)
    assert await tell(stores.settings, stores.one, service) == 3
    assert await tell(stores.settings, stores.one, service) == 0
    await _put(stores.one, IDENTITY, 3)
    assert await tell(stores.settings, stores.one, service) == 1
    messages = await _messages(stores, service)
    told = [m for m in messages if m.key == str(documents.id_of(IDENTITY)).encode()]
    assert len(messages) == 4
    values = [json.loads(m.value or b"") for m in told]
    assert [(v["originator_version"], v["notification_id"]) for v in values] == [(1, 1), (2, 2), (3, 4)]
    assert {(v["service"], v["topic"]) for v in values} == {(service, "document:set")}
    assert ("content-type", b"application/json") in told[0].headers
    assert await read_control(stores.settings, service) == await notifications(stores.one, INPUTS, None, 10)


async def test_more_than_one_page_is_told_in_order(
    stores: Stores, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "TELL_EVENTS_MAX", 2)
    await _put(stores.one, IDENTITY, *range(5))
    assert await tell(stores.settings, stores.one, service) == 5
    versions = [json.loads(m.value or b"")["originator_version"] for m in await _messages(stores, service)]
    assert versions == [1, 2, 3, 4, 5]


async def test_what_was_acknowledged_before_a_crash_is_told_again_and_read_once(stores: Stores, service: str) -> None:
    await _put(stores.one, IDENTITY, 1, 2)
    await stores.one.execute(NO_UPDATE)
    with pytest.raises(asyncpg.RaiseError, match="the process dies here"):
        await tell(stores.settings, stores.one, service)
    assert len(await _messages(stores, service)) == 2
    assert await _told_up_to(stores.one) == 0
    await stores.one.execute("DROP TRIGGER crash ON input_told")
    assert await tell(stores.settings, stores.one, service) == 2
    assert len(await _messages(stores, service)) == 4
    assert await read_control(stores.settings, service) == await notifications(stores.one, INPUTS, None, 10)


async def test_the_largest_event_that_can_be_stored_can_be_told(stores: Stores, service: str) -> None:
    largest = random.Random(7).randbytes(STATE_BYTES_MAX)
    await append(stores.one, INPUTS, [StoredEvent(uuid4(), 1, "topic", largest)])
    await _put(stores.one, IDENTITY, 1)
    assert await tell(stores.settings, stores.one, service) == 2
    assert [len(e.state) > 1000 for e in await read_control(stores.settings, service)] == [True, False]


async def test_two_who_tell_at_once_tell_everything(stores: Stores, service: str) -> None:
    await _put(stores.one, IDENTITY, *range(20))
    counts = await asyncio.gather(*(tell(stores.settings, c, service) for c in (stores.one, stores.other)))
    assert max(counts) == 20
    assert await _told_up_to(stores.one) == 20
    assert len(await read_control(stores.settings, service)) == 20


async def test_an_event_of_a_transaction_that_is_rolled_back_is_never_told(stores: Stores, service: str) -> None:
    transaction = stores.one.transaction()
    await transaction.start()
    await documents.put(stores.one, IDENTITY, {}, "ann", "", NOON)
    assert await tell(stores.settings, stores.other, service) == 0
    await transaction.rollback()
    assert await tell(stores.settings, stores.one, service) == 0
    assert await read_control(stores.settings, service) == []


async def test_an_empty_store_gets_back_identical_rows_and_goes_on_after_them(
    stores: Stores, emptied: Connection, service: str
) -> None:
    await _put(stores.one, IDENTITY, 1, 2)
    await _put(stores.one, VALUE, 7)
    async with stores.one.transaction():
        await stores.one.execute("SELECT nextval('input_event_notification_id_seq')")
    await _put(stores.one, IDENTITY, 3)
    await tell(stores.settings, stores.one, service)
    events = await read_control(stores.settings, service)
    assert await restore(emptied, events) == Restored(4, 0)
    assert await _rows(emptied) == await _rows(stores.one)
    assert await tell(stores.settings, emptied, service) == 0
    assert await restore(emptied, events) == Restored(0, 4)
    assert await _rows(emptied) == await _rows(stores.one)
    await _put(emptied, VALUE, 8)
    assert (await _rows(emptied))[-1]["notification_id"] > 5
    assert await tell(stores.settings, emptied, service) == 1
    policy = await documents.current(emptied, IDENTITY)
    assert policy is not None
    assert (policy.number, policy.document) == (3, {"limit": 3})


async def test_an_older_copy_of_a_store_gets_what_it_lacks(stores: Stores, emptied: Connection, service: str) -> None:
    await _put(stores.one, IDENTITY, 1, 2, 3)
    await tell(stores.settings, stores.one, service)
    events = await read_control(stores.settings, service)
    assert await restore(emptied, events[:1]) == Restored(1, 0)
    await emptied.execute("UPDATE input_told SET told_up_to = 0")
    assert await restore(emptied, events) == Restored(2, 1)
    assert await _rows(emptied) == await _rows(stores.one)
    assert await _told_up_to(emptied) == 3


async def test_a_store_that_went_on_by_itself_keeps_its_own_and_tells_them(
    stores: Stores, emptied: Connection, service: str
) -> None:
    await _put(stores.one, IDENTITY, 1, 2)
    await tell(stores.settings, stores.one, service)
    await _put(emptied, VALUE, 7)
    events = await read_control(stores.settings, service)
    assert await restore(emptied, events) == Restored(2, 0)
    rows = await _rows(emptied)
    identity, value = documents.id_of(IDENTITY), documents.id_of(VALUE)
    assert [(r["originator_id"], r["originator_version"]) for r in rows] == [(value, 1), (identity, 1), (identity, 2)]
    assert await _told_up_to(emptied) == 0
    await tell(stores.settings, emptied, service)
    assert {e.originator_id for e in await read_control(stores.settings, service)} == {identity, value}


async def test_a_conflict_is_reported_and_nothing_is_written(
    stores: Stores, emptied: Connection, service: str
) -> None:
    await _put(stores.one, IDENTITY, 1, 2)
    await _put(stores.one, VALUE, 7)
    await tell(stores.settings, stores.one, service)
    await _put(emptied, IDENTITY, 1, 99)
    before = await _rows(emptied)
    events = await read_control(stores.settings, service)
    found = await restore(emptied, events)
    assert found == Restored(0, 1, ((documents.id_of(IDENTITY), 2),))
    assert (await _rows(emptied), await _told_up_to(emptied)) == (before, 0)


async def test_two_stores_that_told_different_events_of_one_version_are_a_conflict(
    stores: Stores, emptied: Connection, service: str
) -> None:
    await _put(stores.one, IDENTITY, 1)
    await tell(stores.settings, stores.one, service)
    await _put(emptied, IDENTITY, 99)
    await tell(stores.settings, emptied, service)
    events = await read_control(stores.settings, service)
    assert [e.originator_version for e in events] == [1, 1]
    assert (await restore(stores.other, events)).conflicting == ((documents.id_of(IDENTITY), 1),)
    await emptied.execute("TRUNCATE input_event")
    assert (await restore(emptied, events)).conflicting == ((documents.id_of(IDENTITY), 1),)
    assert await _rows(emptied) == []


async def test_a_topic_that_lost_an_event_is_not_restored_from(stores: Stores, service: str) -> None:
    await _put(stores.one, IDENTITY, 1, 2, 3)
    await stores.one.execute("DELETE FROM input_event WHERE originator_version = 2")
    await tell(stores.settings, stores.one, service)
    with pytest.raises(ControlIncomplete, match="has version 3, but not 2"):
        await read_control(stores.settings, service)


async def test_a_restore_in_a_transaction_that_is_rolled_back_leaves_nothing(
    stores: Stores, emptied: Connection, service: str
) -> None:
    await _put(stores.one, IDENTITY, 1)
    await tell(stores.settings, stores.one, service)
    transaction = emptied.transaction()
    await transaction.start()
    await restore(emptied, await read_control(stores.settings, service))
    await transaction.rollback()
    assert (await _rows(emptied), await _told_up_to(emptied)) == ([], 0)
    assert await append(emptied, INPUTS, []) == []


async def test_other_services_events_are_left_out(stores: Stores, service: str) -> None:
    await _put(stores.one, IDENTITY, 1)
    await tell(stores.settings, stores.one, service)
    assert await read_control(stores.settings, f"another-{uuid4().hex}") == []
