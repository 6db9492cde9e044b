"""Who still has a contract has not left, in whatever order his words are heard, and every change has its day."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.value.domain.days import date_of, later
from services.value.domain.ledger import Known, Looking, worth
from services.value.domain.statements import Statement
from tests.unit.value.foreseen import GRADING, bought
from tests.unit.value.stating import POLICY, PRAGUE
from tests.unit.value.test_strategy import DAY, said

HORIZON = 120
GRACE = POLICY.churn.grace_days
INTERVALS = {"P1M": (later(DAY, "P1M") or 0) - DAY, "P9D": 9, "none": None}
Story = list[tuple[str, str, int, Any]]
"""(contract, started or ended, days after DAY, interval or days until it takes effect)."""
BEGUN = st.tuples(st.sampled_from("abc"), st.just("started"), st.integers(0, 60), st.sampled_from([*INTERVALS]))
ENDED = st.tuples(st.sampled_from("abc"), st.just("ended"), st.integers(0, 60), st.integers(0, 30))
STORIES = st.lists(st.one_of(BEGUN, ENDED), min_size=1, max_size=8, unique_by=lambda one: (one[0], one[2]))


def heard(story: Story) -> list[Statement]:
    """What value keeps of it."""
    found = []
    for contract, kind, day, more in story:
        own = {"interval": more} if kind == "started" else {"effective_at": date_of(DAY + day + more).isoformat()}
        found.append(said(f"subscription.{kind}", day, id=f"{contract}{kind}{day}", subscription_id=contract, **own))
    return found


def stops(story: Story, contract: str) -> tuple[float, bool] | None:
    """When this contract runs no more, in days after DAY, and whether that is his word; told once more, plainly."""
    begun = [one for one in story if one[:2] == (contract, "started")]
    after = max((one[2] for one in begun), default=-1)
    words = [one[2] + one[3] for one in story if one[:2] == (contract, "ended") and one[2] >= after]
    if words:
        return min(words), True
    if not begun:
        return None
    untils = [(later(DAY + day, more) or 0) - DAY for _, _, day, more in begun if INTERVALS[more] is not None]
    return (max(untils), False) if untils else (float("inf"), False)


def expected(story: Story, day: int) -> int | None:
    """Since when he has defected; None: he has not."""
    found = [end for contract in "abc" if (end := stops(story, contract)) is not None]
    if any(day < (end if by_word else end + GRACE) for end, by_word in found):
        return None
    last = max(found)
    return int(last[0]) if last[1] else None


def churn(said_so_far: list[Statement], day: int, policy: Any = POLICY) -> Any:
    """As answered so many days after DAY; null without a model where nothing is known."""
    body = worth(Known(bought(DAY), said=said_so_far), policy, Looking(DAY + day, PRAGUE, is_answer=True)).body
    return None if body is None else body["churn"]


@given(STORIES, st.integers(61, HORIZON), st.sampled_from([POLICY, GRADING]))
def test_he_has_left_when_the_last_that_ran_was_ended_by_his_word(story: Story, day: int, policy: Any) -> None:
    found, since = churn(heard(story), day, policy), expected(story, day)
    state = None if found is None else found["state"]
    assert (state == "defected") == (since is not None), (story, found)
    if since is not None:
        assert found["since"] == date_of(DAY + since).isoformat()


@given(STORIES, st.integers(0, HORIZON), st.randoms(use_true_random=False))
def test_in_any_order_and_told_by_any_records_he_is_where_he_is(
    story: Story, day: int, chance: random.Random
) -> None:
    words = heard(story)
    mixed = chance.sample(words, len(words))
    for policy in (POLICY, GRADING):
        looking = Looking(DAY + day, PRAGUE)
        ours, theirs = (worth(Known(bought(DAY), said=one), policy, looking) for one in (words, mixed))
        assert ours == theirs


@given(STORIES, st.sampled_from([POLICY, GRADING]))
def test_between_the_days_on_which_he_is_looked_at_nothing_of_him_changes(story: Story, policy: Any) -> None:
    known, told, due = Known(bought(DAY), said=heard(story)), None, None
    for day in range(61, HORIZON):
        now = worth(known, policy, Looking(DAY + day, PRAGUE))
        if told is not None and due != DAY + day:
            assert now.body == told, f"day {day} of {story}"
        told, due = now.body, None if now.mark is None else now.mark.next_look
