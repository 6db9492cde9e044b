"""How PostgreSQL finds what the hottest questions ask for: by key, however large the tables have grown.

A plan that walks a table costs nothing in a small test and everything a month later.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from services.identity.store.evidence import REACHED
from services.identity.store.reach import PROVED, REACH
from services.interaction.store.facts import FOLDED
from services.interaction.views import TIMELINE
from services.profile.views.search import BY_KEYS, BY_NAMES, ORDERS
from services.runtime.postgres import Connection, connect
from services.value.store import LEDGERS
from tests.support.databases import Databases, settings_for

pytestmark = pytest.mark.asyncio

ROWS = 20_000
ONE = "'00000000-0000-0000-0000-000000000001'::uuid"
AN_ID = "lpad(i::text, 32, '0')::uuid"
FILL = f"""
    INSERT INTO identity_g1.record (record_id, type, value, first_us, sources, customer_id, n)
        SELECT {AN_ID}, 'user_id', i::text, i, '{{web}}', {AN_ID}, 1 FROM generate_series(1, {ROWS}) AS i;
    INSERT INTO identity_g1.link (a, b, kind, first_us, event_id, source)
        SELECT {AN_ID}, lpad((i + 1)::text, 32, '0')::uuid, 0, i, {AN_ID}, 'web'
        FROM generate_series(1, {ROWS}, 3) AS i;
    INSERT INTO identity_g1.held (a, b, reason)
        SELECT {AN_ID}, lpad((i + 1)::text, 32, '0')::uuid, 'held' FROM generate_series(1, {ROWS}) AS i;
    INSERT INTO interaction_g1.member (member_id, group_id)
        SELECT {AN_ID}, lpad((i / 3)::text, 32, '0')::uuid FROM generate_series(1, {ROWS}) AS i;
    INSERT INTO interaction_g1.history (record_id, event_id, time, type, channel, direction, source, sent_id, title,
            data, log_partition, log_offset)
        SELECT {AN_ID}, {AN_ID}, now() - i * interval '1 minute', 'page.viewed', 'web', 'inbound', 'web', i::text, '',
            '{{}}', 0, i FROM generate_series(1, {ROWS}) AS i;
    INSERT INTO profile_g1.listed (customer_id, shown, name, grade, revenue, seen)
        SELECT {AN_ID}, true, 'name ' || i, substr('ABCDD', i % 5, 1), i, i FROM generate_series(1, {ROWS}) AS i;
    INSERT INTO profile_g1.sought (customer_id, name_keys, keys)
        SELECT {AN_ID}, ARRAY[i, i % 1000 - 2000], '{{}}' FROM generate_series(1, {ROWS}) AS i;
    INSERT INTO profile_g1.membership (segment_id, customer_id, since_ms, ageing)
        SELECT 's' || i % 20, {AN_ID}, i, false FROM generate_series(1, {ROWS}) AS i;
    INSERT INTO profile_g1.search_key (key, customer_id)
        SELECT 'e' || i || '@x.com', {AN_ID} FROM generate_series(1, {ROWS}) AS i;
