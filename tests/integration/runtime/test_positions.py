"""The compare-and-set of positions between two real connections: one wins, nobody is stuck."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from services.runtime import positions
from services.runtime.positions import Move, Partition, PositionHalt, load, stored
from services.runtime.postgres import Connection
from tests.support.databases import Databases, settings_for

pytestmark = pytest.mark.asyncio

TOPIC = "channel.events"
NUMBERS = range(8)
ROUNDS = 200
ROUNDS_TIMEOUT_S = 60
BLOCKED_LOOK_S = 0.2
IN_THE_ORDER_NAMED = {"enable_hashjoin": "off", "enable_mergejoin": "off", "enable_seqscan": "off"}
"""A plan that walks a small table from end to end would lock in one order whatever the statement says."""


@pytest_asyncio.fixture
async def two(databases: Databases) -> AsyncIterator[tuple[Connection, Connection]]:
    """Two connections as two lanes have them, on positions that all stand at 0."""
    url = await databases.fresh()
    path = {"search_path": "interaction_g1", "lock_timeout": str(settings_for(url).lock_timeout_ms)}
    connections = [await asyncpg.connect(url, server_settings=path | IN_THE_ORDER_NAMED) for _ in range(2)]
    await load(connections[0], {(TOPIC, n): 0 for n in NUMBERS}, {TOPIC: "id"})
    yield connections[0], connections[1]
    for connection in connections:
        await connection.close()
    await databases.drop(url)


def _move(number: int, expected: int, next_offset: int) -> Move:
    return Move(TOPIC, number, expected, next_offset, 0)


async def claim(connection: Connection, moves: list[Move]) -> set[Partition]:
    """The partitions that were moved."""
    return (await positions.claim(connection, "interaction", moves))[1]


async def _stored(connection: Connection) -> dict[Partition, int]:
    return {partition: offset for partition, (offset, _) in (await stored(connection)).items()}


async def _blocked(task: asyncio.Task[set[Partition]]) -> bool:
    done, _ = await asyncio.wait({task}, timeout=BLOCKED_LOOK_S)
    return not done


async def test_of_two_claims_at_once_the_later_one_moves_nothing(two: tuple[Connection, Connection]) -> None:
    first, second = two
    winner, loser = first.transaction(), second.transaction()
    await winner.start()
    await loser.start()
    assert await claim(first, [_move(0, 0, 5)]) == {(TOPIC, 0)}
    waiting = asyncio.create_task(claim(second, [_move(0, 0, 7), _move(1, 0, 3)]))
    assert await _blocked(waiting), "the second claim did not wait for the first one's outcome"
    await winner.commit()
    assert await waiting == {(TOPIC, 1)}
    await loser.rollback()
    offsets = await _stored(first)
    assert (offsets[TOPIC, 0], offsets[TOPIC, 1]) == (5, 0)


async def test_a_claim_wins_when_the_one_before_it_rolls_back(two: tuple[Connection, Connection]) -> None:
    first, second = two
    doomed = first.transaction()
    await doomed.start()
    assert await claim(first, [_move(0, 0, 5)]) == {(TOPIC, 0)}
    waiting = asyncio.create_task(claim(second, [_move(0, 0, 7)]))
    assert await _blocked(waiting), "the second claim did not wait for the first one's outcome"
    await doomed.rollback()
    assert await waiting == {(TOPIC, 0)}
    assert (await _stored(first))[TOPIC, 0] == 7


async def test_a_claim_from_an_older_position_moves_nothing(two: tuple[Connection, Connection]) -> None:
    first, _ = two
    assert await claim(first, [_move(0, 0, 5)]) == {(TOPIC, 0)}
    assert await claim(first, [_move(0, 0, 5)]) == set()
    assert await claim(first, [_move(0, 4, 9)]) == set()
    assert (await _stored(first))[TOPIC, 0] == 5


async def _claim_again_and_again(connection: Connection, numbers: list[int]) -> int:
    """Claim all partitions, named in this order, until every round was won or lost; how many were won."""
    won = 0
    for _ in range(ROUNDS):
        offsets = await _stored(connection)
        moves = [_move(n, offsets[TOPIC, n], offsets[TOPIC, n] + 1) for n in numbers]
        transaction = connection.transaction()
        await transaction.start()
        if len(await claim(connection, moves)) == len(numbers):
            await transaction.commit()
            won += 1
        else:
            await transaction.rollback()
    return won


async def test_claims_that_name_partitions_in_opposite_order_never_deadlock(
    two: tuple[Connection, Connection],
) -> None:
    upwards, downwards = list(NUMBERS), list(reversed(NUMBERS))
    async with asyncio.timeout(ROUNDS_TIMEOUT_S):
        won = await asyncio.gather(_claim_again_and_again(two[0], upwards), _claim_again_and_again(two[1], downwards))
    assert set((await _stored(two[0])).values()) == {sum(won)}
    assert sum(won) >= ROUNDS


async def test_a_topic_with_another_id_is_refused(two: tuple[Connection, Connection]) -> None:
    await claim(two[0], [_move(3, 0, 9)])
    with pytest.raises(PositionHalt, match="topic_replaced") as halt:
        await load(two[0], {(TOPIC, 3): 0}, {TOPIC: "another id"})
    assert "offset 9" in str(halt.value)
