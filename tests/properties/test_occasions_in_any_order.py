"""What comes to pass is told once in any order of events, in any batches, by workers that die over it.

The broker is in memory. PostgreSQL is real.
"""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Event
from services.profile.domain.changing import DEFECTED, DETRACTOR, PROMISE_DUE
from tests.properties.stories import PHASES
from tests.support.databases import Databases
from tests.support.drawing import drawn
from tests.support.house import House
from tests.support.occasions import Clock, at, hired, look, parted, rows, said, stands, told

PEOPLE = ({"user_id": ["1"]}, {"email": ["ann@x.com"]}, {"user_id": ["2"]}, {"email": ["bo@x.com"]})
_who = st.sampled_from(PEOPLE)
_hours = st.integers(0, 6)
_said = st.one_of(
    st.tuples(st.just("promise.made"), _who, _hours, st.sampled_from(["p1", "p2"]), st.integers(0, 12)),
    st.tuples(st.sampled_from(["promise.kept", "promise.broken"]), _who, _hours, st.sampled_from(["p1", "p2"])),
    st.tuples(st.just("feedback.given"), _who, _hours, st.integers(0, 10)),
    st.tuples(st.sampled_from(["relationship.ended", "order.completed"]), _who, _hours),
    st.tuples(st.just("met"), st.lists(_who, min_size=2, max_size=2), _hours),
    st.tuples(st.just("parted"), st.just(None), _hours),
)


def event_of(n: int, one: tuple[Any, ...]) -> Event:
    kind, who, hours, *rest = one
    if kind == "met":
        return said(f"e{n}", who[0] | who[1], "page.viewed", hours)
    if kind == "parted":
        return parted(f"e{n}")
    properties: dict[str, Any] = {"order_id": f"o{n}", "currency": "USD", "subtotal": "9.00"}
    if kind == "feedback.given":
        properties = {"score": rest[0], "scale": "nps", "response_id": f"r{n}"}
    elif kind.startswith("promise"):
        properties = {"promise_id": rest[0], "text": "call", **({"due_at": at(rest[1])} if rest[1:] else {})}
    return said(f"e{n}", who, kind, hours * 24, **properties)


async def check(house: House, events: list[Event], clock: Clock) -> None:
    """Each promise and its time once, each low answer once, nobody's leaving twice; and nothing is left out."""
    due = [(one["promise_id"], one["due_at"]) for one in told(house, PROMISE_DUE)]
    assert len(set(due)) == len(due)
    assert all(one[1] <= at(clock.hours) for one in due)
    low = {e.event_id for e in events if e.type == "feedback.given" and e.data["properties"]["score"] <= 6}
    answers = [one["event_id"] for one in told(house, DETRACTOR)]
    assert sorted(answers) == sorted(low)
    assert len(told(house, DEFECTED)) <= sum(e.type == "relationship.ended" for e in events)
    known = {str(r["word"]) for r in await rows(house, "SELECT word FROM occasion_told")}
    standing = await stands(house)
    passed = [one for one in standing if one.due_us <= clock.us()]
    assert all(known.issuperset(one.words) for one in passed)
    open_and_due = {orjson.loads(one.about)["promise_id"] for one in passed if one.kind == PROMISE_DUE}
    assert open_and_due <= {promise for promise, _ in due}
    waiting = await rows(house, "SELECT words FROM occasion WHERE shown")
    assert all(known.isdisjoint(map(str, r["words"])) for r in waiting)
    ahead = {one.words for one in standing if one.due_us > clock.us() and known.isdisjoint(one.words)}
    assert {tuple(map(str, r["words"])) for r in waiting} == ahead


@settings(max_examples=drawn(2), phases=PHASES, deadline=None)
@given(st.data())
def test_each_comes_to_pass_once_in_any_order_of_events_batches_and_crashes(
    databases: Databases, data: st.DataObject
) -> None:
    events = [event_of(n, one) for n, one in enumerate(data.draw(st.lists(_said, min_size=4, max_size=14)))]
    batch_max = data.draw(st.sampled_from([1, 3, 1000]))
    crashes = data.draw(st.lists(st.integers(3, 40), max_size=5))
    middle = data.draw(st.integers(0, len(events)))

    async def act(monkeypatch: pytest.MonkeyPatch) -> None:
        url = await databases.fresh()
        house, clock = House(url), Clock(monkeypatch)
        try:
            await hired(house)
            house.workers["profile"].feed.batch_max = batch_max
            clock.hours = 3
            house.publish(*events[:middle], *events[: middle // 2])
            await house.settle()
            await look(house, 9)
            house.publish(*events[middle:])
            for awaits in crashes:
                for service in ("identity", "interaction", "value"):
                    await house.workers[service].turn()
                await house.crash("profile", awaits)
            for hours in (3, 8):
                clock.hours = hours
                await house.settle()
                await look(house, 14)
                await look(house)
                await check(house, events, clock)
        finally:
            await house.close()
            await databases.drop(url)

    with pytest.MonkeyPatch.context() as monkeypatch:
        asyncio.run(act(monkeypatch))
