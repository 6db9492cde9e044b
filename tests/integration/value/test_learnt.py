"""What everybody bought is learnt beside the answers: only the first question waits."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import orjson
import pytest
import pytest_asyncio

from services.runtime.http import Database
from services.value.views.learnt import Learnt
from tests.support.databases import SCHEMAS, Databases, settings_for

DAY, DAY_US, LEARNT_S, POLL_S = 20_000, 86_400_000_000, 20.0, 0.02
UTC_ZONE = ZoneInfo("UTC")


@pytest_asyncio.fixture
async def database(databases: Databases) -> AsyncIterator[Database]:
    url = await databases.fresh()
    database = Database(settings_for(url), SCHEMAS["value"])
    yield database
    await database.close()
    await databases.drop(url)


async def buys(database: Database, *items: str) -> None:
    """A customer of his own buys these products."""
    customer, order, sold = str(uuid.uuid4()), str(uuid.uuid4()), orjson.dumps(items).decode()
    pool = await database.pool()
    async with pool.acquire() as connection:
        await connection.execute("INSERT INTO member (member_id, group_id) VALUES ($1, $1)", customer)
        await connection.execute(
            "INSERT INTO orders (order_id, owner, ordered_us, status, items) VALUES ($1, $2, $3, 'open', $4)",
            *(order, customer, DAY * DAY_US, sold),
        )


def sold(tastes: Any) -> set[str]:
    return set(tastes.items)


@pytest.mark.asyncio
async def test_yesterdays_lists_are_answered_while_todays_are_learnt(database: Database) -> None:
    learnt = Learnt(database, UTC_ZONE)
    await buys(database, "tea", "pot")
    assert sold(await learnt.on(DAY)) == {"tea", "pot"}, "the first question waits"
    await buys(database, "rope")
    assert sold(await learnt.on(DAY)) == {"tea", "pot"}, "once a business day"
    assert sold(await learnt.on(DAY + 1)) == {"tea", "pot"}, "nobody waits for the new day's"
    for _ in range(int(LEARNT_S / POLL_S)):
        if sold(await learnt.on(DAY + 1)) == {"tea", "pot", "rope"}:
            break
        await asyncio.sleep(POLL_S)
    assert sold(await learnt.on(DAY + 1)) == {"tea", "pot", "rope"}
    await buys(database, "axe")
    assert "axe" in sold(await learnt.on(DAY + 1, anew=True))


@pytest.mark.asyncio
async def test_many_first_questions_learn_once_and_who_gives_up_takes_it_from_nobody(database: Database) -> None:
    learnt = Learnt(database, UTC_ZONE)
    await buys(database, "tea")
    asked = [asyncio.create_task(learnt.on(DAY)) for _ in range(5)]
    await asyncio.sleep(0)
    asked[0].cancel()
    found = await asyncio.gather(*asked[1:])
    assert all(one is found[0] for one in found)
    assert sold(found[0]) == {"tea"}


@pytest.mark.asyncio
async def test_what_could_not_be_learnt_is_learnt_with_a_later_question(database: Database) -> None:
    learnt, pool = Learnt(database, UTC_ZONE), await database.pool()
    await buys(database, "tea")
    await pool.execute("ALTER TABLE orders RENAME TO gone")
    with pytest.raises(asyncpg.UndefinedTableError):
        await learnt.on(DAY)
    await pool.execute("ALTER TABLE gone RENAME TO orders")
    assert sold(await learnt.on(DAY)) == {"tea"}
