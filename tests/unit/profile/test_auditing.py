"""Reads of personal data while the database is away: they stay noted, and at a limit nothing personal is read."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.profile.access import auditing
from services.profile.access.auditing import NOTES_MAX, Auditing
from services.profile.inputs import ApiKey
from services.runtime.http import Database, Problem
from services.runtime.postgres import AWAY, ServiceSchema
from tests.support.databases import settings_for

pytestmark = pytest.mark.asyncio
KEY = ApiKey("k1", "agent", frozenset({"profile:read", "profile:pii"}))


@pytest_asyncio.fixture
async def away() -> AsyncIterator[Auditing]:
    """Nobody listens at its database's address."""
    database = Database(settings_for("postgresql://x@127.0.0.1:9/x"), ServiceSchema.of("profile", event_sourced=True))
    yield Auditing(database)
    await database.close()


async def test_what_could_not_be_written_stays_noted_and_is_counted_on(away: Auditing) -> None:
    away.note(KEY, "GET /v1/x", ["ann", "bo"])
    with pytest.raises(AWAY):
        await away.write()
    away.note(KEY, "GET /v1/x", ["ann"])
    noted = {place[0]: told[0] for place, told in away._noted.items()}
    # A minute may have begun in between.
    assert noted["bo"] == 1
    assert sum(told[0] for place, told in away._noted.items() if place[0] == "ann") == 2


async def test_while_reads_cannot_be_noted_nothing_personal_is_read(away: Auditing) -> None:
    away.note(KEY, "GET /v1/x", map(str, range(NOTES_MAX - 1)))
    away.check()
    away.note(KEY, "GET /v1/x", ["one more"])
    with pytest.raises(Problem) as refused:
        away.check()
    assert (refused.value.kind, refused.value.headers) == ("unavailable", {"Retry-After": "5"})
    assert auditing.WRITE_EVERY_S * 500 < NOTES_MAX, "room for many seconds of many reads"
