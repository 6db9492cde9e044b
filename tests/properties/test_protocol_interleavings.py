"""The interleavings of the protocol, each by name: two workers, one customer, and what may happen between.

PostgreSQL is real; the broker is in memory so that a test decides what comes between two steps.
"""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from schemas.codec import decode_state
from schemas.envelope import Event
from schemas.identifiers import Identifier, record_id
from services.profile import views
from services.runtime.batch import Batch, Work
from tests.support.databases import KEY
from tests.support.house import NOON, House, Worker, an_event

pytestmark = pytest.mark.asyncio

COOKIE, CRM, USER = ("anonymous_id", "cookie-3"), ("crm_id.acme", "7"), ("user_id", "42")


def _seen(n: int, *identifiers: tuple[str, str], type: str = "page.viewed", **data: Any) -> Event:
    named: dict[str, list[str]] = {}
    for kind, value in identifiers:
        named.setdefault(kind, []).append(value)
    return an_event(f"e{n}", named, type=type, time=NOON + timedelta(minutes=n), **data)


def _said(n: int, verdict: str, a: tuple[str, str], b: tuple[str, str]) -> Event:
    records = [{"type": t, "value": v} for t, v in (a, b)]
    properties = {"records": records, "reason": "looked at both"}
    return _seen(n, a, type=f"identity.{verdict}_asserted", properties=properties)


def _id(identifier: tuple[str, str]) -> str:
    return record_id(bytes.fromhex(KEY), Identifier(*identifier))


async def _hire_all(house: House) -> None:
    for name in ("identity", "interaction", "value", "profile"):
        await house.hire(name)


async def _zero(house: House) -> None:
    await house.settle()
    findings = await house.findings()
    assert findings.zero, findings


class Gate:
    """Holds a worker inside its transaction, after its handler, until it is opened."""

    def __init__(self, worker: Worker) -> None:
        self.inside, self.opened = asyncio.Event(), asyncio.Event()
        apply = worker.lane.plan.apply

        async def gated(batch: Batch, work: Work) -> None:
            await apply(batch, work)
            self.inside.set()
            await self.opened.wait()

        worker.lane.plan = dataclasses.replace(worker.lane.plan, apply=gated)


async def test_events_become_profiles(house: House) -> None:
    await _hire_all(house)
    join = _seen(9, CRM, COOKIE, type="contact.identified")
    house.publish(_seen(1, COOKIE), _seen(2, CRM), join, join)
    await _zero(house)


async def test_two_workers_change_one_customer_at_once(house: House) -> None:
    await _hire_all(house)
    house.publish(_seen(0, CRM, COOKIE, USER))
    await house.settle()
    house.give("interaction", {0, 1, 2, 3})
    other = await house.hire("interaction.1", {4, 5, 6, 7})
    for n in range(1, 40):
        house.publish(_seen(n, (COOKIE, CRM, USER)[n % 3]))
    await asyncio.gather(house.workers["interaction"].turn(), other.turn())
    await _zero(house)


async def test_a_regrouping_between_read_and_combine_is_not_missed(house: House) -> None:
    """W1 holds the customer while an event of its record is combined; the binding must wait, then count."""
    await _hire_all(house)
    house.publish(_seen(1, CRM), _seen(2, COOKIE))
    await house.settle()
    events, bindings = house.workers["interaction"], await house.hire("interaction.1", set())
    events.feed.assign({(t, p) for t, p in events.feed.assigned if t == "channel.events"})
    bindings.feed.assign({("identity.bindings", p) for p in range(8)})
    house.publish(_seen(3, CRM), _seen(4, CRM, COOKIE))
    gate = Gate(events)
    first = asyncio.create_task(events.turn())
    await gate.inside.wait()
    await house.workers["identity"].turn()
    await house.workers["identity"].lane.outbox.settle()
    second = asyncio.create_task(bindings.turn())
    done, _ = await asyncio.wait({second}, timeout=0.3)
    assert not done, "the binding was applied although an event of its customer was being combined"
    gate.opened.set()
    await asyncio.gather(first, second)
    await _zero(house)


async def test_what_is_sent_late_is_told_anew(house: House) -> None:
    """W1 is stopped between COMMIT and the send; W2 publishes a newer version; W1 goes on."""
    await _hire_all(house)
    house.publish(_seen(0, CRM, COOKIE))
    await house.settle()
    crm, cookie = (
        house.broker.append("channel.raw", (_id(i).encode(), b"", [])).partition for i in (CRM, COOKIE)
    )
    assert crm != cookie, "the two records must be in different partitions for this test"
    house.give("interaction", {crm})
    late, quick = house.workers["interaction"], await house.hire("interaction.1", {cookie})
    late.producer.hold()
    house.publish(_seen(1, CRM))
    await late.turn()
    await asyncio.sleep(0)
    house.publish(_seen(2, COOKIE))
    await quick.turn()
    await quick.lane.outbox.settle()
    late.producer.release()
    await late.lane.outbox.settle()
    customer = _id(CRM).encode()
    stale = decode_state(house.broker.last_by_key("interaction.customers")[customer].value)
    assert stale.body is not None
    assert stale.body["count"] == 2, "the older word came last, as this test wants it"
    await _zero(house)
    current = decode_state(house.broker.last_by_key("interaction.customers")[customer].value)
    assert current.body is not None
    assert current.body["count"] == 3


