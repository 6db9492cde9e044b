"""Fitting finds the shares a population was made with, from its records alone, and proposes a policy of them."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from copy import deepcopy
from importlib.resources import files
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from services.identity.domain.policy import read_policy
from services.identity.domain.similarity import sampling
from services.identity.domain.similarity.blocking import Values
from services.identity.domain.similarity.fitting import APART, Fitted, fit, proposed, weights
from services.identity.domain.similarity.kinds import LEVELS, Kind

DOCUMENT: dict[str, Any] = yaml.safe_load(files("services.identity").joinpath("policy.yaml").read_text())
MODEL = read_policy(DOCUMENT).similarity
HOMES = 500
PEOPLE_PER_HOME = 2
SLIPS = {"firstName": 0.15, "lastName": 0.1, "birthday": 0.08, "gender": 0.02, "address.postalCode": 0.1}
"""Field → share of second records that hold a stranger's value instead."""
MOVED = 0.1
PEOPLE = HOMES * PEOPLE_PER_HOME
PAIRS = math.comb(2 * PEOPLE, 2)
KIN_PAIRS = 4 * HOMES
"""Each record of one against each of the other; those who moved, or whose name or code slipped, share less."""


def _word(draw: random.Random, letters: int) -> str:
    return "".join(draw.choice("bdfgklmnprstvz") + draw.choice("aeiou") for _ in range(letters // 2))


class _World:
    """People two to a home, two records of each; `first` is as it is, `second` with slips."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.given = [_word(self.draw, 8) for _ in range(120)]
        self.surnames = [_word(self.draw, 8) for _ in range(150)]
        self.records: dict[str, Values] = {}
        for home in range(HOMES):
            surname, code, street = self._surname(), self._code(), self._street()
            for one in range(PEOPLE_PER_HOME):
                self._write(f"{home}.{one}", surname, code, street)

    def _surname(self) -> str:
        return self.draw.choice(self.surnames)

    def _code(self) -> str:
        return f"{self.draw.randrange(400) * 2477 + 10_000}"

    def _street(self) -> str:
        return f"{self.draw.randrange(1, 200)} {_word(self.draw, 10)}"

    def _personal(self) -> dict[str, str]:
        draw = self.draw
        return {
            "firstName": draw.choices(self.given, [1 / (1 + rank) for rank in range(len(self.given))])[0],
            "birthday": f"{draw.randrange(1940, 2005)}-{draw.randrange(1, 13):02d}-{draw.randrange(1, 29):02d}",
            "gender": draw.choice("mf"),
        }

    def _write(self, name: str, surname: str, code: str, street: str) -> None:
        home = {"lastName": surname, "address.postalCode": code, "address.street": street}
        first = {**self._personal(), **home}
        other = {**self._personal(), "lastName": self._surname(), "address.postalCode": self._code()}
        second = {f: other[f] if self.draw.random() < SLIPS.get(f, 0.0) else value for f, value in first.items()}
        if self.draw.random() < MOVED:
            second |= {"address.postalCode": self._code(), "address.street": self._street()}
        self.records[f"{name}a"] = {f: (value,) for f, value in first.items()}
        self.records[f"{name}b"] = {f: (value,) for f, value in second.items()}


@pytest.fixture(scope="module")
def few_pairs() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sampling, "RANDOM_PAIRS_MAX", 30_000)
        yield


@pytest.fixture(scope="module")
def world() -> Mapping[str, Values]:
    return _World(5).records


@pytest.fixture(scope="module")
def fitted(world: Mapping[str, Values], few_pairs: None) -> Fitted:
    return fit(world, MODEL, {})


@pytest.mark.parametrize("field", ["firstName", "lastName", "birthday", "gender"])
def test_one_persons_records_agree_as_often_as_they_do(
    fitted: Fitted, world: Mapping[str, Values], field: str
) -> None:
    """Within 0.03: beside names, only gender tells a wrong birthday from kin of the same given name."""
    agreeing = sum(world[name][field] == world[f"{name[:-1]}b"][field] for name in world if name.endswith("a"))
    assert fitted.fields[field].m["exact"] == pytest.approx(agreeing / PEOPLE, abs=0.03)


def test_what_a_home_shares_agrees_less_often_by_those_who_moved(fitted: Fitted) -> None:
    assert fitted.fields["address.street"].m["exact"] == pytest.approx(1 - MOVED, abs=0.03)
    assert fitted.fields["address.postalCode"].m["exact"] == pytest.approx((1 - MOVED) * 0.9, abs=0.03)


def test_strangers_agree_by_chance(fitted: Fitted) -> None:
    common = [1 / (1 + rank) for rank in range(120)]
    given_names = sum(one * one for one in common) / sum(common) ** 2
    for field, chance, bits in (
        ("firstName", given_names, 0.1),
        ("lastName", 1 / 150, 0.4),
        ("gender", 0.5, 0.05),
        ("address.postalCode", 1 / 400, 0.4),
        ("birthday", 1 / (65 * 12 * 28), 1.3),
    ):
        assert math.log2(fitted.fields[field].u["exact"] / chance) == pytest.approx(0, abs=bits), field


def test_the_prior_is_the_share_of_matches_and_the_bounds_those_of_kin_and_of_moves(fitted: Fitted) -> None:
    assert fitted.prior_bits == pytest.approx(math.log2(PEOPLE / PAIRS), abs=0.15)
    assert fitted.shared_bits_max == pytest.approx(-math.log2(KIN_PAIRS / PAIRS), abs=0.6)
    assert fitted.shared_bits_min == pytest.approx(math.log2(MOVED), abs=0.4)


def test_a_source_without_duplicates_says_that_two_of_its_numbers_are_two_people(
    world: Mapping[str, Values], few_pairs: None
) -> None:
    tidy = {name: f"crm_id.{name[-1]}" for name in world}
    found = fit(world, MODEL, tidy, seed=1).same_source
    assert found.keys() == {"crm_id.a", "crm_id.b"}
    assert all(-6 <= bits < -4 for bits in found.values())
    one = fit(world, MODEL, dict.fromkeys(world, "crm_id.one")).same_source
    assert one == {"crm_id.one": pytest.approx(0, abs=0.1)}


def test_a_common_name_weighs_less_than_a_rare_one(fitted: Fitted, world: Mapping[str, Values]) -> None:
    found = fitted.fields["firstName"]
    holders = [values["firstName"][0] for values in world.values()]
    commonest = max(set(holders), key=holders.count)
    assert found.frequencies[commonest] == pytest.approx(holders.count(commonest) / len(holders), abs=1e-6)
    assert math.log2(found.m["exact"] / found.frequencies[commonest]) < found.weights["exact"]
    assert not fitted.fields["birthday"].frequencies


def test_the_order_of_the_records_does_not_matter(
    monkeypatch: pytest.MonkeyPatch, world: Mapping[str, Values]
) -> None:
    monkeypatch.setattr(sampling, "RANDOM_PAIRS_MAX", 5_000)
    some = dict(list(world.items())[:400])
    turned = dict(reversed(some.items()))
    assert fit(some, MODEL, {}) == fit(turned, MODEL, {})
    assert fit(some, MODEL, {}, seed=2) == fit(turned, MODEL, {}, seed=2) != fit(some, MODEL, {})


@pytest.mark.parametrize("limits", [(2_000, 1_500), (50, 20), (1, 1)])
def test_the_work_is_bounded(monkeypatch: pytest.MonkeyPatch, world: Mapping[str, Values], limits: Any) -> None:
    monkeypatch.setattr(sampling, "RANDOM_PAIRS_MAX", limits[0])
    monkeypatch.setattr(sampling, "BLOCKED_PAIRS_MAX", limits[1])
    found = fit(dict(list(world.items())[:300]), MODEL, {})
    assert found.random_pairs == limits[0]
    assert found.blocked_pairs <= limits[1]


@settings(max_examples=100)
@given(st.sampled_from([kind for kind in Kind if LEVELS[kind]]), st.data())
def test_a_less_alike_level_never_weighs_more(kind: Kind, data: st.DataObject) -> None:
    levels = LEVELS[kind]
    shares = st.lists(st.floats(1e-9, 1.0), min_size=len(levels), max_size=len(levels))
    bits = weights(levels, data.draw(shares), data.draw(shares))
    ordered = [b for level, b in zip(levels, bits, strict=True) if level not in APART]
    assert ordered == sorted(ordered, reverse=True)
    assert all(bits[levels.index("different")] <= b <= bits[0] for b in bits[: levels.index("different")])


def test_levels_in_order_keep_their_own_weights() -> None:
    assert weights(("exact", "slip", "different"), (0.8, 0.1, 0.1), (0.1, 0.1, 0.8)) == [3.0, 0.0, -3.0]
    assert weights(("exact", "slip", "different"), (0.1, 0.8, 0.1), (0.1, 0.1, 0.8)) == [2.2, 2.2, -3.0]


def _alike(count: int) -> dict[str, Values]:
    return {f"r{i}": {"firstName": ("ann",), "lastName": ("lee",), "birthday": ("1980-02-03",)} for i in range(count)}


def _of_one_field(field: str, value: str) -> dict[str, Values]:
    return {f"r{i}": {field: (f"{value}{i % 7}",)} for i in range(40)}


@pytest.mark.parametrize(
    "records",
    [
        {},
        {"r": {}},
        _alike(1),
        _alike(2),
        _alike(40),
        _alike(80),
        {f"r{i}": {} for i in range(10)},
        _of_one_field("lastName", "lee"),
        _of_one_field("nationalId", "12345"),
        {"a": {"firstName": ("ann",)}, "b": {"birthday": ("1980-02-03",)}},
    ],
)
def test_whatever_there_is_gives_a_policy(records: dict[str, Values]) -> None:
    found = fit(records, MODEL, {})
    model = read_policy(proposed(DOCUMENT, found)).similarity
    assert all(math.isfinite(bits) for field in model.fields.values() for bits in field.weights)


def test_a_field_nobody_has_keeps_its_weights(fitted: Fitted) -> None:
    assert "nationalId" not in fitted.fields
    changed = proposed(DOCUMENT, fitted)["similarity"]["compared"]
    assert changed["nationalId"] == DOCUMENT["similarity"]["compared"]["nationalId"]


def test_the_proposal_changes_only_what_was_fitted(fitted: Fitted) -> None:
    before = deepcopy(DOCUMENT)
    changed = proposed(DOCUMENT, fitted)
    assert before == DOCUMENT
    policy = read_policy(changed)
    assert policy.similarity.prior_bits == fitted.prior_bits
    names = policy.similarity.fields["firstName"]
    assert names.weights == tuple(fitted.fields["firstName"].weights.values())
    assert names.frequencies == fitted.fields["firstName"].frequencies
    for document in (before, changed):
        for bound in ("prior_bits", "shared_bits_max", "shared_bits_min"):
            del document["similarity"][bound]
        for entry in document["similarity"]["compared"].values():
            for part in ("weights", "frequencies", "exact_m"):
                entry.pop(part, None)
    assert changed == before
