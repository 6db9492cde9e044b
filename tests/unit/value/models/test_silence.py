"""Silence: the day on which a value falls below a bound is exactly that day, for one customer as for many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.value.domain.models.families import Buying
from services.value.domain.models.history import History
from services.value.domain.models.scoring import Terms, scored
from services.value.domain.models.silence import NEVER, age_below, ages_below
from services.value.domain.models.single import Single
from tests.unit.value.models.stating import MODELS, columns, floats, models, summaries

YEAR = Terms(365.0, 0.1)
AGE_MAX = 4_000


def by_looking(worth: list[float], bound: float, begin: int) -> int | None:
    return next((age for age in range(begin, len(worth)) if worth[age] < bound), None)


@given(
    st.lists(st.floats(0, 100), min_size=2, max_size=60).map(lambda values: sorted(values, reverse=True)),
    st.floats(0, 100),
    st.integers(0, 59),
    st.floats(0.1, 1_000),
)
def test_the_first_day_below_is_found(worth: list[float], bound: float, begin: int, scale: float) -> None:
    begin = min(begin, len(worth) - 1)
    assert age_below(worth.__getitem__, bound, begin, len(worth) - 1, scale) == by_looking(worth, bound, begin)


@given(models(), summaries(), st.floats(0.01, 0.99))
def test_a_day_earlier_the_value_was_not_below(model: Buying, row: tuple[int, int, int], share: float) -> None:
    x, recency, age = row
    single = Single(model, YEAR)

    def worth(at: int) -> float:
        return single.score(History(x, recency, at)).discounted

    bound = worth(age) * share
    found = age_below(worth, bound, age, age + AGE_MAX, model.scale_days)
    if found is None:
        assert worth(age + AGE_MAX) >= bound
    else:
        assert worth(found) < bound <= worth(found - 1)


def test_a_few_looks_are_enough() -> None:
    looks = []
    for model in MODELS:
        single = Single(model, YEAR)
        for x, recency in ((1, 30), (5, 200), (40, 300)):

            def worth(at: int, x: int = x, recency: int = recency, single: Single = single) -> float:
                looks.append(at)
                return single.score(History(x, recency, at)).discounted

            age_below(worth, worth(recency) / 3, recency, AGE_MAX, model.scale_days)
    assert len(looks) / 9 <= 12


@pytest.mark.parametrize("model", MODELS)
def test_many_at_once_fall_on_the_days_on_which_each_does(model: Buying) -> None:
    rows = [(0, 0, 10), (1, 30, 40), (5, 200, 210), (40, 300, 500), (3, 3, 3_000), (9, 60, 60)]
    three = columns(rows)
    now = scored(model, *three, YEAR).discounted
    bounds = now * floats(0.5, 0.9, 0.1, 2.0, 0.999, 0.0)
    single = Single(model, YEAR)
    alone = []
    for (x, recency, age), bound in zip(rows, bounds, strict=True):

        def worth(at: int, x: int = x, recency: int = recency) -> float:
            return single.score(History(x, recency, at)).discounted

        alone.append(age_below(worth, float(bound), age, 7_300, 30.0))
    found = ages_below(model, *three, bounds, 7_300, YEAR)
    assert found.tolist() == [NEVER if age is None else age for age in alone]
    assert found[3] == rows[3][2], "already below"
    assert found[5] == NEVER, "nothing is below nothing"


def test_many_are_none() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert len(ages_below(MODELS[0], none, none, none, floats(), 100, YEAR)) == 0
