"""Moments the protocol is about, each by name: the last before COMMIT, an older word that comes late, an order again.

PostgreSQL is real; the broker is in memory so that a test decides what comes between two steps.
"""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any, cast

import asyncpg
import pytest

from schemas.codec import decode_state
from schemas.envelope import Event
from schemas.identifiers import Identifier, record_id
from services.interaction.domain.families import FOLDED_MAX, Family
from services.runtime.batch import Batch, Work
from services.runtime.faultpoints import FaultPoints
from tests.support.databases import KEY
from tests.support.house import NOON, PLANS, House, an_event

pytestmark = pytest.mark.asyncio
CRM, COOKIE, USER = ("crm_id.acme", "7"), ("anonymous_id", "cookie-3"), ("user_id", "9")


class CutAtTheLastMoment(FaultPoints):
    """Loses the database just before COMMIT, until `is_cut` is false."""

    is_cut = True

    def reach(self, point: str) -> None:
        if point == "before_commit" and self.is_cut:
            raise ConnectionError("cut")


def _said(n: int, *identifiers: tuple[str, str], type: str = "page.viewed", **data: Any) -> Event:
    named = {kind: [value] for kind, value in identifiers}
    return an_event(f"e{n}", named, type=type, time=NOON + timedelta(minutes=n), **data)


def _id(identifier: tuple[str, str]) -> str:
    return record_id(bytes.fromhex(KEY), Identifier(*identifier))


async def _numbers(house: House, question: str) -> list[int]:
    connection = await asyncpg.connect(house.database_url)
    try:
        return [r[0] for r in await connection.fetch(question)]
    finally:
        await connection.close()


async def _full(house: House) -> None:
    for service in PLANS:
        await house.hire(service)


async def _zero(house: House) -> None:
    await house.settle()
    findings = await house.findings()
    assert findings.zero, findings


async def test_what_is_rolled_back_at_the_last_moment_was_never_told(house: House) -> None:
    await _full(house)
    await house.settle()
    worker = house.workers["interaction"]
    cut = worker.lane.faults = CutAtTheLastMoment()
    house.publish(_said(1, CRM))
    for _ in range(2):
        await worker.turn()
    assert house.broker.records("interaction.customers") == []
    cut.is_cut = False
    await _zero(house)


async def test_an_older_binding_that_comes_late_moves_nobody(house: House) -> None:
    await _full(house)
    house.publish(_said(1, CRM), _said(2, COOKIE))
    await house.settle()
    house.publish(_said(3, CRM, COOKIE))
    await _zero(house)
    told = house.broker.records("identity.bindings")
    joined = told[-1]
    # It was bound to itself before.
    (older,) = [r for r in told if r.key == joined.key and r is not joined]
    house.broker.append("identity.bindings", (older.key or b"", older.value, older.headers))
    await house.settle()
    for service in ("interaction", "value", "profile"):
        assert await house.workers[service].feed.lag() == 0
    house.publish(_said(4, COOKIE), _said(5, CRM))
    await house.settle()
    findings = await house.findings()
    # The topic's last word is ours, the older one; what counts is what readers made of it.
    assert findings.diverge == 0, findings


async def test_what_is_taken_back_before_it_comes_does_not_count(house: House) -> None:
    await _full(house)
    order = {"order_id": "o1", "currency": "USD", "subtotal": 40, "total": 40}
    house.publish(_said(1, USER, type="event.retracted", properties={"source": "web", "id": "e2"}))
    await house.settle()
    house.publish(_said(2, CRM, COOKIE, type="order.completed", properties=order))
    await _zero(house)
    assert await _numbers(house, "SELECT count(*) FROM value_g1.day") == [0]
    assert await _numbers(house, "SELECT count(*) FROM interaction_g1.history WHERE NOT withdrawn") == [1]


async def test_a_link_is_not_lost_with_the_first_record_that_said_it_when_that_is_parked(house: House) -> None:
    await _full(house)
    identity = house.workers["identity"]
    whole = identity.lane.plan.apply

    async def failing(batch: Batch, work: Work) -> None:
        await whole(batch, work)
        if any(incoming.message.id == "e1" for incoming in batch.records):
            raise ValueError("this record is too much")

    identity.lane.plan = dataclasses.replace(identity.lane.plan, apply=failing)
    house.publish(_said(1, CRM, COOKIE), _said(2, CRM, COOKIE))
    await house.settle()
    assert await _numbers(house, "SELECT count(*) FROM identity_g1.parked") == [1]
    assert await _numbers(house, "SELECT count(*) FROM identity_g1.link") == [1]
    told = decode_state(house.broker.last_by_key("identity.bindings")[_id(COOKIE).encode()].value)
    assert told.body is not None
    assert told.body["customer_id"] == _id(CRM)


async def test_an_order_that_is_folded_again_is_booked_by_what_changes(house: House) -> None:
    await _full(house)
    about = {"order_id": "o1", "currency": "USD", "subtotal": 40, "total": 40}
    house.publish(_said(1, CRM, type="order.completed", properties=about))
    await _zero(house)
    refund = {"order_id": "o1", "currency": "USD", "total": 10}
    house.publish(_said(2, CRM, type="order.refunded", properties=refund))
    await _zero(house)
    house.publish(_said(3, CRM, type="order.refunded", properties=refund))
    await _zero(house)


async def test_more_than_is_folded_takes_the_place_of_the_oldest_whatever_it_says(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A product of which the taxonomy knows no need says nothing, and yet the oldest of three is folded no more."""
    monkeypatch.setitem(cast("dict[Family, int]", FOLDED_MAX), Family.NEEDS, 3)
    await _full(house)
    for n, category in enumerate(("bakery", "dairy", "meat", "nothing anybody needs")):
        about = {"product_id": f"p{n}", "category": category}
        house.publish(_said(n, CRM, type="product.viewed", properties=about))
        await _zero(house)
