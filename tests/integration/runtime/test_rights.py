"""A rebuild works as a role that may write the generation beside the live one, and nothing that is live."""

from __future__ import annotations

import asyncpg
import pytest

from services.runtime import rights
from services.runtime.postgres import SchemaHalt, connect
from tests.integration.runtime.test_replays import at_work
from tests.support import rebuilds
from tests.support.databases import named, settings_for
from tests.support.house import House

pytestmark = pytest.mark.asyncio

OUTWARD = (
    "UPDATE {there}.member SET n = n + 1",
    "DELETE FROM {there}.marker",
    "INSERT INTO {there}.telling VALUES (1, '{{}}', '{{}}', '{{}}')",
    "SELECT * FROM {there}.member",
    "UPDATE value.generation SET live = 2",
    "UPDATE value.beside SET state = 'running'",
    "INSERT INTO value.input_event VALUES (gen_random_uuid(), 1, 'x', '')",
    "UPDATE value.in_force SET number = 7",
    "DELETE FROM value.discarded",
    "SELECT * FROM value.replay_event",
    "SELECT * FROM profile_g1.section",
    "SELECT * FROM intake.migration",
    "CREATE SCHEMA more",
    "CREATE TABLE {here}.more (one int)",
)


async def _refused(connection: asyncpg.Connection, sql: str) -> bool:
    try:
        await connection.execute(sql)
    except asyncpg.InsufficientPrivilegeError:
        return True
    return False


async def test_R3_a_rebuild_may_write_its_own_generation_and_nothing_else(house: House) -> None:
    await at_work(house)
    worker = await rebuilds.start(house, "value")
    await rebuilds.catch_up(worker)
    works_as = worker.lane.connection
    assert await works_as.fetchval("SELECT current_user") == rights.role_of("value")
    assert await works_as.fetchval("SELECT count(*) FROM value_g2.entry") == 3
    await works_as.execute("UPDATE value_g2.member SET n = n")
    for sql in OUTWARD:
        assert await _refused(works_as, sql.format(there="value_g1", here="value_g2")), sql
    # Once it is live, it is out of reach, and what was live is the rebuild's.
    await rebuilds.swap(house, "value")
    assert await _refused(works_as, "SELECT * FROM value_g2.entry")
    await worker.close()
    kept = await rebuilds.builder(house, "value", 1)
    await rebuilds.catch_up(kept)
    assert not await _refused(kept.lane.connection, "UPDATE value_g1.member SET n = n")
    assert await _refused(kept.lane.connection, "SELECT * FROM value_g2.entry")
    await kept.close()


async def test_whose_user_may_not_make_the_role_is_told_what_to_have_made(house: House) -> None:
    await at_work(house)
    await rebuilds.generations(house, "value").start(100, rebuilds.OPERATOR, execute=True)
    owner = await connect(house.settings, "value")
    user = f"plain_{await owner.fetchval('SELECT current_database()')}"
    try:
        await owner.execute(f"CREATE ROLE {user} LOGIN PASSWORD 'a'; GRANT USAGE ON SCHEMA value TO {user};"
                            f" GRANT SELECT, UPDATE ON value.beside TO {user}")  # fmt: skip
        url = named(house.database_url, await owner.fetchval("SELECT current_database()"))
        scheme, rest = url.split("://")
        plain = settings_for(f"{scheme}://{user}:a@{rest.rpartition('@')[2]}")
        with pytest.raises(SchemaHalt, match="CREATE ROLE c360_rebuild_value"):
            await rights.give(plain, "value", 2)
    finally:
        await owner.execute(f"DROP OWNED BY {user}; DROP ROLE {user}")
        await owner.close()
