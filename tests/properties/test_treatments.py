"""The laws of treatments: whatever order, copies, crashes and batches, rows and counts are what the words say.

Also that what was taken back or erased is as if it had never been said, and that a rebuild says the same. PostgreSQL
is real; the reference is a fold of the log in plain Python.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import decode_event
from schemas.envelope import Event
from schemas.erasure import ERASED, erased
from schemas.events.retraction import RETRACTED
from services.runtime.postgres import connect
from services.runtime.withdrawing import retracted_by
from services.treatment.domain.treated import Arm, Tally, Treatment, counted, fold, read
from services.treatment.domain.words import Word, word_of
from services.treatment.views import counts
from tests.properties.stories import PHASES
from tests.support import rebuilds
from tests.support.databases import Databases
from tests.support.drawing import drawn
from tests.support.house import NOON, House, an_event

SERVICE = "treatment"
RECORDS = ("ann", "bob", "cookie")
OURS = tuple(f"trt_{digit * 32}" for digit in "0123")
IDS = (*OURS, "sale", "tea")
TYPES = ("treatment.decided", "treatment.shown", "treatment.outcome", "coupon.redeemed", "recommendation.made")
AWAITS_MAX = 40
CRASHES = st.lists(st.integers(1, AWAITS_MAX), max_size=4)

Content = tuple[dict[str, Treatment], dict[Arm, Tally], int]
"""Treatments that are anything by their rows, what is counted, and how many words there are."""


@st.composite
def said(draw: st.DrawFn) -> Event:
    """A word on a treatment under any record; some are incomplete, many are copies."""
    type_ = draw(st.sampled_from(TYPES))
    properties: dict[str, Any] = {"treatment_id": draw(st.sampled_from(IDS))}
    if type_ in ("treatment.decided", "recommendation.made"):
        properties |= {"action_id": draw(st.sampled_from(["tea", "cake", "none"])), "placement": "home"}
        properties |= draw(st.sampled_from([{}, {"experiment": "x", "variant": "challenger"}]))
    elif type_ == "treatment.outcome":
        properties["outcome"] = draw(st.sampled_from(["accepted", "rejected", "ignored", "converted", "liked"]))
    minute = draw(st.integers(0, 3))
    return an_event(
        f"{type_}-{draw(st.integers(0, 3))}",
        {"user_id": [draw(st.sampled_from(RECORDS))]},
        type=type_,
        time=NOON + timedelta(minutes=minute),
        source=draw(st.sampled_from(["customer360", "shop"])),
        properties=properties,
    )


@st.composite
def worlds(draw: st.DrawFn) -> list[Event]:
    """Words in any order, with retractions of some and words of erasure on some records among them."""
    words = draw(st.lists(said(), min_size=1, max_size=12))
    back = [_back(one) for one in words if draw(st.integers(0, 4)) == 0]
    gone = [_gone(name) for name in RECORDS if draw(st.integers(0, 5)) == 0]
    copies = [one for one in words if draw(st.integers(0, 3)) == 0]
    return list(draw(st.permutations([*words, *copies, *back, *gone])))


def _back(of: Event) -> Event:
    properties = {"source": of.source, "id": of.id}
    return an_event(f"not {of.source} {of.id}", {"user_id": ["desk"]}, type=RETRACTED, properties=properties)


def _gone(name: str) -> Event:
    record = an_event("x", {"user_id": [name]}).record_id
    return erased(record, "gone", "customer360", NOON)


def expected(log: Iterable[Event]) -> Content:
    """What the log says, folded in plain Python: the first copy of a word counts, unless it was taken back."""
    events = list(log)
    back = {target for one in events if (target := retracted_by(one)) is not None}
    gone = {one.record_id for one in events if one.type == ERASED}
    words: dict[tuple[str, str], Word] = {}
    for event in events:
        word = word_of(event)
        if isinstance(word, Word) and event.record_id not in gone:
            words.setdefault((word.record_id, word.event_id), word)
    by_treatment: dict[str, list[Word]] = defaultdict(list)
    for word in words.values():
        if word.event_id not in back:
            by_treatment[word.treatment].append(word)
    treatments = {row: found for row, those in by_treatment.items() if (found := fold(those)) is not None}
    tallies: dict[Arm, Tally] = defaultdict(Tally)
    for one in treatments.values():
        for arm, tally in counted(one).items():
            tallies[arm] = tallies[arm].plus(tally)
    return treatments, {arm: tally for arm, tally in tallies.items() if any(tally)}, len(words)


async def stored(house: House) -> Content:
    """What the tables say."""
    generation = house.workers[SERVICE].lane.generation
    connection = await connect(house.settings, f"{generation.schema},{SERVICE}")
    try:
        rows = await connection.fetch("SELECT treatment, state FROM treated WHERE state IS NOT NULL")
        treatments = {str(r["treatment"]): read(r["state"]) for r in rows}
        words: int = await connection.fetchval("SELECT count(*) FROM word")
        return treatments, await counts(connection), words
    finally:
        await connection.close()


def in_the_log(house: House) -> list[Event]:
    """The events as the broker has them, partition by partition."""
    return [decode_event(r.key, r.value, r.headers) for r in house.broker.records("channel.events")]


async def told(databases: Databases, log: Sequence[Event], batch_max: int, crashes: Sequence[int]) -> None:
    """Apply the log with these crashes, in these batches; tables are what it says, and so is a rebuild."""
    house = House(await databases.fresh())
    try:
        (await house.hire(SERVICE)).feed.batch_max = batch_max
        half = len(log) // 2
        house.publish(*log[:half])
        for awaits in crashes:
            await house.crash(SERVICE, awaits)
            house.workers[SERVICE].feed.batch_max = batch_max
        house.publish(*log[half:])
        await house.settle()
        assert await stored(house) == expected(in_the_log(house))
        worker = await rebuilds.start(house, SERVICE, batch_max)
        await rebuilds.catch_up(worker)
        _, verified = await rebuilds.compared(house, SERVICE, worker)
        assert verified["differing"] == []
        await rebuilds.swap(house, SERVICE)
        await rebuilds.succeed(house, SERVICE)
        assert await rebuilds.retold(house, SERVICE) == (0, 0), "it tells nothing, and the walk is over at once"
        assert await stored(house) == expected(in_the_log(house))
    finally:
        await house.close()
        await databases.drop(house.database_url)


@settings(max_examples=drawn(8), phases=PHASES)
@given(
    log=worlds(), batch_max=st.sampled_from([1, 3, 1_000]), crashes=st.lists(st.integers(1, AWAITS_MAX), max_size=4)
)
def test_rows_and_counts_are_what_the_words_say_whoever_dies_and_a_rebuild_says_the_same(
    databases: Databases, log: list[Event], batch_max: int, crashes: list[int]
) -> None:
    asyncio.run(told(databases, log, batch_max, crashes))


@given(log=worlds(), data=st.data())
def test_the_order_of_different_words_changes_nothing(log: list[Event], data: st.DataObject) -> None:
    # Of copies with other content the first in the log counts, so each word is there once.
    once = list({(one.record_id, one.event_id): one for one in log}.values())
    assert expected(data.draw(st.permutations(once))) == expected(once)


def test_an_outcome_that_comes_before_its_decision_waits_for_it_under_whatever_record(databases: Databases) -> None:
    decided = {"treatment_id": OURS[0], "action_id": "tea"}
    outcome = {"treatment_id": OURS[0], "outcome": "accepted"}
    late = [
        an_event("o", {"user_id": ["cookie"]}, type="treatment.outcome", properties=outcome),
        an_event("d", {"user_id": ["ann"]}, type="treatment.decided", source="customer360", properties=decided),
    ]

    async def apply() -> tuple[Content, Content]:
        house = House(await databases.fresh())
        try:
            await house.hire(SERVICE)
            house.publish(late[0])
            await house.settle()
            before = await stored(house)
            house.publish(late[1])
            await house.settle()
            return before, await stored(house)
        finally:
            await house.close()
            await databases.drop(house.database_url)

    (alone, counts_alone, _), (whole, counts_whole, words) = asyncio.run(apply())
    assert [one.record_id for one in alone.values()] == [late[0].record_id]
    assert counts_alone == {Arm(OURS[0], "", ""): Tally(0, 1, 1, 0)}
    assert [one.record_id for one in whole.values()] == [late[1].record_id]
    assert counts_whole == {Arm("tea", "", ""): Tally(1, 1, 1, 0)}
    assert words == 2
