"""What a batch collects: records of topics, states to tell, and how to forget a part of it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import State, Version
from services.runtime.batch import Batch, Incoming, Work
from services.runtime.grouping import members_hash
from services.runtime.markers import Marker, Telling, first_of

LOG, BINDINGS = "channel.events", "identity.bindings"


def incoming(topic: str = LOG, partition: int = 0, offset: int = 0) -> Incoming:
    """A record at a place."""
    return Incoming(topic, partition, offset, 0, None, None)


def work() -> Work:
    """A batch's work; these rules never touch its connection."""
    connection: Any = None
    return Work(connection, 5)


def state(n: int, key: str = "k") -> State:
    """Version n of a key."""
    return State(key, Version(5, n), {"n": n})


PLACES = st.tuples(st.sampled_from([LOG, BINDINGS]), st.integers(0, 3))
places = st.lists(st.tuples(st.sampled_from([LOG, BINDINGS]), st.integers(0, 3), st.integers(0, 50)), max_size=20)


@given(places)
def test_halves_are_the_batch_in_order(drawn: list[tuple[str, int, int]]) -> None:
    batch = Batch([incoming(*place) for place in drawn])
    left, right = batch.halves()
    assert [*left.records, *right.records] == batch.records
    assert abs(len(left.records) - len(right.records)) <= 1


@given(places)
def test_topics_and_lost_partitions_are_told_apart(drawn: list[tuple[str, int, int]]) -> None:
    batch = Batch([incoming(*place) for place in drawn])
    assert sorted(r.place for t in (LOG, BINDINGS) for r in batch.of(t)) == sorted(drawn)
    kept = batch.without({(LOG, 1)})
    assert [r.place for r in kept.records] == [p for p in drawn if p[:2] != (LOG, 1)]


def test_telling_a_key_twice_tells_the_last_state() -> None:
    collected = work()
    collected.tell("out", state(1), {"type": "a", "from": 1})
    collected.tell("out", state(2), {"type": "b"})
    (told,) = collected.told.values()
    assert told.state.version.n == 2
    assert told.detail == {"type": "b", "from": 1}


def test_one_key_of_two_topics_is_told_twice() -> None:
    collected = work()
    collected.tell("one", state(1))
    collected.tell("other", state(1))
    assert {t.topic for t in collected.told.values()} == {"one", "other"}


def test_tellings_together_keep_the_later_version_and_the_first_offset_of_each_partition() -> None:
    both = Telling([1], {(LOG, 0): 7, (LOG, 1): 3}, {("out", "k"): Marker("out", "k", Version(5, 3))})
    both.add(Telling([2], {(LOG, 0): 9, (BINDINGS, 1): 2}, {("out", "k"): Marker("out", "k", Version(5, 2))}))
    assert both.numbers == [1, 2]
    assert both.sources == {(LOG, 0): 7, (LOG, 1): 3, (BINDINGS, 1): 2}
    assert both.markers["out", "k"].version == Version(5, 3)


@given(st.dictionaries(PLACES, st.integers(0, 9)), st.dictionaries(PLACES, st.integers(0, 9)))
def test_the_first_offsets_of_two_are_the_smaller_ones(
    one: dict[tuple[str, int], int], other: dict[tuple[str, int], int]
) -> None:
    found = first_of(one, other)
    assert found == first_of(other, one)
    assert found == {p: min(o[p] for o in (one, other) if p in o) for p in one.keys() | other.keys()}


def test_a_part_that_failed_is_forgotten_and_what_was_before_stays() -> None:
    collected = work()
    collected.tell("out", state(1))
    collected.park(incoming(offset=1), "bad")
    collected.counts["applied"] += 2
    collected.after_commit.append(lambda: None)
    point = collected.mark_point()
    collected.tell("out", state(2))
    collected.tell("out", state(1, "other"))
    collected.park(incoming(offset=2), "worse")
    collected.counts["applied"] += 1
    collected.counts["conflict"] += 1
    collected.after_commit.append(lambda: None)
    collected.back_to(point)
    assert {k: t.state.version.n for k, t in collected.told.items()} == {("out", "k"): 1}
    assert [p.reason for p in collected.parked] == ["bad"]
    assert collected.counts == {"applied": 2}
    assert len(collected.after_commit) == 1


@given(st.lists(st.uuids().map(str), unique=True, max_size=6), st.randoms(use_true_random=False))
def test_the_hash_of_members_knows_no_order(members: list[str], order: Any) -> None:
    first = members_hash(members)
    order.shuffle(members)
    assert members_hash(members) == first


@given(st.sets(st.uuids().map(str), max_size=5), st.uuids().map(str))
def test_another_member_is_another_hash(members: set[str], one: str) -> None:
    assert (members_hash(members) == members_hash(members | {one})) is (one in members)
