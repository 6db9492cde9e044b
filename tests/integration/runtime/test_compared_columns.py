"""Whatever value of whatever row is changed, `verify` sees it and names the row: asked of the database's catalogue.

A column or a table that is added later is walked too; one that `verify` would overlook fails here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import chain

import pytest
import pytest_asyncio

from services.runtime.postgres import OwnConnection, connect
from services.runtime.uncompared import Left, Uncompared, uncompared
from tests.support.catalogue import catalogue, kinds, walk
from tests.support.databases import SCHEMAS
from tests.support.house import House

pytestmark = pytest.mark.asyncio
REBUILT = ("identity", "interaction", "value", "profile", "treatment")

Two = tuple[OwnConnection, OwnConnection]


@pytest_asyncio.fixture
async def two(house: House) -> AsyncIterator[Two]:
    """Who changes a row, and who has not seen it yet."""
    both = [await connect(house.settings, "public") for _ in range(2)]
    yield both[0], both[1]
    for one in both:
        await one.close()


@pytest.mark.parametrize("service", REBUILT)
async def test_a_change_of_any_column_is_seen_and_named_unless_a_reason_is_told(two: Two, service: str) -> None:
    left = uncompared(service)
    assert await walk(*two, f"{service}_g1", left, left) == []


async def test_a_column_that_is_added_later_is_compared_and_the_walk_finds_one_that_is_not(two: Two) -> None:
    changing, watching = two
    await changing.execute("ALTER TABLE value_g1.day ADD COLUMN fresh text NOT NULL DEFAULT ''")
    left = uncompared("value")
    overlooked = replace(left.of("day"), columns={"fresh": "nobody looked"})
    found = await walk(changing, watching, "value_g1", left, Uncompared({**left.tables, "day": overlooked}))
    assert [one.partition(" ")[0] for one in found] == ["day.fresh"]


async def test_a_table_that_is_overlooked_is_found(two: Two) -> None:
    left = uncompared("value")
    blind = Uncompared({**left.tables, "contact": Left(table="nobody looked")})
    found = await walk(*two, "value_g1", left, blind)
    columns = (await catalogue(two[1], "value_g1"))["contact"]
    assert {one.partition(" ")[0].rstrip(":") for one in found} >= {f"contact.{column.name}" for column in columns}


@pytest.mark.parametrize("service", REBUILT)
async def test_a_generation_is_made_of_plain_tables_only_which_are_what_is_compared(two: Two, service: str) -> None:
    assert await kinds(two[0], f"{service}_g1") == {"r"}


async def test_what_is_left_out_is_there(two: Two) -> None:
    there: dict[str, set[str]] = {}
    for service in SCHEMAS:
        for table, columns in (await catalogue(two[0], f"{service}_g1")).items():
            there.setdefault(table, set()).update(column.name for column in columns)
    named = list(chain.from_iterable(uncompared(service).tables.items() for service in REBUILT))
    assert {table for table, _ in named} <= there.keys()
    assert all(set(left.columns) <= there[table] for table, left in named)
