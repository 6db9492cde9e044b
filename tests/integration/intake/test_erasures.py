"""What was asked to be erased is kept as an event, told to the log as the same words however often, and restored."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from schemas.identifiers import Identifier, record_id
from schemas.topics import CHANNEL_EVENTS
from services.intake.domain.accept import accept
from services.intake.domain.model import Accepted, Raw, Received, Source, Suppressed
from services.intake.door import erasures, mappings
from services.intake.door.erasures import Asked
from services.intake.views import erased_among
from services.runtime.http import Database
from services.runtime.postgres import Connection, connect, prepare
from services.runtime.settings import Settings
from services.runtime.waiting import read_token
from tests.support.databases import Databases, settings_for

pytestmark = pytest.mark.asyncio

ANN, HERS, GROUP, EVENT = (str(uuid.uuid5(uuid.NAMESPACE_OID, name)) for name in ("ann", "hers", "group", "event"))
ENDS = {(CHANNEL_EVENTS.name, 3): 17}
FURTHER = {(CHANNEL_EVENTS.name, 3): 20, (CHANNEL_EVENTS.name, 5): 2}


@pytest_asyncio.fixture
async def settings(databases: Databases) -> AsyncIterator[Settings]:
    """Of a database of its own."""
    url = await databases.empty()
    yield settings_for(url)
    await databases.drop(url)


@pytest_asyncio.fixture
async def intake(settings: Settings) -> AsyncIterator[Connection]:
    """A connection to intake's tables."""
    generation = await prepare(settings, mappings.schema())
    connection = await connect(settings, f"{generation.schema},intake")
    yield connection
    await connection.close()


def asked(*records: str, events: tuple[tuple[str, str], ...] = ()) -> Asked:
    """Somebody asks for Ann."""
    return Asked(ANN, records, events, "desk", "she asked")


async def test_words_are_told_until_the_log_has_them_and_are_the_same_every_time(intake: Connection) -> None:
    erasure_id = await erasures.ask(intake, asked(ANN, HERS, events=((GROUP, EVENT),)))
    first = await erasures.untold(intake)
    # Here the process dies, after the log had them or before: whoever comes next tells them again.
    again = await erasures.untold(intake)
    assert sorted(w.accepted.event.event_id for w in first) == sorted(w.accepted.event.event_id for w in again)
    assert {w.record_id: w.events for w in first} == {ANN: (), HERS: (), GROUP: (EVENT,)}
    found = await erasures.receipt(intake, erasure_id)
    assert found is not None
    assert (found["position"], found["done_at"]) == (None, None)
    await erasures.told(intake, first, ENDS)
    assert await erasures.untold(intake) == []
    found = await erasures.receipt(intake, erasure_id)
    assert found is not None
    assert read_token(found["position"]) == ENDS


async def test_what_is_found_later_joins_the_same_erasure_and_it_is_not_done_before(intake: Connection) -> None:
    erasure_id = await erasures.ask(intake, asked(ANN))
    await erasures.told(intake, await erasures.untold(intake), ENDS)
    await erasures.done(intake, erasure_id)
    assert await erasures.ask(intake, asked(ANN)) == erasure_id
    assert (await erasures.receipt(intake, erasure_id) or {})["done_at"], "nothing new was asked"
    assert await erasures.ask(intake, asked(HERS, events=((GROUP, EVENT),))) == erasure_id
    words = await erasures.untold(intake)
    assert {w.record_id for w in words} == {HERS, GROUP}
    await erasures.told(intake, words, FURTHER)
    found = await erasures.receipt(intake, erasure_id) or {}
    assert (found["done_at"], sorted(found["records"])) == (None, sorted([ANN, HERS]))
    assert read_token(found["position"]) == FURTHER


async def test_a_database_that_lost_its_tables_makes_them_of_what_was_asked_and_tells_the_log_once_more(
    intake: Connection,
) -> None:
    erasure_id = await erasures.ask(intake, asked(ANN, events=((GROUP, EVENT),)))
    words = await erasures.untold(intake)
    await erasures.told(intake, words, ENDS)
    await intake.execute("TRUNCATE erased_record, struck_event, erasure")
    await erasures.restore(intake)
    again = await erasures.untold(intake)
    assert {w.accepted.event.event_id for w in again} == {w.accepted.event.event_id for w in words}
    assert (await erasures.receipt(intake, erasure_id) or {})["by"] == "desk"
    pairs = {(ANN, EVENT), (HERS, EVENT), (GROUP, EVENT), (GROUP, HERS)}
    assert await erased_among(intake, pairs) == {(ANN, EVENT), (GROUP, EVENT)}


async def test_what_was_parked_and_names_him_is_thrown_away_and_nothing_else(intake: Connection) -> None:
    for body in (b'{"userId": "ann-77"}', b'{"userId": "bob-12"}'):
        await intake.execute(
            "INSERT INTO parked (topic, partition, first_offset, source, reason, value)"
            " VALUES ('http', 0, nextval('parked_at_door'), 'web', 'bad', $1)",
            body,
        )
    assert await erasures.clear_parked(intake, ["ann-77", "nobody"]) == 1
    assert [bytes(r["value"]) for r in await intake.fetch("SELECT value FROM parked")] == [b'{"userId": "bob-12"}']


async def test_a_word_on_somebody_erased_a_moment_ago_is_kept_out_at_once(
    intake: Connection, settings: Settings
) -> None:
    """It would lie under the group's record, of which no service knows that it is about him."""
    joined = Raw("1", "group.joined", {"identifiers": {"user_id": "ann"}, "properties": {"group_id": "firm"}})
    word = accept(joined, Received(datetime.now(UTC), Source("crm")), settings.key_bytes)
    assert isinstance(word, Accepted)
    hers = record_id(settings.key_bytes, Identifier("user_id", "ann"))
    assert word.event.record_id != hers
    database = Database(settings, mappings.schema())
    door = erasures.Erased(database, settings.key_bytes)
    assert await door.spare([word]) == [word]
    await erasures.ask(intake, asked(hers))
    assert await door.spare([word]) == [Suppressed("group.joined", word.event.event_id)]
    await database.close()


async def test_more_than_one_event_can_hold_is_refused_and_nothing_is_kept(intake: Connection) -> None:
    many = [str(uuid.UUID(int=n)) for n in range(erasures.NAMED_MAX + 1)]
    with pytest.raises(ValueError, match="at most"):
        await erasures.ask(intake, asked(*many))
    assert await erasures.untold(intake) == []
