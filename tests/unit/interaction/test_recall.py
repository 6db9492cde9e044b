"""Facts are recalled while nobody else wrote of their record, else read; on no connection that is an error."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from services.interaction.domain.facts import Fact
from services.interaction.domain.families import FOLDED_MAX, Family
from services.interaction.store import FactsOf, Recall, by_record
from services.runtime.grouping import Locked
from services.runtime.postgres import Connection

A, B = "record-a", "record-b"
NOBODY = cast(Connection, None)


def _fact(n: int, record: str = A) -> Fact:
    return Fact(record, f"event-{n:04}", 0, "need", "shoes", n, "web", "inbound", "web")


def _asked(recall: Recall, locked: Locked, *new: Fact, family: Family = Family.NEEDS) -> FactsOf:
    return asyncio.run(recall.facts_of(NOBODY, {A: [family]}, locked, by_record(new)))


def _after(recall: Recall, writer: int, *new: Fact, locked: Locked | None = None) -> None:
    """A batch that wrote of A and nothing else."""
    recall.keep({}, locked or Locked(new={A}), by_record(new), {A}, writer)


def test_a_record_first_heard_of_has_said_nothing_before() -> None:
    assert _asked(Recall(), Locked(new={A}), _fact(1)) == {A: {Family.NEEDS: [_fact(1)]}}


def test_what_one_wrote_oneself_is_recalled_with_what_is_new_the_newest_first() -> None:
    recall = Recall()
    _after(recall, 7, _fact(1), _fact(3))
    assert _asked(recall, Locked(writers={A: 7}), _fact(2)) == {A: {Family.NEEDS: [_fact(3), _fact(2), _fact(1)]}}


def test_batches_of_other_families_do_not_make_it_forget() -> None:
    recall = Recall()
    _after(recall, 7, _fact(1))
    _after(recall, 8, locked=Locked(writers={A: 7}))
    assert _asked(recall, Locked(writers={A: 8})) == {A: {Family.NEEDS: [_fact(1)]}}


@pytest.mark.parametrize("writers", [{A: 8}, {}], ids=["another wrote", "nobody knows who wrote"])
def test_what_another_may_have_written_is_read(writers: dict[str, int]) -> None:
    recall = Recall()
    _after(recall, 7, _fact(1))
    with pytest.raises(AttributeError):
        _asked(recall, Locked(writers=writers))


def test_what_was_rolled_back_is_read() -> None:
    recall = Recall()
    _after(recall, 7, _fact(1))
    _after(recall, 8, _fact(2), locked=Locked(writers={A: 7}))
    with pytest.raises(AttributeError):
        _asked(recall, Locked(writers={A: 7}), _fact(2))


def test_records_of_which_something_was_taken_back_are_read() -> None:
    recall, locked = Recall(), Locked(new={A}, writers={A: 7})
    locked.distrust({A})
    with pytest.raises(AttributeError):
        _asked(recall, locked)
    _after(recall, 8, locked=locked)
    with pytest.raises(AttributeError):
        _asked(recall, Locked(writers={A: 8}))


def test_no_more_is_recalled_than_would_be_read() -> None:
    recall = Recall()
    _after(recall, 7, *map(_fact, range(FOLDED_MAX[Family.NEEDS])))
    found = _asked(recall, Locked(writers={A: 7}), _fact(9_999))[A][Family.NEEDS]
    assert len(found) == FOLDED_MAX[Family.NEEDS]
    assert (found[0], found[-1]) == (_fact(9_999), _fact(1))


def test_what_was_not_heard_of_for_longest_is_forgotten_first() -> None:
    recall = Recall(facts_max=4)
    _after(recall, 7, _fact(1))
    recall.keep({}, Locked(new={B}), by_record(_fact(n, B) for n in (2, 3)), {B}, 7)
    assert recall.count == 3
    with pytest.raises(AttributeError):
        _asked(recall, Locked(writers={A: 7}))
    found: Any = asyncio.run(recall.facts_of(NOBODY, {B: [Family.NEEDS]}, Locked(writers={B: 7}), {}))
    assert len(found[B][Family.NEEDS]) == 2
