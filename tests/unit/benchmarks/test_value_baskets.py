"""The next-basket benchmark: which basket is the next, which products count, and what recall is."""

from __future__ import annotations

import pytest

from tests.benchmarks.value.baskets import BASKETS_MIN, Split, split_at

OFTEN = [(f"h{n}", 10, f"b{n}", "milk") for n in range(BASKETS_MIN)]
ROWS = [
    *OFTEN,
    ("h0", 20, "late", "milk"),
    ("h0", 30, "later", "milk"),
    ("h0", 20, "late", "caviar"),
    ("h1", 9, "early", "caviar"),
    ("new", 25, "first", "milk"),
]


def test_the_next_basket_is_the_first_after_the_split_with_products_many_buy() -> None:
    split = split_at(ROWS, 15)
    assert split.following == {"h0": {"milk"}, "new": {"milk"}}
    assert split.baskets == {"milk": BASKETS_MIN}
    assert split.own["h0"]["milk"].days == 1
    assert "caviar" not in split.own["h1"]


def test_nothing_after_the_split_is_known() -> None:
    assert split_at(ROWS, 15).own == split_at([row for row in ROWS if row[1] <= 15], 15).own


def test_recall_is_by_the_basket_or_by_ten() -> None:
    split = Split(following={"a": {"1", "2"}, "b": {str(n) for n in range(20)}}, own={})
    assert split.recall(lambda _: ["1"]) == pytest.approx((1 / 2 + 1 / 10) / 2)
    assert split.recall(lambda _: [str(n) for n in range(10)]) == pytest.approx(1)


def test_what_is_new_leaves_out_what_was_bought_before() -> None:
    split = split_at(ROWS, 15)
    assert split.recall_new(lambda _: ["milk"]) == pytest.approx(1), "only who had never bought it counts"
