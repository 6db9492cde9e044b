"""Accuracy by counting equals accuracy by looking at every pair; the baseline joins whatever touches."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ops.demo.accuracy import RecordKey, evaluate, transitive_closure


def _event(
    type_: str = "contact.identified", previous: dict[str, str] | None = None, **identifiers: Any
) -> dict[str, Any]:
    properties = {"previous": previous} if previous else {}
    return {"type": type_, "data": {"identifiers": identifiers, "properties": properties}}


_answers = st.lists(st.tuples(st.integers(0, 5), st.none() | st.integers(0, 5)), max_size=25)


@given(_answers)
def test_counting_equals_looking_at_every_pair(answers: list[tuple[int, int | None]]) -> None:
    keys: list[RecordKey] = [("email", f"{i}@x.example") for i in range(len(answers))]
    truth = {key: person for key, (person, _) in zip(keys, answers, strict=True)}
    customers = {key: customer for key, (_, customer) in zip(keys, answers, strict=True)}
    said = {key: i + 100 if customers[key] is None else customers[key] for i, key in enumerate(keys)}
    pairs = list(combinations(keys, 2))
    true = {pair for pair in pairs if truth[pair[0]] == truth[pair[1]]}
    claimed = {pair for pair in pairs if said[pair[0]] == said[pair[1]]}
    found = evaluate(truth, customers)
    counted = found.pairs_true, found.pairs_said, found.pairs_right
    assert counted == (len(true), len(claimed), len(true & claimed))
    if keys:
        right = {a: sum(truth[a] == truth[b] and said[a] == said[b] for b in keys) for a in keys}
        precision = sum(right[a] / sum(said[a] == said[b] for b in keys) for a in keys) / len(keys)
        recall = sum(right[a] / sum(truth[a] == truth[b] for b in keys) for a in keys) / len(keys)
        assert found.bcubed_precision == pytest.approx(precision)
        assert found.bcubed_recall == pytest.approx(recall)


def test_a_hand_counted_answer() -> None:
    truth = {("email", name): person for name, person in (("a", 1), ("b", 1), ("c", 1), ("d", 2))}
    found = evaluate(truth, {("email", "a"): "X", ("email", "b"): "X", ("email", "d"): "X"})
    assert (found.records, found.persons, found.customers) == (4, 2, 2)
    assert (found.precision, found.recall) == (1 / 3, 1 / 3)
    assert found.f1 == pytest.approx(1 / 3)
    assert found.bcubed_precision == pytest.approx((2 / 3 + 2 / 3 + 1 + 1 / 3) / 4)
    assert found.bcubed_recall == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1) / 4)


def test_records_outside_the_truth_change_nothing() -> None:
    truth = {("email", "a"): 1, ("email", "b"): 1}
    answer = {("email", "a"): 7, ("email", "b"): 7}
    assert evaluate(truth, answer) == evaluate(truth, answer | {("email", "z"): 7})


def test_the_baseline_joins_through_chains_and_aliases_and_spellings() -> None:
    groups = transitive_closure(
        [
            _event(user_id="1", email="Ann@x.example"),
            _event(anonymous_id=["b1", "b2"]),
            _event(user_id="2"),
            _event(email="ann@x.example ", anonymous_id="b2"),
            _event("alias.asserted", {"type": "anonymous_id", "value": "b9"}, user_id="2"),
        ]
    )
    ann = {groups["user_id", "1"], groups["email", "ann@x.example"], groups["anonymous_id", "b1"]}
    assert ann == {groups["anonymous_id", "b2"]}
    assert groups["user_id", "2"] == groups["anonymous_id", "b9"] not in ann


def test_the_baseline_joins_nobody_through_a_blocked_value() -> None:
    groups = transitive_closure(
        [_event(user_id="undefined", anonymous_id="b1"), _event(user_id="undefined", anonymous_id="b2")]
    )
    assert groups == {("anonymous_id", "b1"): 0, ("anonymous_id", "b2"): 1}
