"""Aggregates on a real PostgreSQL: written and read by us and by the library, by name, version and time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from eventsourcing.application import Application
from eventsourcing.domain import AggregateCreated, AggregateEvent, BaseAggregate
from eventsourcing.persistence import IntegrityError, StoredEvent

from services.runtime import documents
from services.runtime.aggregates import NameMissing, load, save
from services.runtime.documents import Document
from services.runtime.eventstore import (
    DECISIONS,
    INPUTS,
    append,
    events_of,
    max_notification_id,
    notifications,
)
from tests.support.databases import Databases
from tests.support.eventstore import Parcel, Stores, new_stores

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)
BLOCKED_LOOK_S = 0.2


@pytest_asyncio.fixture
async def stores(databases: Databases) -> AsyncIterator[Stores]:
    """Both stores, empty, and two connections as lanes have them."""
    async with new_stores(databases) as stores:
        yield stores


def _parcel(place: str = "Ghent") -> Parcel:
    return Parcel.sent(uuid4(), place, NOON)


@pytest.mark.asyncio
async def test_the_librarys_application_and_ours_read_what_the_other_wrote(stores: Stores) -> None:
    connection = stores.one
    env = {
        "PERSISTENCE_MODULE": "tests.support.eventstore:StoreFactory",
        "STORE_URL": stores.settings.database_url.get_secret_value(),
        "STORE_TABLE": DECISIONS,
    }
    application: Application[UUID] = await asyncio.to_thread(Application, env)
    try:
        ours = _parcel()
        await save(connection, DECISIONS, [ours])
        read: Parcel = await asyncio.to_thread(application.repository.get, ours.id)
        assert (read.place, read.created_on) == ("Ghent", NOON)
        read.move("Bruges", NOON + timedelta(days=1))
        theirs = _parcel("Liège")
        await asyncio.to_thread(application.save, read, theirs)
        found = await load(connection, DECISIONS, Parcel, [ours.id, theirs.id])
        assert {i: p.place for i, p in found.items()} == {ours.id: "Bruges", theirs.id: "Liège"}
        assert found[ours.id].modified_on == NOON + timedelta(days=1)
    finally:
        await asyncio.to_thread(application.close)


@pytest.mark.asyncio
async def test_many_aggregates_are_saved_and_loaded_together_and_the_absent_are_missing(stores: Stores) -> None:
    connection = stores.one
    parcels = [_parcel(f"place {n}") for n in range(20)]
    for parcel in parcels[::2]:
        parcel.move("Bruges", NOON)
    written = await save(connection, DECISIONS, parcels)
    assert len(written) == 30
    assert [(e.originator_id, e.originator_version) for e in await notifications(connection, DECISIONS, 1, 100)] == [
        (e.originator_id, e.originator_version) for e in written
    ]
    assert await save(connection, DECISIONS, parcels) == []
    found = await load(connection, DECISIONS, Parcel, [*(p.id for p in parcels), uuid4()])
    assert found == {p.id: p for p in parcels}


@pytest.mark.asyncio
async def test_a_version_that_is_taken_is_refused_and_the_transaction_can_be_rolled_back(stores: Stores) -> None:
    connection = stores.one
    parcel = _parcel()
    await save(connection, DECISIONS, [parcel])
    (one,), (other,) = [(await load(connection, DECISIONS, Parcel, [parcel.id])).values() for _ in range(2)]
    one.move("Bruges", NOON)
    other.move("Namur", NOON)
    await save(connection, DECISIONS, [one])
    transaction = connection.transaction()
    await transaction.start()
    await save(connection, DECISIONS, [_parcel()])
    with pytest.raises(IntegrityError, match="already exists"):
        await save(connection, DECISIONS, [other])
    assert [e.place for e in other.pending_events if isinstance(e, Parcel.Moved)] == ["Namur"]
    await transaction.rollback()
    assert (await load(connection, DECISIONS, Parcel, [parcel.id]))[parcel.id].place == "Bruges"
    assert await connection.fetchval("SELECT count(*) FROM decision") == 2


@pytest.mark.asyncio
async def test_an_event_is_stored_under_its_own_name_and_an_old_one_is_read_as_a_new_one(stores: Stores) -> None:
    connection = stores.one
    parcel = _parcel()
    parcel.move("Bruges", NOON)
    await save(connection, DECISIONS, [parcel])
    old = b'{"timestamp":{"_type_":"datetime_iso","_data_":"2024-03-01T12:00:00+00:00"},"to":"Namur"}'
    await append(connection, DECISIONS, [StoredEvent(parcel.id, 3, "test.parcel:moved", old)])
    stored = (await events_of(connection, DECISIONS, [parcel.id]))[parcel.id]
    assert [e.topic for e in stored] == ["test.parcel:sent", "test.parcel:moved", "test.parcel:moved"]
    assert b'"class_version":2' in stored[1].state
    assert not any(b"support" in e.state or b"Parcel" in e.state for e in stored), "a Python path was stored"
    assert (await load(connection, DECISIONS, Parcel, [parcel.id]))[parcel.id].place == "Namur"


class Nameless(BaseAggregate[UUID]):
    """An aggregate whose author named its event, but not the aggregate, which the event names too."""

    class Event(AggregateEvent):
        """An event of it."""

    class Made(Event, AggregateCreated):
        """It was made."""

        TOPIC = "test.nameless:made"


@pytest.mark.asyncio
async def test_an_aggregate_without_a_name_is_not_stored(stores: Stores) -> None:
    connection = stores.one
    with pytest.raises(NameMissing, match="Nameless has no TOPIC"):
        await save(connection, DECISIONS, [Nameless._create(Nameless.Made, id=uuid4())])
    assert await max_notification_id(connection, DECISIONS) is None


@pytest.mark.asyncio
async def test_an_aggregate_of_another_class_is_not_taken_for_the_one_asked_for(stores: Stores) -> None:
    connection = stores.one
    parcel = _parcel()
    await save(connection, INPUTS, [parcel])
    with pytest.raises(TypeError, match="is a Parcel, not a Document"):
        await load(connection, INPUTS, Document, [parcel.id])


@pytest.mark.asyncio
async def test_every_version_of_a_document_is_kept_with_who_set_it_when_and_why(stores: Stores) -> None:
    connection = stores.one
    name = "identity.policy"
    assert await documents.current(connection, name) is None
    for number, limit in enumerate((3, "0.25", None), 1):
        at = NOON + timedelta(hours=number)
        put = await documents.put(connection, name, {"limits": [limit]}, "ann", f"reason {number}", at)
        found = await documents.current(connection, name)
        assert found == put
        assert (put.number, put.document, put.by, put.reason) == (
            number,
            {"limits": [limit]},
            "ann",
            f"reason {number}",
        )
        assert put.modified_on == at
    stored = (await events_of(connection, INPUTS, [documents.id_of(name)]))[documents.id_of(name)]
    assert [(e.originator_version, e.topic) for e in stored] == [(n, "document:set") for n in (1, 2, 3)]


@pytest.mark.asyncio
async def test_of_two_who_set_a_document_at_once_the_later_one_is_refused(stores: Stores) -> None:
    first, second = stores.one, stores.other
    async with first.transaction():
        await documents.put(first, "value.policy", {"a": 1}, "ann", "", NOON)
        late = asyncio.create_task(documents.put(second, "value.policy", {"a": 2}, "bob", "", NOON))
        await asyncio.wait({late}, timeout=BLOCKED_LOOK_S)
    with pytest.raises(IntegrityError):
        await late
    found = await documents.current(first, "value.policy")
    assert found is not None
    assert (found.number, found.by) == (1, "ann")


@pytest.mark.parametrize(
    "bad", [{"a": 0.5}, {"a": [{"b": float("nan")}]}, {1: 2}, {"a": (1,)}, {"a": {"_type_": "x"}}]
)
def test_a_document_that_json_would_not_give_back_exactly_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"exact|kept"):
        Document.first("identity.policy", bad, "ann", "", NOON)


def test_a_document_does_not_change_with_the_dict_it_was_set_from_and_has_no_time_of_its_own() -> None:
    given = {"a": [1]}
    document = Document.first("identity.policy", given, "ann", "", NOON)
    given["a"].append(2)
    assert document.document == {"a": [1]}
    with pytest.raises(TypeError, match="at a time that its caller says"):
        document.trigger_event(Document.DocumentSet)
    with pytest.raises(ValueError, match="zone"):
        document.set({}, "ann", "", NOON.replace(tzinfo=None))