async def test_a_link_is_not_lost_when_the_cache_was_filled_before_a_rollback(house: House) -> None:
    await _hire_all(house)
    identity = house.workers["identity"]
    apply, failures = identity.lane.plan.apply, [ConnectionError("cut")]

    async def cut_once(batch: Batch, work: Work) -> None:
        await apply(batch, work)
        if failures:
            raise failures.pop()

    identity.lane.plan = dataclasses.replace(identity.lane.plan, apply=cut_once)
    join = _seen(1, CRM, COOKIE)
    house.publish(join)
    await identity.turn()
    assert not failures
    house.publish(_seen(2, CRM, COOKIE))
    await _zero(house)


async def test_a_record_that_is_split_off_is_bound_to_itself_again(house: House) -> None:
    await _hire_all(house)
    house.publish(_seen(1, CRM), _seen(2, USER))
    await _zero(house)
    house.publish(_said(3, "same", CRM, USER))
    await _zero(house)
    house.publish(_said(4, "different", CRM, USER))
    await _zero(house)
    told = decode_state(house.broker.last_by_key("identity.bindings")[_id(CRM).encode()].value)
    assert told.body is not None
    assert told.body["customer_id"] == _id(CRM)
    assert told.version.n == 3, "itself, the other, itself again: each an explicit message"


async def test_any_old_id_resolves_in_one_step(house: House) -> None:
    await _hire_all(house)
    house.publish(_seen(1, COOKIE))
    await house.settle()
    house.publish(_seen(2, CRM, COOKIE))
    await house.settle()
    house.publish(_seen(3, USER, CRM))
    await _zero(house)
    connection = await asyncpg.connect(
        house.database_url, server_settings={"search_path": "profile_g1,profile"}
    )
    try:
        found = [await views.customer(connection, _id(one)) for one in (COOKIE, CRM, USER)]
    finally:
        await connection.close()
    assert [one and one.customer_id for one in found] == [_id(USER)] * 3


async def test_a_worker_that_lost_its_partitions_is_fenced(house: House) -> None:
    """W1 has fetched when W2 takes over and applies the same records; W1's transaction changes nothing."""
    await _hire_all(house)
    paused = house.workers["interaction"]
    await house.settle()
    house.publish(*(_seen(n, CRM) for n in range(5)))
    records = await paused.feed.fetch(0)
    assert len(records) == 5
    taking_over = await house.hire("interaction.1")
    await taking_over.turn()
    await paused.lane._apply(records)
    assert not {p for p in paused.feed.ready if p[0] == "channel.events" and paused.feed.ready[p] == 5}
    await house.fire("interaction")
    await _zero(house)


async def test_markers_left_by_a_worker_that_died_after_commit_are_told(house: House) -> None:
    await _hire_all(house)
    dying = house.workers["interaction"]
    await house.settle()
    dying.producer.hold()
    house.publish(_seen(1, CRM))
    await dying.turn()
    dying._cut()
    await house.hire("interaction")
    await _zero(house)


async def test_what_is_said_of_a_record_reaches_the_customer_it_joined(house: House) -> None:
    """Traits alone, without new links, of a record that is not its customer's founder."""
    await _hire_all(house)
    house.publish(_seen(1, CRM, COOKIE))
    await house.settle()
    house.publish(_seen(2, COOKIE, traits={"firstName": "Ann"}, type="contact.identified"))
    await _zero(house)


async def test_a_connection_that_broke_inside_the_driver_is_given_up_and_nothing_is_parked(house: House) -> None:
    # As when a server dies between two messages of one answer: the driver is in a state that it cannot leave.
    await _hire_all(house)
    lane = house.workers["interaction"].lane
    whole = lane.plan.apply
    broken: list[Any] = []

    async def breaking(batch: Batch, work: Work) -> None:
        await whole(batch, work)
        if not broken:
            broken.append(lane._connection)
            raise asyncpg.InternalClientError("cannot switch to state 8; another operation (7) is in progress")

    lane.plan = dataclasses.replace(lane.plan, apply=breaking)
    house.publish(_seen(1, COOKIE, USER))
    await _zero(house)
    assert lane._connection is not broken[0]
    connection = await asyncpg.connect(house.database_url)
    try:
        assert await connection.fetchval("SELECT count(*) FROM interaction_g1.parked") == 0
    finally:
        await connection.close()
