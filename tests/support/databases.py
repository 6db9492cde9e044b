"""Databases for tests on one real PostgreSQL: a template with every service's schema, copied per test.

Owns names of databases it made; leaves others alone.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from services.identity import handlers as identity
from services.interaction import handlers as interaction
from services.profile import handlers as profile
from services.profile.domain.segments import SEGMENTS
from services.runtime.policies import begin
from services.runtime.postgres import Generation, ServiceSchema, connect, prepare
from services.runtime.settings import Settings
from services.treatment import handlers as treatment
from services.value import handlers as value

TOLD_ALL = "UPDATE input_told SET told_up_to = (SELECT max(notification_id) FROM input_event)"
"""Where there is no Kafka: what was set counts as told on control.events."""
KEY = "5a" * 32
SCHEMAS = {
    "intake": ServiceSchema.of("intake"),
    "identity": ServiceSchema.of("identity", event_sourced=True),
    "interaction": ServiceSchema.of("interaction", grouped=True, event_sourced=True),
    "value": ServiceSchema.of("value", grouped=True, event_sourced=True),
    "profile": ServiceSchema.of("profile", event_sourced=True),
    "treatment": ServiceSchema.of("treatment", event_sourced=True),
}
POLICIES = {
    "identity": (identity.POLICY, identity.shipped_document()),
    "interaction": (interaction.POLICY, interaction.shipped_document()),
    "value": (value.POLICY, value.shipped_document()),
    "profile": (SEGMENTS, profile.SHIPPED),
    "treatment": (treatment.POLICY, treatment.shipped_document()),
}
_counter = itertools.count()


def settings_for(database_url: str, kafka: str = "127.0.0.1:1", **more: object) -> Settings:
    """Settings of a process in a test, without reading the environment's own."""
    values: dict[str, object] = {
        "KAFKA_BOOTSTRAP": kafka,
        "DATABASE_URL": database_url,
        "deployment_key": KEY,
        "batch_linger_ms": 0,
        **more,
    }
    return Settings(**values)  # type: ignore[arg-type]


def named(database_url: str, database: str) -> str:
    """The URL of another database on the same server."""
    parts = urlsplit(database_url)
    return urlunsplit(parts._replace(path=f"/{database}"))


class Databases:
    """Makes databases from a template; `url` is any database of the server."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._template: str | None = None

    async def _run(self, sql: str) -> None:
        connection = await asyncpg.connect(self.url)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    async def empty(self) -> str:
        """The URL of a new database without schemas."""
        name = f"test_{os.getpid()}_{next(_counter)}"
        await self._run(f"CREATE DATABASE {name}")
        return named(self.url, name)

    async def fresh(self) -> str:
        """The URL of a new database with every service's first generation in it."""
        if self._template is None:
            url = await self.empty()
            for service in SCHEMAS:
                await prepare(settings_for(url), SCHEMAS[service])
            for service, (name, document) in POLICIES.items():
                await _put_in_force(settings_for(url), service, name, document)
            self._template = url
        name = f"test_{os.getpid()}_{next(_counter)}"
        template = urlsplit(self._template).path[1:]
        await self._run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return named(self.url, name)

    async def drop(self, url: str) -> None:
        """Remove a database made here."""
        name = urlsplit(url).path[1:]
        if not name.startswith("test_"):
            raise ValueError("only databases made for tests are dropped")
        await self._run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


async def generation_of(settings: Settings, service: str) -> Generation:
    """The live generation of a service in this database."""
    return await prepare(settings, SCHEMAS[service])


async def _put_in_force(settings: Settings, service: str, name: str, document: dict[str, Any]) -> None:
    """The shipped policy, as if it had been told on control.events: these tests have no Kafka."""
    connection = await connect(settings, service)
    try:
        async with connection.transaction():
            await begin(connection, name, document)
            await connection.execute(TOLD_ALL)
    finally:
        await connection.close()


def run(coroutine: object) -> object:
    """Run a coroutine from synchronous code."""
    return asyncio.run(coroutine)  # type: ignore[arg-type]
