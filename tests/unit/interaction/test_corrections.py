"""What a retraction takes back, and what stands for it."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.envelope import event_id
from schemas.events.retraction import named_by
from services.interaction.domain.corrections import correction, withdrawn
from tests.unit.interaction.hearing import ODD, at, event


def back(**properties: Any) -> Any:
    return correction(event("event.retracted", properties, day=2))


def test_a_retraction_names_what_it_takes_back_and_what_stands_for_it() -> None:
    found = back(source="shop", id="17", replaced_by="17b", reason=" a test ")
    assert (found.target, found.replacement) == (event_id("shop", "17"), event_id("shop", "17b"))
    assert withdrawn(found) == {
        "event_id": found.event_id, "at": at(2), "reason": "a test", "replaced_by": found.replacement,
    }  # fmt: skip


def test_without_its_word_what_was_taken_back_says_only_that_it_was() -> None:
    assert set(withdrawn(None).values()) == {None}


def test_other_events_take_nothing_back() -> None:
    assert correction(event("note.added", {"source": "shop", "id": "17"})) is None


@pytest.mark.parametrize("odd", ODD, ids=lambda o: repr(o)[:20])
def test_odd_words_never_fail(odd: Any) -> None:
    for name in ("source", "id", "replaced_by", "reason"):
        found = back(**{"source": "shop", "id": "17", name: odd})
        assert found is None or found.target
    assert named_by({}) == (None, None)
