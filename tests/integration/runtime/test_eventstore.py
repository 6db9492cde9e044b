"""The event store on a real PostgreSQL: the library's own tests of a recorder, and what is ours beside them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from eventsourcing.persistence import IntegrityError, StoredEvent

from services.runtime.eventstore import (
    DECISIONS,
    EVENTS_OF,
    INPUTS,
    NOTIFICATIONS,
    STATE_BYTES_MAX,
    append,
    events_of,
    max_notification_id,
    notifications,
)
from services.runtime.postgres import connect
from services.runtime.settings import Settings
from tests.support.databases import Databases
from tests.support.eventstore import (
    SEARCH_PATH,
    AggregateOnlyRecorder,
    StoreRecorder,
    Stores,
    event_sourced,
    library_cases,
    new_stores,
)

BLOCKED_LOOK_S = 0.2
WRITERS = 4
ROUNDS = 25
ROWS = 20_000

MakeRecorder = Callable[[type[StoreRecorder], str], StoreRecorder]


@pytest.fixture
def make_recorder(databases: Databases) -> Iterator[MakeRecorder]:
    """Makes recorders on a new database."""
    settings = asyncio.run(event_sourced(databases))
    url = settings.database_url.get_secret_value()
    made: list[StoreRecorder] = []

    def make(kind: type[StoreRecorder], table: str) -> StoreRecorder:
        made.append(kind(url, table))
        return made[-1]

    yield make
    for recorder in made:
        recorder.close()
    asyncio.run(databases.drop(url))


class TestAnAggregateRecorder(library_cases.AggregateRecorderTestCase):
    """The library's tests; the notification ids that ours has, but its aggregate recorders lack, are dropped."""

    @pytest.fixture(autouse=True)
    def _given(self, make_recorder: MakeRecorder) -> None:
        self.make = make_recorder

    def create_recorder(self) -> StoreRecorder:
        """On an empty table."""
        return self.make(AggregateOnlyRecorder, DECISIONS)


class TestDecisions(library_cases.ApplicationRecorderTestCase[StoreRecorder]):
    """The library's tests of an application's recorder, none left out."""

    TABLE = DECISIONS

    @pytest.fixture(autouse=True)
    def _given(self, make_recorder: MakeRecorder) -> None:
        self.make = make_recorder

    def create_recorder(self) -> StoreRecorder:
        """On an empty table."""
        return self.make(StoreRecorder, self.TABLE)

    def test_insert_subscribe(self) -> None:
        """Optional in the library, as not every recorder can. Ours looks again instead of being notified."""
        self.optional_test_insert_subscribe()


class TestInputs(TestDecisions):
    """The same of the other table."""

    TABLE = INPUTS


@pytest_asyncio.fixture
async def stores(databases: Databases) -> AsyncIterator[Stores]:
    """Both stores, empty, and two connections as lanes have them."""
    async with new_stores(databases) as stores:
        yield stores


def _event(of: UUID, version: int = 1, topic: str = "topic", state: bytes = b"state") -> StoredEvent:
    return StoredEvent(of, version, topic, state)


@pytest.mark.asyncio
async def test_events_of_a_transaction_that_is_rolled_back_are_not_there(stores: Stores) -> None:
    connection = stores.one
    event = _event(uuid4())
    transaction = connection.transaction()
    await transaction.start()
    await append(connection, DECISIONS, [event])
    assert await max_notification_id(connection, DECISIONS) == 1
    await transaction.rollback()
    assert await max_notification_id(connection, DECISIONS) is None
    assert await events_of(connection, DECISIONS, [UUID(str(event.originator_id))]) == {}


@pytest.mark.asyncio
async def test_a_second_writer_gets_no_number_before_the_first_one_has_committed(stores: Stores) -> None:
    first, second = stores.one, stores.other
    transaction = first.transaction()
    await transaction.start()
    assert await append(first, DECISIONS, [_event(uuid4())]) == [1]
    waiting = asyncio.create_task(append(second, DECISIONS, [_event(uuid4())]))
    await asyncio.wait({waiting}, timeout=BLOCKED_LOOK_S)
    assert not waiting.done(), "the second writer did not wait"
    await transaction.commit()
    assert await waiting == [2]


