"""Planted groups of customers are found again, under labels a person can read, whatever order they came in."""

from __future__ import annotations

import random
from collections.abc import Sequence
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.value.domain.models.groups import EVERYBODY, learn_groups

NEEDS = {
    "climbers": {"Ropes": 6, "Shoes": 3, "Books": 1},
    "cooks": {"Kitchen": 6, "Books": 2, "Garden": 1},
    "gardeners": {"Garden": 6, "Shoes": 1, "Kitchen": 1},
    "readers": {"Books": 6, "Kitchen": 1},
}


def planted(count: int, seed: int) -> list[tuple[str, dict[str, int]]]:
    """(what they are, what they bought): each mostly of his kind, some of anything."""
    draw, areas = np.random.default_rng(seed), sorted({area for needs in NEEDS.values() for area in needs})
    found = []
    for number in range(count):
        kind = sorted(NEEDS)[number % len(NEEDS)]
        likely = np.array([NEEDS[kind].get(area, 0) + 0.15 for area in areas])
        bought = draw.multinomial(int(draw.integers(4, 20)), likely / likely.sum())
        found.append((kind, {area: int(n) for area, n in zip(areas, bought, strict=True) if n}))
    return found


def adjusted_rand(one: list[str], other: list[str]) -> float:
    """Hubert and Arabie (1985): 1 for the same partition, about 0 for chance."""
    pairs = comb(len(one), 2)
    both = sum(comb(n, 2) for n in _sizes(list(zip(one, other, strict=True))))
    left, right = (sum(comb(n, 2) for n in _sizes(side)) for side in (one, other))
    expected = left * right / pairs
    return (both - expected) / ((left + right) / 2 - expected)


def _sizes(named: Sequence[object]) -> list[int]:
    return [named.count(name) for name in set(named)]


@pytest.mark.parametrize("seed", range(4))
def test_planted_groups_are_recovered_with_labels_a_person_can_read(seed: int) -> None:
    customers = planted(400, seed)
    groups = learn_groups([bought for _, bought in customers], 1)
    found = [groups.nearest(bought) for _, bought in customers]
    assert all(found)
    rand = adjusted_rand([kind for kind, _ in customers], [one.label for one in found if one])
    assert rand >= 0.8, rand
    assert {label.split(" and ")[0] for label, _ in groups.groups} == {"Ropes", "Kitchen", "Garden", "Books"}
    assert all(0 <= one.confidence <= 1 for one in found if one)


def test_who_is_between_two_groups_is_less_sure_than_who_is_in_one() -> None:
    groups = learn_groups([bought for _, bought in planted(400, seed=5)], 1)
    pure, mixed = groups.nearest({"Ropes": 9}), groups.nearest({"Ropes": 5, "Kitchen": 5})
    assert pure is not None
    assert mixed is not None
    assert pure.confidence > mixed.confidence
    assert groups.nearest({}) is None
    assert groups.nearest({"Nobody buys this": 3}) is None


@settings(max_examples=5, deadline=None)
@given(st.randoms(use_true_random=False))
def test_in_any_order_the_same_groups_are_learnt(chance: random.Random) -> None:
    customers = [bought for _, bought in planted(80, seed=2)]
    mixed = list(customers)
    chance.shuffle(mixed)
    assert learn_groups(mixed, 1) == learn_groups(customers, 1)


def test_customers_who_are_all_alike_are_one_group_and_nobody_is_none() -> None:
    alike = learn_groups([{"Shoes": 3, "Books": 1}] * 50, 1)
    assert [label for label, _ in alike.groups] == [EVERYBODY]
    nearest = alike.nearest({"Shoes": 1})
    assert nearest is not None
    assert nearest.label == EVERYBODY
    assert learn_groups([], 1).groups == ()
    assert learn_groups([{"Shoes": 1}], 1).nearest({"Shoes": 1}) is None
