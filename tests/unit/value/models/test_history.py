"""Summaries: days become x, t_x and T, and equal ones stand together whatever their order."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.value.domain.models.history import Histories, History, grouped, history
from tests.unit.value.models.stating import columns, summaries


def test_days_after_the_first_are_counted_and_the_first_is_where_time_begins() -> None:
    assert history(100, 130, 4, 190) == History(3, 30, 90)


def test_who_bought_on_one_day_only_has_no_repeated_purchase() -> None:
    assert history(100, 100, 1, 100) == History(0, 0, 0)


def test_a_purchase_of_a_clock_that_runs_ahead_makes_its_own_day_the_day_of_the_answer() -> None:
    assert history(100, 130, 2, 120) == History(1, 30, 30)


def together(rows: list[tuple[int, int, int]]) -> Histories:
    return grouped(*columns(rows))


def told(rows: Histories) -> list[tuple[float, ...]]:
    return list(zip(rows.frequency, rows.recency_days, rows.age_days, rows.customers, strict=True))


def test_equal_summaries_are_one_row_that_counts_its_customers() -> None:
    assert told(together([(1, 5, 9), (0, 0, 9), (1, 5, 9)])) == [(0, 0, 9, 1), (1, 5, 9, 2)]


def test_nobody_is_no_row() -> None:
    assert len(together([])) == 0
    assert together([]).mean_age_days == 1


@given(st.lists(summaries(), max_size=30).flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))))
def test_rows_do_not_tell_in_which_order_customers_came(
    both: tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]],
) -> None:
    assert told(together(both[0])) == told(together(both[1]))
    assert together(both[0]).total == len(both[0])


def test_a_sample_has_the_rows_of_most_customers_and_stands_for_all_the_others() -> None:
    rows = together([(0, 0, age) for age in range(1000)] + [(1, 1, age) for age in range(7, 507, 10)] * 2)
    sample = rows.sampled(100)
    assert len(sample) == 100
    heavy, light = sample.frequency == 1, sample.frequency == 0
    assert sample.customers[heavy].tolist() == [2] * 50
    assert np.diff(sample.age_days[light]).tolist() == [20] * 49
    assert sample.total == rows.total
    assert rows.sampled(len(rows)) is rows
