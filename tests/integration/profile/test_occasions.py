"""What comes to pass of a customer is told once, at its time, whoever is merged, split, shown late or rebuilt.

The broker is in memory. PostgreSQL is real.
"""

from __future__ import annotations

import orjson
import pytest

from schemas.codec import State, Version, encode_state
from schemas.envelope import rfc3339
from services.profile.domain.changing import DEFECTED, DETRACTOR, PROMISE_DUE
from tests.support import rebuilds
from tests.support.house import NOON, House, an_event
from tests.support.occasions import (
    MAIL,
    OCCASIONS,
    USER,
    Clock,
    at,
    hired,
    look,
    parted,
    promised,
    rows,
    said,
    told,
)

BOTH = {**USER, **MAIL}


@pytest.mark.asyncio
async def test_a_promise_is_told_when_its_time_has_come_and_once_although_workers_die(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    await hired(house)
    first = promised("1", USER, 2, conversation_id="c", owner="Ms Smith")
    house.publish(first, promised("2", USER, 3, "kept"), promised("3", USER, 9, "later"))
    house.publish(said("4", USER, "promise.kept", 1, promise_id="kept"))
    await house.settle()
    clock.hours = 1.9
    await look(house)
    assert told(house, PROMISE_DUE) == []
    clock.hours = 3.5
    for awaits in range(2, 30, 3):
        await look(house, awaits)
    (due,) = told(house, PROMISE_DUE)
    assert due.pop("version") > 0
    assert due == {"customer_id": first.record_id, "promise_id": "p", "due_at": at(2), "by": "us",
                   "conversation_id": "c"}  # fmt: skip
    house.publish(said("5", USER, "note.added", 4, text="x"))
    await house.settle()
    await look(house)
    assert len(told(house, PROMISE_DUE)) == 1
    house.publish(promised("6", USER, 5, hours=4))
    await house.settle()
    clock.hours = 5
    await look(house)
    assert [one["due_at"] for one in told(house, PROMISE_DUE)] == [at(2), at(5)], "it was put off"


@pytest.mark.asyncio
async def test_neither_a_merge_nor_a_split_makes_anything_come_to_pass_twice(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    await hired(house)
    house.publish(promised("1", MAIL, 1), promised("2", MAIL, 6, "later"), said("0", USER, "note.added", text="x"))
    house.publish(said("3", MAIL, "feedback.given", score=3, scale="nps"), said("4", MAIL, "relationship.ended"))
    await house.settle()
    clock.hours = 2
    await look(house)
    for n, word in enumerate((an_event("5", BOTH), parted("6"), None)):
        assert [len(told(house, kind)) for kind in sorted(OCCASIONS)] == [1, 1, 1], n
        if word is not None:
            house.publish(word)
            await house.settle()
            await look(house)
    await look(house)
    clock.hours = 7
    await look(house)
    assert [one["promise_id"] for one in told(house, PROMISE_DUE)] == ["p", "later"]
    mail = an_event("x", MAIL).record_id
    assert {one["customer_id"] for kind in OCCASIONS for one in told(house, kind)} == {mail}


@pytest.mark.asyncio
async def test_one_promise_that_waits_for_two_customers_is_told_of_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As while a record goes from one to the other, or where two systems tell it of people who are not yet one."""
    clock = Clock(monkeypatch)
    await hired(house)
    house.publish(promised("1", USER, 2), promised("2", MAIL, 2))
    await house.settle()
    assert len(await rows(house, "SELECT FROM occasion")) == 2
    clock.hours = 2
    await look(house)
    assert len(told(house, PROMISE_DUE)) == 1
    assert await rows(house, "SELECT FROM occasion") == []
    house.publish(an_event("3", BOTH))
    await house.settle()
    await look(house)
    assert len(told(house, PROMISE_DUE)) == 1


@pytest.mark.asyncio
async def test_of_who_is_not_shown_it_waits_until_he_is(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    await hired(house, "interaction", "value", "profile")
    house.publish(promised("1", USER, 1), said("2", USER, "feedback.given", score=1, scale="nps"))
    await house.settle()
    clock.hours = 2
    await look(house)
    assert [told(house, kind) for kind in (PROMISE_DUE, DETRACTOR)] == [[], []]
    await house.hire("identity")
    await house.settle()
    await look(house)
    assert [len(told(house, kind)) for kind in (PROMISE_DUE, DETRACTOR)] == [1, 1]


@pytest.mark.asyncio
async def test_who_comes_back_and_leaves_again_is_told_of_twice(house: House) -> None:
    await hired(house)
    house.publish(said("1", USER, "relationship.ended", reason="Too expensive"))
    house.publish(said("2", USER, "relationship.ended", 1, reason="I said so"))
    await house.settle()
    (left,) = told(house, DEFECTED)
    assert (left["state"], left["cause"], left["since"]) == ("defected", "price", "2024-03-01")
    house.publish(said("3", USER, "order.completed", 48, order_id="o", currency="USD", subtotal="9.00"))
    await house.settle()
    house.publish(said("4", USER, "relationship.ended", 96))
    await house.settle()
    assert [one["since"] for one in told(house, DEFECTED)] == ["2024-03-01", "2024-03-05"]


@pytest.mark.asyncio
@pytest.mark.parametrize("cause", ["live", "replay"])
async def test_what_a_replay_tells_of_is_no_news(house: House, monkeypatch: pytest.MonkeyPatch, cause: str) -> None:
    clock = Clock(monkeypatch)
    clock.hours = 1e6
    await hired(house, "identity", "interaction", "profile")
    seen = an_event("1", USER)
    house.publish(seen)
    await house.settle()
    known = house.broker.last_by_key("interaction.customers")[seen.record_id.encode()]
    about = {"promise_id": "p", "by": None, "conversation_id": None}
    known_state = orjson.loads(known.value or b"{}")
    body = known_state["body"] | {
        "due": [{"words": [name], "due_us": us, **about} for name, us in (("past", 1), ("ahead", 2 * 10**15))],
        "detractors": [{"words": ["w"], "event_id": "e", "time": at(0)}],
    }
    members = known_state["members"]
    for n in (9, 10):
        state = State(seen.record_id, Version(2**50, n), body, members, house.broker.time_ms, cause)
        house.broker.append("interaction.customers", encode_state(state))
        await house.settle()
        await look(house)
    found = [[one.get("due_at") for one in told(house, kind)] for kind in (PROMISE_DUE, DETRACTOR)]
    ahead, past = rfc3339(NOON.fromtimestamp(2e9, NOON.tzinfo)), "1970-01-01T00:00:00.000001Z"
    assert found == ([[past, ahead], [None]] if cause == "live" else [[ahead], []])


@pytest.mark.asyncio
async def test_a_rebuild_counts_what_was_told_as_told_and_what_is_ahead_waits_there_too(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    await hired(house)
    house.publish(promised("1", USER, 1), said("2", USER, "feedback.given", score=1, scale="nps"))
    house.publish(promised("3", USER, 9, "later"))
    await house.settle()
    clock.hours = 4
    await look(house)
    builder = await rebuilds.start(house, "profile")
    await rebuilds.catch_up(builder)
    for _ in range(2):
        builder.lane._spared_at = -1e9
        await builder.turn()
    words = "SELECT word FROM profile_g{}.occasion_told ORDER BY word"
    assert await rows(house, words.format(1)) == await rows(house, words.format(2)) != []
    waiting = await rows(house, "SELECT kind, about FROM profile_g2.occasion")
    assert [orjson.loads(r["about"])["promise_id"] for r in waiting] == ["later"]
    await builder.close()
