"""States on their way out: one telling at a time, and whoever finds the outbox idle may tell the next at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from schemas.codec import State, Version
from services.runtime.batch import Told
from services.runtime.markers import Telling
from services.runtime.outbox import Outbox
from tests.support.databases import settings_for
from tests.support.memory_broker import MemoryBroker, MemoryProducer

pytestmark = pytest.mark.asyncio
TOPIC = "profile.changes"


def telling(number: int) -> tuple[list[Told], Telling]:
    """One state, and the telling it is of."""
    return [Told(TOPIC, State(f"{number:032x}", Version(1, number), {"n": number}))], Telling([number])


def an_outbox() -> tuple[Outbox, MemoryBroker, MemoryProducer]:
    broker = MemoryBroker()
    producer = MemoryProducer(broker)
    outbox = Outbox(settings_for("postgresql://nowhere"), "profile", {})
    kafka: Any = producer
    outbox._kafka = kafka
    return outbox, broker, producer


async def ended(outbox: Outbox) -> None:
    """What is under way ends, and nobody settles."""
    assert outbox._under_way is not None
    await asyncio.wait({outbox._under_way})


async def test_work_that_no_record_asked_for_tells_again_after_the_ack_without_settling() -> None:
    outbox, broker, producer = an_outbox()
    producer.hold()
    outbox.publish(*telling(1))
    await asyncio.sleep(0)
    assert not outbox.idle
    with pytest.raises(RuntimeError, match="settle"):
        outbox.publish(*telling(2))
    producer.release()
    await ended(outbox)
    outbox.publish(*telling(2))
    await outbox.settle()
    assert outbox.acked.numbers == [1, 2]
    assert len(broker.records(TOPIC)) == 2


async def test_what_went_wrong_with_the_one_before_is_raised_and_not_forgotten() -> None:
    outbox, _, _ = an_outbox()
    states, first = telling(1)
    broken: Any = object()
    outbox.publish([Told(TOPIC, broken)], first)
    await ended(outbox)
    with pytest.raises(AttributeError):
        outbox.publish(states, first)
    assert outbox.acked.numbers == []
    await outbox.drop()


async def test_what_is_not_acked_yet_counts_as_not_told() -> None:
    outbox, _, producer = an_outbox()
    producer.hold()
    outbox.publish(*telling(1))
    await asyncio.sleep(0)
    assert outbox.acked.numbers == [], "its markers would be deleted, and it would die with the process"
    producer.release()
    await outbox.settle()
    assert outbox.acked.numbers == [1]
