"""A merge storm: chains of customers become one by every kind of evidence, both ways at once, on all partitions."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from uuid import UUID

import asyncpg

from schemas.envelope import Event
from services.identity.domain.decisions import Decisions
from services.intake.domain.permissions import ASSERT
from services.runtime.aggregates import load
from services.runtime.eventstore import DECISIONS
from tests.faults.sizes import Size, sizes
from tests.faults.storm import CRM, Storm
from tests.support.load import FLUSH_TIMEOUT_S, Load, accepted, produce, producer, publish, read
from tests.support.oracle import expected
from tests.support.rig import SERVICES, Rig
from tests.support.running import until

MERGES_PER_S = 200
CAUGHT_UP_MAX_S = 240.0
SHARED_MAX_S = 15.0
MERGED_SHARE_MIN = 0.8
"""Of the links that are sent; others are refused for accounts, limits, and words that contradict them."""


@sizes("D10")
def test_D10_a_merge_storm_ends_with_the_customers_of_the_reference_and_nothing_lost(
    fresh_rig: Rig, size: Size
) -> None:
    rig = fresh_rig
    chance = size.random()
    storm = Storm(chance, size.count)
    rig.hire(*SERVICES, "identity.1", "value.1")
    until(lambda: min(_shares(rig)) > 0, "both workers of identity have partitions", SHARED_MAX_S)
    publish(rig.kafka, rig.ledger, (accepted(event) for event in storm.known()))
    rig.caught_up(timeout_s=CAUGHT_UP_MAX_S)
    before = _customers(rig)
    gusts = [[accepted(e, ASSERT) for e in told] for told in storm.blows()]
    with Load(rig.kafka, rig.ledger, chance.randrange(10**6), size.events_per_s):
        took_s = _blow(rig, gusts)
    caught_s = rig.caught_up(timeout_s=CAUGHT_UP_MAX_S)
    rig.zero(timeout_s=CAUGHT_UP_MAX_S)
    merged = before - _customers(rig)
    events = sum(map(len, gusts))
    size.tell(
        f"{size.count} merges in {events} events sent in {took_s:.1f} s, caught up {caught_s:.1f} s later; "
        f"{before} customers became {before - merged}, by workers with {_shares(rig)} partitions"
    )
    assert merged >= size.count * MERGED_SHARE_MIN
    assert not (wrong := _wrong_streams(rig)), wrong[:3]
    # Thousands of events more would only slow the next test's oracle.
    rig.proven = False


def _blow(rig: Rig, gusts: Sequence[Sequence[Event]]) -> float:
    """Send everything at MERGES_PER_S; seconds it took until all was acknowledged."""
    client = producer(rig.kafka)
    began = time.monotonic()
    for number, told in enumerate(gusts):
        time.sleep(max(0.0, began + number / MERGES_PER_S - time.monotonic()))
        for event in told:
            produce(client, rig.ledger, event)
    assert client.flush(FLUSH_TIMEOUT_S) == 0
    assert not rig.ledger.refused, rig.ledger.refused[:3]
    return time.monotonic() - began


def _shares(rig: Rig) -> list[int]:
    """Partitions of each worker of identity."""
    return [rig.partitions_held(worker) for worker in rig.alive("identity")]


def _customers(rig: Rig) -> int:
    """How many customers the storm's CRM records are of."""
    sql = "SELECT count(DISTINCT customer_id) AS n FROM identity_g1.record WHERE type = $1"
    (row,) = rig.rows(sql, CRM)
    return int(row["n"])


def _wrong_streams(rig: Rig) -> list[str]:
    """Customers whose decisions do not come to the records that the reference gives them."""
    members: dict[str, set[str]] = {}
    for record, binding in expected(read(rig.kafka, "channel.events")).bindings.items():
        members.setdefault(binding.customer_id, set()).add(record)
    streams = asyncio.run(_streams(rig.database_url))
    many = {customer for customer, those in members.items() if len(those) > 1}
    return [
        f"{customer}: {sorted(streams.get(customer, ()))} for {sorted(members.get(customer, ()))}"
        for customer in many | streams.keys()
        if streams.get(customer) != members.get(customer, set())
    ]


async def _streams(database_url: str) -> dict[str, set[str]]:
    """Customer → the members that its decisions come to."""
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "identity_g1"})
    try:
        rows = await connection.fetch("SELECT DISTINCT originator_id FROM decision")
        streams = await load(connection, DECISIONS, Decisions, [UUID(str(r["originator_id"])) for r in rows])
    finally:
        await connection.close()
    return {str(customer): one.members for customer, one in streams.items()}
