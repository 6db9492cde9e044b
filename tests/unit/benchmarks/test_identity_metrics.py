"""The measures of who-is-who against values worked out by hand."""

from __future__ import annotations

import pytest

from tests.benchmarks.identity.metrics import best, closed, measured, swept

TRUTH = {"a": "ann", "b": "ann", "c": "ann", "d": "bob", "e": "bob", "f": "cat"}
"""Pairs of one person: ab, ac, bc, de."""


def test_the_truth_itself_is_right_throughout() -> None:
    found = measured(TRUTH, TRUTH)
    assert (found.precision, found.recall, found.f1) == (1, 1, 1)
    assert (found.bcubed_precision, found.bcubed_recall, found.bcubed_f1) == (1, 1, 1)
    assert (found.records, found.persons, found.customers) == (6, 3, 3)


def test_a_split_and_a_merge_by_hand() -> None:
    found = measured(TRUTH, {"a": 1, "b": 1, "c": 2, "d": 2, "e": 2, "f": 3})
    # Said: ab, cd, ce, de; right are ab and de.
    assert (found.pairs_true, found.pairs_said, found.pairs_right) == (4, 4, 2)
    assert (found.precision, found.recall, found.f1) == (0.5, 0.5, 0.5)
    # Precision by record: a 1, b 1, c 1/3, d 2/3, e 2/3, f 1; recall: a 2/3, b 2/3, c 1/3, d 1, e 1, f 1.
    assert found.bcubed_precision == pytest.approx((1 + 1 + 1 / 3 + 2 / 3 + 2 / 3 + 1) / 6)
    assert found.bcubed_recall == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 3) / 6)
    precision, recall = 14 / 18, 14 / 18
    assert found.bcubed_f1 == pytest.approx(2 * precision * recall / (precision + recall))


def test_all_in_one_cluster() -> None:
    found = measured(TRUTH, dict.fromkeys(TRUTH, "all"))
    # 15 pairs said, 4 right; by record: 3 of 3/6, 2 of 2/6, 1 of 1/6.
    assert found.precision == pytest.approx(4 / 15)
    assert found.recall == 1
    assert found.f1 == pytest.approx(8 / 19)
    assert found.bcubed_precision == pytest.approx((3 * 3 / 6 + 2 * 2 / 6 + 1 / 6) / 6)
    assert found.bcubed_recall == 1


def test_records_without_a_cluster_are_alone_and_records_without_a_truth_do_not_count() -> None:
    found = measured(TRUTH, {"a": None, "b": 1, "x": 1, "y": 1})
    assert (found.pairs_said, found.customers) == (0, 6)
    assert (found.precision, found.recall, found.f1) == (1, 0, 0)
    assert found.bcubed_precision == 1
    assert found.bcubed_recall == pytest.approx((3 * 1 / 3 + 2 * 1 / 2 + 1) / 6)


def test_pairs_close_into_clusters() -> None:
    found = closed("abcdef", [("a", "b"), ("c", "b"), ("e", "d")])
    assert found["a"] == found["b"] == found["c"]
    assert found["d"] == found["e"]
    assert len(set(found.values())) == 3


def test_each_threshold_closes_the_pairs_at_least_that_sure() -> None:
    pairs = [("a", "b", 0.9), ("d", "e", 0.8), ("b", "c", 0.5), ("c", "d", 0.2)]
    sweep = swept(TRUTH, pairs, (0.2, 0.5, 0.8, 0.9, 0.95))
    # .95 nothing; .9 ab; .8 ab de; .5 abc de; .2 abcde: 10 pairs said, 4 right.
    assert [at.threshold for at in sweep] == [0.95, 0.9, 0.8, 0.5, 0.2]
    said = [(at.accuracy.pairs_said, at.accuracy.pairs_right) for at in sweep]
    assert said == [(0, 0), (1, 1), (2, 2), (4, 4), (10, 4)]
    assert best(sweep).threshold == 0.5
    assert best(sweep).accuracy.f1 == 1


def test_closing_agrees_with_closing_at_once() -> None:
    pairs = [("a", "d", 0.7), ("b", "e", 0.6), ("a", "b", 0.4)]
    for at in swept(TRUTH, pairs, (0.7, 0.6, 0.4)):
        sure = [(one, other) for one, other, score in pairs if score >= at.threshold]
        assert measured(TRUTH, closed(TRUTH, sure)) == at.accuracy
