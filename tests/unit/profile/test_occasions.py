"""Occasions: what a section says comes to pass, by which words it is known, and that each word is told of once."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.profile.domain.occasions import AT_ONCE, Occasion, read, told_now

DUE = {"words": ["shop:p"], "promise_id": "p", "due_us": 1_000_000, "by": "us", "conversation_id": "c"}
LOW = {"words": ["r:e:nps"], "event_id": "e", "time": "2026-03-02T00:00:00Z", "scale": "nps", "score": 3}
CHURN = {"state": "defected", "since": "2026-03-02", "cause": "price", "risk": 1.0, "evidence": None}


def said(service: str, **body: Any) -> list[Occasion]:
    """What a section with this body says."""
    return read(service, orjson.dumps(body).decode())


def test_a_promise_waits_for_its_time_and_an_answer_and_a_leaving_are_told_at_once() -> None:
    due, low = said("interaction", due=[DUE], detractors=[LOW], count=3)
    (left,) = said("value", left_by=["e1", "e2"], churn=CHURN)
    assert [one.kind for one in (due, low, left)] == ["promise.due", "feedback.detractor", "customer.defected"]
    assert [one.due_us for one in (due, low, left)] == [1_000_000, AT_ONCE, AT_ONCE]
    assert {len(one.words) for one in (due, low)} == {1}
    assert len(left.words) == 2
    told = left.as_move()
    assert {name: told[name] for name in ("state", "cause", "since")} == {
        "state": "defected", "cause": "price", "since": "2026-03-02",
    }  # fmt: skip
    assert {"risk", "evidence", "left_by"}.isdisjoint(told)


def test_a_promise_put_off_is_another_occasion_and_one_said_again_is_the_same() -> None:
    first, later = (said("interaction", due=[{**DUE, "due_us": us}])[0] for us in (1, 2))
    assert set(first.words).isdisjoint(later.words)
    again = said("interaction", due=[{**DUE, "words": ["app:p", "shop:p"], "promise_id": "other", "due_us": 1}])[0]
    assert set(first.words) < set(again.words)


@pytest.mark.parametrize("text", [None, "", "{}", "[]", "{", '{"due": [{}]}', '{"churn": {"state": 1}}'])
@pytest.mark.parametrize("service", ["interaction", "value", "identity"])
def test_a_section_that_says_nothing_or_cannot_be_read_so_tells_nothing(service: str, text: str | None) -> None:
    assert read(service, text) == []
    assert said("value", churn=CHURN) == []


WORDS = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=3, unique=True).map(sorted)


@given(st.lists(WORDS, max_size=8), st.sets(st.sampled_from("abcdef")))
def test_an_occasion_is_told_if_no_word_of_it_was_named_before(said: list[list[str]], fresh: set[str]) -> None:
    occasions = [Occasion("promise.due", tuple(words), 0, "{}") for words in said]
    told = told_now(occasions, fresh)
    for n, one in enumerate(occasions):
        named = {word for earlier in occasions[:n] for word in earlier.words}
        assert told[n] == (set(one.words) <= fresh - named)