@pytest.mark.asyncio
async def test_writers_of_decisions_do_not_wait_for_those_of_inputs(stores: Stores) -> None:
    first, second = stores.one, stores.other
    async with first.transaction():
        await append(first, DECISIONS, [_event(uuid4())])
        assert await append(second, INPUTS, [_event(uuid4())]) == [1]


async def _write(settings: Settings, seed: int) -> None:
    connection, chance = await connect(settings, SEARCH_PATH), random.Random(seed)
    for _ in range(ROUNDS):
        transaction = connection.transaction()
        await transaction.start()
        await append(connection, DECISIONS, [_event(uuid4()) for _ in range(chance.randint(1, 5))])
        await asyncio.sleep(chance.random() / 200)
        await (transaction.rollback() if chance.random() < 0.3 else transaction.commit())
    await connection.close()


@pytest.mark.asyncio
async def test_a_reader_who_goes_on_after_the_highest_number_misses_nothing(stores: Stores) -> None:
    connection = stores.one
    writing = asyncio.gather(*(_write(stores.settings, seed) for seed in range(WRITERS)))
    seen: list[int] = []
    while True:
        ended = writing.done()
        last = seen[-1] if seen else None
        found = await notifications(connection, DECISIONS, last, 7, inclusive_of_start=not seen)
        seen += [n.id for n in found]
        if ended and not found:
            break
    await writing
    rows = await connection.fetch("SELECT notification_id FROM decision ORDER BY notification_id")
    assert seen == [r["notification_id"] for r in rows]
    assert len(seen) > ROUNDS


@pytest.mark.asyncio
async def test_nothing_is_stored_with_a_version_that_is_taken_or_a_state_that_is_too_large(stores: Stores) -> None:
    connection, taken = stores.one, _event(uuid4())
    await append(connection, DECISIONS, [taken])
    transaction = connection.transaction()
    await transaction.start()
    await append(connection, DECISIONS, [_event(uuid4())])
    with pytest.raises(IntegrityError, match="already exists"):
        await append(connection, DECISIONS, [_event(uuid4()), taken])
    await transaction.rollback()
    with pytest.raises(ValueError, match="larger"):
        await append(connection, DECISIONS, [_event(uuid4(), state=bytes(STATE_BYTES_MAX + 1))])
    assert [n.originator_id for n in await notifications(connection, DECISIONS, None, 10)] == [taken.originator_id]


@pytest.mark.asyncio
async def test_events_are_found_by_keys_however_many_there_are(stores: Stores) -> None:
    connection = stores.one
    await connection.execute(
        f"""
        INSERT INTO decision (originator_id, originator_version, topic, state)
            SELECT lpad((i / 4)::text, 32, '0')::uuid, i % 4, 'topic', '' FROM generate_series(1, {ROWS}) AS i;
        ANALYZE decision;
        SET plan_cache_mode TO force_generic_plan
        """
    )
    of_many = EVENTS_OF.format(table=DECISIONS, order="ASC")
    told = NOTIFICATIONS.format(table=DECISIONS)
    for name, types, sql, arguments in (
        ("of_many", "uuid[], bigint, bigint, bigint", of_many, f"ARRAY['{UUID(int=7)}'::uuid], -1, 99, NULL"),
        ("told", "bigint, bigint, bigint, text[]", told, "19000, 20000, 100, '{}'"),
    ):
        await connection.execute(f"PREPARE {name} ({types}) AS {sql}")
        plan = "\n".join(r[0] for r in await connection.fetch(f"EXPLAIN EXECUTE {name} ({arguments})"))
        assert "Seq Scan" not in plan, plan
        assert "Index Scan" in plan, plan