"""


@pytest_asyncio.fixture
async def filled(databases: Databases) -> AsyncIterator[Connection]:
    """A connection to a database with ROWS rows in each table, whose plans are those of prepared statements."""
    url = await databases.fresh()
    connection = await asyncpg.connect(url, server_settings={"plan_cache_mode": "force_generic_plan"})
    await connection.execute(FILL)
    await connection.execute("ANALYZE")
    yield connection
    await connection.close()
    await databases.drop(url)


async def _plan(connection: Connection, schema: str, types: str, sql: str, arguments: str) -> str:
    await connection.execute(f"SET search_path TO {schema}; PREPARE asked ({types}) AS {sql}")
    return "\n".join(r[0] for r in await connection.fetch(f"EXPLAIN EXECUTE asked ({arguments})"))


async def test_a_neighbourhood_is_walked_by_keys(filled: Connection) -> None:
    plan = await _plan(filled, "identity_g1", "uuid[], uuid[]", REACHED, f"ARRAY[{ONE}], '{{}}'")
    assert "Seq Scan on record" not in plan, plan
    assert "Seq Scan on link" not in plan, plan
    assert "Seq Scan on held" not in plan, plan
    # A plan of "a or b" that was made while nothing waited reads the whole review queue for every record.
    assert "Index Cond: (a = r.record_id)" in plan, plan
    assert "Index Cond: (b = r.record_id)" in plan, plan


async def test_a_page_of_a_timeline_is_read_by_its_customers_records(filled: Connection) -> None:
    types = "uuid, int, text, text, text, timestamptz, timestamptz, timestamptz, uuid"
    plan = await _plan(filled, "interaction_g1", types, TIMELINE, f"{ONE}, 51" + ", NULL" * 7)
    assert "Seq Scan" not in plan, plan
    assert "history_by_time" in plan, plan


@pytest.mark.parametrize("order", ORDERS)
async def test_a_page_of_customers_is_read_along_the_index_of_its_order(filled: Connection, order: str) -> None:
    types = f"text[], int, {ORDERS[order].types.replace(' ', ', ')}"
    start = {"bool": "false", "text": "''", "uuid": ONE, "int": "9", "numeric": "9"}
    place = ", ".join(start[kind] for kind in ORDERS[order].types.split())
    sql = ORDERS[order].page(of_segment=False)
    plan = await _plan(filled, "profile_g1", types, sql, f"'{{A,B}}', 51, {place}")
    assert "Seq Scan" not in plan, plan
    assert f"listed_by_{order.removeprefix('last_')}" in plan, plan
    await filled.execute("DEALLOCATE asked")
    sql = ORDERS[order].page(of_segment=True)
    plan = await _plan(filled, "profile_g1", f"{types}, text", sql, f"'{{A,B}}', 51, {place}, 's7'")
    assert "Seq Scan" not in plan, plan
    assert "membership_" in plan, plan


async def test_names_and_keys_are_looked_for_in_their_indexes(filled: Connection) -> None:
    types, given = "int[], int[], int[], text[], int", "ARRAY[7], ARRAY[-1993], NULL, ARRAY['A', 'B'], 1000"
    plan = await _plan(filled, "profile_g1", types, BY_NAMES, given)
    assert "Seq Scan" not in plan, plan
    assert "sought_by_name" in plan, plan
    await filled.execute("DEALLOCATE asked")
    plan = await _plan(filled, "profile_g1", "text[], text[], int", BY_KEYS, "'{e7}', '{e8}', 100")
    assert "Seq Scan" not in plan, plan
    assert "search_key_pkey" in plan, plan


async def test_what_was_said_of_addresses_is_read_by_them_from_the_last_proof_on(databases: Databases) -> None:
    url = await databases.fresh()
    connection = await connect(settings_for(url), "identity_g1")
    try:
        await connection.execute("SET plan_cache_mode TO force_generic_plan")
        for sql in (PROVED, REACH):
            plan = await _plan(connection, "identity_g1", "uuid[], text[]", sql, f"ARRAY[{ONE}], '{{email}}'")
            assert "Seq Scan" not in plan, plan
            assert {"reach_word_proof", "reach_word_failure"} <= set(plan.split()), plan
            await connection.execute("DEALLOCATE asked")
    finally:
        await connection.close()
        await databases.drop(url)


async def test_a_lane_that_starts_with_empty_tables_finds_rows_by_key_all_the_same(databases: Databases) -> None:
    # Its plans are made now and kept: were they walks, each batch would read whole tables an hour later.
    url = await databases.fresh()
    connection = await connect(settings_for(url), "value_g1")
    try:
        await connection.execute("VACUUM (ANALYZE)")
        await connection.execute("SET plan_cache_mode TO force_generic_plan")
        plan = await _plan(connection, "value_g1", "uuid[], bool", LEDGERS, f"ARRAY[{ONE}], true")
        assert "Seq Scan" not in plan, plan
    finally:
        await connection.close()
        await databases.drop(url)


async def test_what_a_customer_said_is_read_by_his_records_newest_first(databases: Databases) -> None:
    url = await databases.fresh()
    connection = await connect(settings_for(url), "interaction_g1")
    try:
        await connection.execute("SET plan_cache_mode TO force_generic_plan")
        types, given = "uuid[], smallint[], int[]", f"ARRAY[{ONE}], ARRAY[0::smallint], ARRAY[10]"
        plan = await _plan(connection, "interaction_g1", types, FOLDED, given)
        assert "Seq Scan" not in plan, plan
        assert "Index Scan Backward using fact_pkey" in plan, plan
        assert "Sort" not in plan, plan
    finally:
        await connection.close()
        await databases.drop(url)
