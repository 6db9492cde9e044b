"""The grades somebody was in: each began on the day on which he is of it and the day before was not."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.value.domain.days import date_of
from services.value.domain.ledger import Cell, Known, Looking, worth
from services.value.domain.orders import Amounts
from services.value.domain.past_tiers import STEPS_MAX, tier_history
from services.value.domain.policy import Policy
from tests.unit.value.foreseen import FIRST, GRADING, REGULAR, UNIT, bought
from tests.unit.value.stating import POLICY

POLICIES = st.sampled_from([GRADING, POLICY])
PURCHASES = st.dictionaries(st.integers(FIRST, FIRST + 400), st.integers(1, 900), min_size=1, max_size=8)


def cells_of(purchases: dict[int, int]) -> list[Cell]:
    return [cell for day, net in purchases.items() for cell in bought(day, net=net)]


def tier_on(day: int, cells: list[Cell], policy: Policy) -> Any:
    """The tier as it was answered on that day, of what had been booked by then."""
    known = Known([cell for cell in cells if cell.day <= day])
    body = worth(known, policy, Looking(day, is_answer=True)).body
    return None if body is None else body["tier"]


@given(PURCHASES, st.integers(400, 1_500), POLICIES)
def test_every_change_is_where_one_day_tells_another_grade_than_the_day_before(
    purchases: dict[int, int], after: int, policy: Policy
) -> None:
    cells, today = cells_of(purchases), FIRST + after
    history = tier_history(Known(cells), policy, today)
    now = tier_on(today, cells, policy)
    assert (history[0]["grade"], history[0]["since"]) == (now["grade"], now["since"]), "the newest is his tier"
    assert history[-1]["because"] is None
    for newer, older in pairwise(history):
        day = next(d for d in range(FIRST, today + 1) if date_of(d).isoformat() == newer["since"])
        on, before = tier_on(day, cells, policy), tier_on(day - 1, cells, policy)
        assert (on["grade"], before["grade"]) == (newer["grade"], older["grade"])
        assert newer["because"] == ("booking" if day in purchases else "silence")


@pytest.mark.parametrize("policy", [GRADING, POLICY])
def test_in_any_order_of_his_rows_and_of_no_rows_at_all(policy: Policy) -> None:
    cells = bought(*REGULAR)
    assert tier_history(Known(cells), policy, FIRST + 900) == tier_history(Known(cells[::-1]), policy, FIRST + 900)
    assert tier_history(Known([]), policy, FIRST) == []


def test_who_buys_and_sends_back_very_often_has_his_newest_changes_told() -> None:
    back = Amounts(refunds=900 * UNIT)
    cells = [
        cell
        for day in range(FIRST, FIRST + 2 * STEPS_MAX, 2)
        for cell in (*bought(day, net=900), Cell(day + 1, "", "USD", back))
    ]
    found = tier_history(Known(cells), POLICY, FIRST + 900)
    assert [one["grade"] for one in found] == ["D", "B"] * (STEPS_MAX // 2)
    assert found[0] == {
        "grade": "D", "since": date_of(FIRST + 2 * STEPS_MAX - 1).isoformat(), "because": "booking",
    }  # fmt: skip
