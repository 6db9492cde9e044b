"""A customer with very many orders: he costs what another does, and is answered the same without folding each."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import orjson
import pytest

from schemas.envelope import microseconds
from services.runtime.postgres import OwnConnection, connect
from services.value.domain.ledger import Looking
from services.value.domain.policy import read_policy
from services.value.domain.reading import business_day
from services.value.handlers import shipped_document
from services.value.store import LEDGERS
from services.value.views import value
from services.value.views.heavy import NEWEST, TooMany
from services.value.views.wanting import MINE
from tests.properties.test_laws import SERVICES
from tests.support.databases import Databases, settings_for
from tests.support.house import NOON, House, an_event
from tests.unit.value.stating import PRAGUE

POLICY = read_policy(shipped_document())
ONE = str(uuid.UUID(int=1))
ORDERS, PAGES_MAX = 120_000, 600
BUYERS = "SELECT group_id FROM member JOIN day ON record_id = member_id"
LATER_US = microseconds(NOON + timedelta(days=90))


def orders(count: int) -> list[Any]:
    """Of one customer by two records, one of them sent back, with a cost and a call."""
    found = [
        an_event(f"e{n}", {"email": ["ann@x.com"]} if n % 2 else {"user_id": ["1"]}, type="order.completed",
                 time=NOON + timedelta(days=7 * n), business_namespace="shop",
                 properties={"order_id": f"o{n}", "currency": "USD", "total": "12.50", "products": [
                     {"product_id": f"p{n % 3}", "price": "12.50", "category": "Tea"}]})
        for n in range(count)
    ]  # fmt: skip
    said = {"user_id": ["1"], "email": ["ann@x.com"]}
    back = an_event("r", {"user_id": ["1"]}, type="order.refunded", time=NOON + timedelta(days=9),
                    business_namespace="shop", properties={"order_id": "o1"})  # fmt: skip
    return [*found, back, an_event("i", said, type="contact.identified", time=NOON)]


@pytest.mark.asyncio
async def test_he_is_answered_the_same_from_his_rows_as_by_folding_every_order(house: House) -> None:
    for service in SERVICES:
        await house.hire(service)
    house.publish(*orders(7))
    await house.settle()
    connection = await connect(settings_for(house.database_url), "value_g1, value")
    try:
        (customer,) = {str(r["group_id"]) for r in await connection.fetch(BUYERS)}
        looking = Looking(business_day(LATER_US, PRAGUE), PRAGUE, is_answer=True)
        asked = (connection, customer, POLICY, looking)
        folded = await value(*asked, None, LATER_US)
        assert folded is not None
        assert (folded["orders_total"], folded["value"]["actual"]["revenue"]) == (7, "75.00")
        assert await value(*asked, None, LATER_US, folded_max=3) == folded
        assert await value(*asked, LATER_US, LATER_US, folded_max=7) == folded, "seven are folded still"
        with pytest.raises(TooMany, match="more than 6 orders"):
            await value(*asked, LATER_US, LATER_US, folded_max=6)
    finally:
        await connection.close()


async def _pages(connection: OwnConnection, sql: str, *arguments: Any) -> int:
    """How many pages of tables and indexes PostgreSQL looks at for this."""
    (row,) = await connection.fetch(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", *arguments)
    plan = orjson.loads(row[0])[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


@pytest.mark.asyncio
async def test_of_a_hundred_thousand_orders_an_event_and_a_question_touch_a_few_pages(databases: Databases) -> None:
    url = await databases.fresh()
    connection = await connect(settings_for(url), "value_g1")
    try:
        await connection.execute("INSERT INTO member (member_id, group_id) VALUES ($1, $1)", ONE)
        await connection.execute("INSERT INTO grp (group_id) VALUES ($1)", ONE)
        await connection.execute(
            """
            INSERT INTO orders (order_id, owner, ordered_us, status, items)
            SELECT md5(n::text)::uuid, $1::uuid, n::bigint * 1000000, 'open', '["tea"]'
            FROM generate_series(1, $2::int) AS n
            """,
            ONE,
            ORDERS,
        )
        await connection.execute("VACUUM ANALYZE orders")
        assert await _pages(connection, LEDGERS, [ONE], False) < PAGES_MAX
        assert await _pages(connection, NEWEST, [ONE], 100) < PAGES_MAX
        assert await _pages(connection, MINE, ONE, ORDERS * 500_000, 100) < PAGES_MAX
        (found,) = await connection.fetch(LEDGERS, [ONE], False)
        assert (found["first_us"], found["last_us"]) == (1_000_000, ORDERS * 1_000_000)
    finally:
        await connection.close()
        await databases.drop(url)
