"""Contacts, words, troubles and orders: in any order, with copies, merges and withdrawals, the same worth."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import asyncpg
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Event, event_id, microseconds
from services.value import handlers
from tests.properties.stories import PHASES
from tests.properties.test_laws import SERVICES, _in_houses
from tests.support.databases import Databases
from tests.support.drawing import drawn
from tests.support.house import NOON, House, an_event
from tests.unit.value.foreseen import MODEL

ANN, MAIL, BO = {"user_id": ["1"]}, {"email": ["ann@x.com"]}, {"user_id": ["2"]}
IDENTIFIERS = st.sampled_from([ANN, MAIL, {**ANN, **MAIL}, BO])
SAID: tuple[tuple[str, dict[str, Any]], ...] = (
    ("call.held", {"duration_s": 300, "resolved": False}),
    ("message.sent", {"message_id": "m"}),
    ("ticket.opened", {"ticket_id": "t", "subject": "no", "kind": "complaint"}),
    ("intention.stated", {"intention": "buy", "amount": "500", "currency": "USD"}),
    ("wallet.stated", {"amount_elsewhere": "90", "currency": "USD"}),
    ("relationship.ended", {"reason": "moved"}),
    ("need.stated", {"need": "Ropes"}),
    ("subscription.started", {"subscription_id": "s1", "interval": "P3M"}),
    ("subscription.started", {"subscription_id": "s2", "interval": "P1M"}),
    ("subscription.cancelled", {"subscription_id": "s1", "reason": "too expensive"}),
    ("subscription.ended", {"subscription_id": "s2"}),
    ("order.completed", {"order_id": "1", "currency": "USD", "products": [
        {"product_id": "p", "quantity": 2, "price": "40.00", "category": "Shoes"}]}),
    ("order.completed", {"order_id": "2", "currency": "USD", "subtotal": "70.00"}),
    ("order.refunded", {"order_id": "1"}),
)  # fmt: skip
STORIES = st.lists(st.tuples(st.sampled_from(SAID), IDENTIFIERS, st.integers(0, 60)), min_size=1, max_size=9)
TABLES = {
    "heard": "SELECT event_id, record_id, time_us, day, channel, direction, seconds, said, withdrawn FROM heard",
    "contact": "SELECT record_id, day, channel, direction, pieces, seconds FROM contact",
    "standing": "SELECT group_id, day, grade, state, left_day, cause, due_day FROM standing",
    "orders": "SELECT order_id, owner, status, cells, items FROM orders WHERE key <> ''",
}
COSTS = [{"channel": "call", "piece": 2, "minute": "0.80"}, {"channel": "web", "piece": "0.10"}]


def events_of(
    story: list[tuple[tuple[str, dict[str, Any]], dict[str, list[str]], int]], withdrawn: int
) -> list[Event]:
    """The story as events; one of them is taken back by another."""
    events = [
        an_event(f"e{n}", identifiers, type=kind, time=NOON + timedelta(days=days), properties=properties,
                 channel="call" if kind == "call.held" else "web", business_namespace="shop")
        for n, ((kind, properties), identifiers, days) in enumerate(story)
    ]  # fmt: skip
    target = {"source": "web", "id": f"e{withdrawn % len(story)}"}
    return [*events, an_event("back", {"user_id": ["1"]}, type="event.retracted", properties=target)]


async def _worth(house: House) -> dict[str, Any]:
    """What profiles hold of value, and value's own tables."""
    connection = await asyncpg.connect(house.database_url, server_settings={"search_path": "value_g1"})
    try:
        found: dict[str, Any] = {
            name: sorted(tuple(map(str, row.values())) for row in await connection.fetch(sql))
            for name, sql in TABLES.items()
        }
        sections = await connection.fetch(
            "SELECT customer_id, body FROM profile_g1.section WHERE service = 'value' AND body IS NOT NULL"
        )
        found["sections"] = {str(r["customer_id"]): orjson.loads(r["body"]) for r in sections}
    finally:
        await connection.close()
    return found


async def _priced(house: House) -> None:
    document = {**handlers.shipped_document(), "prediction": MODEL, "costs": COSTS}
    await house.enforce("value", handlers.POLICY, document)


async def _settled(house: House, events: list[Event], batch: int) -> dict[str, Any]:
    for service in SERVICES:
        (await house.hire(service)).feed.batch_max = batch
    await _priced(house)
    house.publish(*events)
    await house.settle()
    for _ in range(4):
        house.workers["value"].lane._spared_at = -1e9
        await house.settle()
    return await _worth(house)


@pytest.mark.laws
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_in_any_order_with_copies_and_withdrawals_everybody_is_worth_the_same(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handlers, "clock_us", lambda: microseconds(NOON + timedelta(days=200)))

    @settings(max_examples=drawn(3), phases=PHASES, deadline=None)
    @given(STORIES, st.integers(0, 8), st.sampled_from([1, 3, 1000]), st.randoms(use_true_random=False))
    def law(story: list[Any], withdrawn: int, batch: int, chance: random.Random) -> None:
        events = events_of(story, withdrawn)
        mixed = [*events, *(chance.choice(events) for _ in range(3))]
        chance.shuffle(mixed)

        async def act(one: House, other: House) -> None:
            first, second = await _settled(one, events, 1000), await _settled(other, mixed, batch)
            gone = event_id("web", f"e{withdrawn % len(story)}")
            assert not [row for row in first["heard"] if row[0] == gone and row[-1] != "True"]
            for name in first:
                assert second[name] == first[name], name

        _in_houses(databases, 2, act)

    law()
