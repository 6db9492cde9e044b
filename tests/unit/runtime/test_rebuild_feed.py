"""A rebuild reads ahead: every record comes once and in order, and what was read ahead is read again after a seek.

The consumer is a log in memory that is read as aiokafka's is; records are numbers, decoded to their squares.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka import TopicPartition

from schemas.codec import Unreadable
from services.runtime.rebuild_feed import WholeFeed
from tests.support.databases import settings_for

TOPIC = "channel.events"
ALL = TopicPartition(TOPIC, 0)
BROKEN = 13
RECORDS = 40


@dataclass(frozen=True)
class Numbered:
    """One record: its offset is all there is to it."""

    offset: int
    topic: str = TOPIC
    partition: int = 0


@dataclass
class LogConsumer:
    """Gives records from where it stands; `ends_at` grows as the log does."""

    ends_at: int = RECORDS
    at: int = 0
    sought: list[int] = field(default_factory=list)

    async def getmany(self, *, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Numbered]]:
        await asyncio.sleep(0)
        found = [Numbered(offset) for offset in range(self.at, min(self.at + max_records, self.ends_at))]
        self.at += len(found)
        return {ALL: found}

    async def beginning_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 0)

    async def position(self, _partition: TopicPartition) -> int:
        return self.at

    async def stop(self) -> None: ...

    def assignment(self) -> set[TopicPartition]:
        return {ALL}

    def seek(self, _partition: TopicPartition, offset: int) -> None:
        self.at = offset
        self.sought.append(offset)


def _squared(record: Any) -> int:
    if record.offset == BROKEN:
        raise Unreadable("no_value")
    return int(record.offset) ** 2


async def _feed(at_once: int) -> tuple[WholeFeed, LogConsumer]:
    feed = WholeFeed(settings_for("postgresql://nowhere"), "value", "rebuild", 2, {TOPIC: _squared})
    consumer = LogConsumer()
    feed._consumer = consumer
    feed.at_once = at_once
    await feed.position({(TOPIC, 0): 0})
    return feed, consumer


async def _applied(feed: WholeFeed) -> list[int]:
    """One batch, applied while the next one is read; its offsets."""
    records = await feed.fetch(0)
    for record in records:
        if record.offset == BROKEN:
            with pytest.raises(Unreadable):
                feed.message(record)
        else:
            assert feed.message(record) == record.offset**2
    await asyncio.sleep(0.001)
    if records:
        feed.ready[TOPIC, 0] = records[-1].offset + 1
    return [r.offset for r in records]


@pytest.mark.parametrize("at_once", [1, 7, 100])
def test_every_record_comes_once_and_in_order_then_nothing(at_once: int) -> None:
    async def act() -> None:
        feed, _ = await _feed(at_once)
        found: list[int] = []
        while batch := await _applied(feed):
            found += batch
        assert found == list(range(RECORDS))
        await feed.stop()

    asyncio.run(act())


def test_what_was_read_ahead_is_read_again_after_anything_was_positioned_anew() -> None:
    async def act() -> None:
        feed, consumer = await _feed(5)
        assert await _applied(feed) == [0, 1, 2, 3, 4]
        assert consumer.at == 10, "five more were read ahead"
        # The batch was rolled back: the lane reads its position in the database again.
        feed.ready.clear()
        await feed.position({(TOPIC, 0): 3})
        assert await _applied(feed) == [3, 4, 5, 6, 7]
        # Another partition was positioned: this one goes on where it is.
        await feed.position({})
        assert consumer.sought[-1] == 8
        assert await _applied(feed) == [8, 9, 10, 11, 12]
        await feed.stop()

    asyncio.run(act())


def test_what_lies_ahead_is_not_passed() -> None:
    async def act() -> None:
        feed, consumer = await _feed(5)
        await _applied(feed)
        assert await feed.passed() == {}, "it was read, and not applied"
        while await _applied(feed):
            pass
        consumer.at = RECORDS + 3  # compacted away
        assert await feed.passed() == {(TOPIC, 0): RECORDS + 3}
        await feed.stop()

    asyncio.run(act())
