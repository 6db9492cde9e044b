"""The naive baseline: stock Faust agents as Faust's manual shows them, one record and one transaction at a time.

`BASELINE_SERVICE=interaction python -m tests.benchmarks.baselines.naive worker` is a worker with one agent of one
service: `interaction` keeps each event in a history, sums it up by record and folds what it says of conversations,
consents, needs and feedback; `value` folds orders into a ledger of days; both send a record's section to a topic of
their own, and `profile` keeps the last of each. Nobody decides who is whom: every record is a customer of his own.
A table knows which events were kept, so that what is sent twice counts once. That is less than ours do at the same
work: no corrections, erasure, versions, positions, markers, contacts, statements or metrics. Records are decoded, and
rules applied, by the same code as ours.

Owns the agents; their SQL is naive_store.py's.
"""

from __future__ import annotations

import os
from typing import Any

import asyncpg

from schemas.codec import decode_event, header
from schemas.topics import CHANNEL_EVENTS, INTERACTION_CUSTOMERS, VALUE_CUSTOMERS
from services.interaction.handlers.hearing import history_row
from services.runtime.batch import Incoming
from services.value.domain.entries import MONEY_TYPES
from tests.benchmarks.baselines import naive_store as store
from tests.benchmarks.baselines.app import BaselineApp, record_of
from tests.support.dialogues import POLICY
from tests.support.ledgers import POLICY as VALUE_POLICY

CONNECTIONS_MAX = 4


async def _pool() -> Any:
    return await asyncpg.create_pool(
        os.environ["DATABASE_URL"], min_size=1, max_size=CONNECTIONS_MAX, server_settings={"search_path": "naive"}
    )


def _interaction(app: BaselineApp) -> None:
    told = app.topic(INTERACTION_CUSTOMERS.name, key_serializer="raw", value_serializer="json")

    @app.agent(app.topic(CHANNEL_EVENTS.name, key_type=bytes, value_type=bytes, value_serializer="raw"))
    async def interaction(stream: Any) -> None:
        pool = await _pool()
        async for sent in stream.events():
            r = record_of(sent)
            event = decode_event(r.key, r.value, r.headers)
            row = history_row(Incoming(r.topic, r.partition, r.offset, r.timestamp, event, r))
            async with pool.acquire() as connection, connection.transaction():
                section = await store.keep(connection, event, row, POLICY)
            if section is not None:
                await told.send(key=r.key, value=section)
            app.note()


def _value(app: BaselineApp) -> None:
    told = app.topic(VALUE_CUSTOMERS.name, key_serializer="raw", value_serializer="json")

    @app.agent(app.topic(CHANNEL_EVENTS.name, key_type=bytes, value_type=bytes, value_serializer="raw"))
    async def value(stream: Any) -> None:
        pool = await _pool()
        async for sent in stream.events():
            r = record_of(sent)
            if header(r.headers, "ce_type") in MONEY_TYPES:
                event = decode_event(r.key, r.value, r.headers, exact=True)
                async with pool.acquire() as connection, connection.transaction():
                    sections = await store.book(connection, event, VALUE_POLICY)
                for record, section in sections.items():
                    await told.send(key=record.encode(), value=section)
            app.note()


def _profile(app: BaselineApp) -> None:
    services = {INTERACTION_CUSTOMERS.name: "interaction", VALUE_CUSTOMERS.name: "value"}

    @app.agent(app.topic(*services, key_type=bytes, key_serializer="raw", value_serializer="json"))
    async def profile(stream: Any) -> None:
        pool = await _pool()
        async for sent in stream.events():
            async with pool.acquire() as connection:
                await store.show(connection, sent.key.decode(), services[sent.message.topic], sent.value)
            app.note()


AGENTS = {"interaction": _interaction, "value": _value, "profile": _profile}


def main(service: str) -> None:
    """Run the worker as the arguments say."""
    app = BaselineApp()
    AGENTS[service](app)
    app.work()


if __name__ == "__main__":
    main(os.environ["BASELINE_SERVICE"])
