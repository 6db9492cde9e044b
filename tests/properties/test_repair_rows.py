"""R6, R8 and what else a repair promises: others untouched, told once, parked no more, refused in time, may die.

PostgreSQL is real; the broker is in memory.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from schemas.codec import decode_state
from services.runtime.beside import Refused
from services.runtime.postgres import connect
from services.runtime.repair.selecting import Asked
from services.runtime.replays import steps
from tests.support import rebuilds
from tests.support.databases import Databases
from tests.support.house import House, an_event
from tests.support.memory_log import Died, MemoryLog
from tests.support.repairs import Rows, do, in_a_house, order, repaired, rows, seen_with, whose


async def _told_net(house: House, customer: str) -> Any:
    state = decode_state(house.broker.last_by_key("value.customers")[customer.encode()].value)
    return state.version, state.cause, state.body


def _others(rows: Rows, mine: set[str]) -> Rows:
    """Rows in which none of these ids stands."""
    return {table: [r for r in those if not any(i in r for i in mine)] for table, those in rows.items()}


def test_R6_one_customer_merged_from_three_is_repaired_told_and_nobody_elses_row_is_written(
    databases: Databases,
) -> None:
    async def act(house: House) -> None:
        events = [order(1, "a"), order(2, "b"), order(3, "c"), order(4, "other"), seen_with(5, "a", "b", "c")]
        house.publish(*events)
        await house.settle()
        customer = await whose(house, events[0])
        assert await whose(house, events[2]) == customer
        right = await rows(house, "value")
        was, _, told = await _told_net(house, customer)
        records = {e.record_id for e in events if e is not events[3]} | {customer}
        await do(house, "DELETE FROM entry WHERE record_id = $1::uuid", events[0].record_id)
        await do(house, "UPDATE day SET net = net * 2 WHERE record_id = $1::uuid", events[1].record_id)
        await do(house, "DELETE FROM grp WHERE group_id = $1::uuid", customer)
        before = _others(await rows(house, "value", xmin=True), records)
        # Asked for by the id of a record that was merged.
        done = await repaired(house, "value", Asked(events[2].record_id))
        assert done.customers == [customer]
        assert done.by_table.keys() == {"day", "entry", "grp"}
        assert await rows(house, "value") == right
        assert _others(await rows(house, "value", xmin=True), records) == before
        await house.settle()
        version, cause, body = await _told_net(house, customer)
        assert version.newer_than(was), "the row began to count anew and readers ignore it"
        assert (cause, body) == ("replay", told)
        connection = await connect(house.settings, "value")
        try:
            (step,) = await steps(connection, "value")
        finally:
            await connection.close()
        assert (step["what"], step["by"], step["customers"]) == ("repaired", "operator", 1)

    asyncio.run(in_a_house(databases, act))


def test_an_order_of_two_customers_is_repaired_with_both(databases: Databases) -> None:
    async def act(house: House) -> None:
        events = [order(1, "a"), order(1, "b", total=12), order(2, "c")]
        events[1] = an_event("e9", {"crm_id.acme": ["b"]}, type="order.refunded", properties={
            "order_id": "o1", "currency": "USD", "total": 4})  # fmt: skip
        house.publish(*events)
        await house.settle()
        right = await rows(house, "value")
        await do(house, "UPDATE day SET refunds = 0")
        one, two = [await whose(house, e) for e in events[:2]]
        assert one != two
        done = await repaired(house, "value", Asked(two))
        assert done.customers == sorted([one, two])
        assert await rows(house, "value") == right

    asyncio.run(in_a_house(databases, act))


def test_R8_three_rows_corrupted_by_hand_are_named_by_verify_repaired_by_their_time_and_clean_then(
    databases: Databases,
) -> None:
    async def act(house: House) -> None:
        house.publish(*(order(n, f"c{n}") for n in range(8)))
        await house.settle()
        wrong = [order(n, f"c{n}").record_id for n in (1, 3, 6)]
        await do(house, "UPDATE day SET net = net + 1 WHERE record_id = any($1::uuid[])", wrong)
        builder = await rebuilds.start(house, "value")
        await rebuilds.catch_up(builder)
        _, found = await rebuilds.compared(house, "value", builder)
        assert {row["key"].split()[1] for row in found["differing"]} == set(wrong)
        began = house.broker.records("channel.events")
        span = min(r.timestamp for r in began), max(r.timestamp for r in began) + 1
        done = await repaired(house, "value", Asked(None, *span))
        assert done.customers == sorted(wrong)
        _, found = await rebuilds.compared(house, "value", builder)
        assert not found["differing"]
        await builder.close()

    asyncio.run(in_a_house(databases, act))


def test_what_was_parked_is_applied_by_a_repair_and_is_parked_no_more(databases: Databases) -> None:
    async def act(house: House) -> None:
        house.publish(order(1, "a"), order(2, "a"))
        await house.settle()
        right, customer = await rows(house, "value"), await whose(house, order(1, "a"))
        raw = house.broker.records("channel.events")[0]
        await do(
            house,
            "INSERT INTO parked (topic, partition, first_offset, reason, key) VALUES ($1, $2, $3, 'not_json', $4)",
            raw.topic, raw.partition, raw.offset, raw.key,
        )  # fmt: skip
        for table in ("entry", "orders", "day"):
            await do(house, f"DELETE FROM {table}")
        await repaired(house, "value", Asked(customer))
        assert await rows(house, "value") == right
        assert await do(house, "SELECT count(*) FROM parked") == 0

    asyncio.run(in_a_house(databases, act))


def test_bad_questions_and_a_second_operator_are_refused_with_what_is_in_the_way(databases: Databases) -> None:
    async def act(house: House) -> None:
        with pytest.raises(Refused, match="the log is empty"):
            await repaired(house, "value", Asked(None, 1, 2))
        house.publish(order(1, "a"))
        await house.settle()
        start = house.broker.records("channel.events")[0].timestamp
        for asked, why in (
            (Asked(None, start - 1, start + 1), "the log begins at 2023-"),
            (Asked(None, start + 1, start + 2), "nothing was appended"),
            (Asked("00000000-0000-4000-8000-000000000001"), "nobody is known"),
        ):
            with pytest.raises(Refused, match=why):
                await repaired(house, "value", asked)
        customer = await whose(house, order(1, "a"))
        with pytest.raises(Refused, match="replay start identity"):
            await repaired(house, "identity", Asked(customer))
        both = await asyncio.gather(
            *(repaired(house, "value", Asked(customer)) for _ in range(2)), return_exceptions=True
        )
        assert sorted(isinstance(one, Refused) for one in both) == [False, True]
        # Whoever comes after one that was killed begins anew on what it left behind.
        assert not (await repaired(house, "value", Asked(customer))).customers

    asyncio.run(in_a_house(databases, act))


@pytest.mark.faults
def test_whoever_dies_in_a_repair_leaves_each_customer_as_he_was_or_right_and_the_next_one_ends_it(
    databases: Databases,
) -> None:
    customers = 4

    async def act(house: House) -> None:
        house.publish(*(order(n, f"c{n}") for n in range(customers)))
        await house.settle()
        right = await rows(house, "value")
        began = house.broker.records("channel.events")
        asked = Asked(None, min(r.timestamp for r in began), max(r.timestamp for r in began) + 1)
        halves, reads = set(), 0
        while True:
            await do(house, "UPDATE day SET net = 1")
            wrong = await rows(house, "value")
            log = MemoryLog(house.broker, reads)
            try:
                await repaired(house, "value", asked, log=log, at_once=1)
                break
            except Died:
                now = await rows(house, "value")
                assert all(row in right["day"] or row in wrong["day"] for row in now["day"])
                halves.add(sum(row in right["day"] for row in now["day"]) * customers // len(right["day"]))
            # Meanwhile events go on to come.
            await house.settle()
            await repaired(house, "value", asked, at_once=1)
            assert await rows(house, "value") == right
            reads += 1
        assert halves == set(range(customers)), "it did not die between any two"
        assert await rows(house, "value") == right
        await house.settle()
        assert (await house.findings()).zero

    asyncio.run(in_a_house(databases, act))
