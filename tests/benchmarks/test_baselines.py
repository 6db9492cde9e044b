"""The baselines do the same work as ours: where nothing fails, all come to what the log says."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import Any

import asyncpg
import pytest

from schemas.codec import decode_event, header
from services.interaction.handlers.hearing import history_row
from services.runtime.batch import Incoming
from services.value.domain.entries import MONEY_TYPES
from tests.benchmarks.baselines import expert, naive_store
from tests.benchmarks.baselines.measuring import encoded, run
from tests.benchmarks.baselines.ways import EXPERT, NAIVE, OURS, Way
from tests.support.databases import Databases, settings_for
from tests.support.dialogues import POLICY
from tests.support.ledgers import POLICY as VALUE_POLICY
from tests.support.lone_records import INTERACTION, VALUE, compared, lone
from tests.support.memory_broker import MemoryBroker, Record
from tests.support.rig import Rigs

EVENTS, SEED = 600, 11
BATCH_RECORDS = 100


def log() -> list[Record]:
    """The standard mix as it stands in the log: some events twice, some late, refunds before their orders."""
    broker = MemoryBroker()
    return [broker.append("channel.events", one) for one in encoded(EVENTS, SEED)]


def batches(records: list[Record]) -> list[list[Record]]:
    """Records as a consumer gets them."""
    left = iter(records)
    return list(iter(lambda: list(islice(left, BATCH_RECORDS)), []))


async def naively(database_url: str, records: list[Record]) -> None:
    """One record, one transaction; sections are shown as they are told."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(naive_store.SCHEMA)
    await connection.execute("SET search_path TO naive")
    for r in records:
        event = decode_event(r.key, r.value, r.headers)
        row = history_row(Incoming(r.topic, r.partition, r.offset, r.timestamp, event, r))
        section = await naive_store.keep(connection, event, row, POLICY)
        if section is not None:
            await naive_store.show(connection, event.record_id, INTERACTION, section)
        if header(r.headers, "ce_type") in MONEY_TYPES:
            exact = decode_event(r.key, r.value, r.headers, exact=True)
            for record, worth in (await naive_store.book(connection, exact, VALUE_POLICY)).items():
                await naive_store.show(connection, record, VALUE, worth)
    await connection.close()


async def expertly(database_url: str, records: list[Record]) -> None:
    """Batches through the services' handlers, and what they tell through profile's."""
    broker = MemoryBroker()
    settings = settings_for(database_url)
    for service in (INTERACTION, VALUE):
        host = await expert.hosted(service, settings)
        for batch in batches(records):
            for told in await host.applied(batch):
                broker.append(told.topic, expert.message_of(host.plan, told))
        await host.close()
    profile = await expert.hosted("profile", settings)
    for batch in batches([r for partition in broker.logs.values() for r in partition]):
        await profile.applied(batch)
    await profile.close()


@pytest.mark.parametrize(("way", "apply"), [(NAIVE, naively), (EXPERT, expertly)])
def test_a_baseline_comes_to_what_the_log_says(databases: Databases, way: Way, apply: Any) -> None:
    records = log()
    want = lone(records)
    assert {service for _, service in want.sections} == {INTERACTION, VALUE}
    assert len(want.events) < len(records), "nothing was sent twice"

    async def act() -> Any:
        url = await databases.fresh()
        try:
            await apply(url, records)
            return await compared(url, want, way.history, way.section)
        finally:
            await databases.drop(url)

    found = asyncio.run(act())
    assert found.zero, found


@pytest.mark.bench
@pytest.mark.parametrize("way", [NAIVE, EXPERT, OURS], ids=lambda way: way.name)
def test_each_way_comes_to_what_the_log_says_through_kafka(rigs: Rigs, way: Way) -> None:
    found = run(rigs, way, encoded(EVENTS, SEED)).compared
    assert found.zero, found
