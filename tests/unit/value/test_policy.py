"""Reading a policy: what is wrong is named, and no float gets in."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from services.value.domain.policy import Grade, read_policy
from tests.unit.value.stating import POLICY, SHIPPED


def changed(part: str, value: Any) -> dict[str, Any]:
    """The shipped policy with one part replaced."""
    return {**copy.deepcopy(SHIPPED), part: value}


def grades(*bounds: Any) -> list[dict[str, Any]]:
    """Grades with these bounds; None: without one."""
    return [
        {"grade": name, "purpose": "", **({} if bound is None else {"revenue_from": bound})}
        for name, bound in zip("ABCDEFG", bounds, strict=False)
    ]


def test_the_shipped_policy_is_read() -> None:
    assert (POLICY.version, POLICY.reporting_currency) == (1, "USD")
    assert POLICY.margin_rate("Shoes") == 250_000
    assert [(g.name, g.revenue_from) for g in POLICY.grades] == [
        ("A", 20_000_000),
        ("B", 7_500_000),
        ("C", 1_500_000),
        ("D", None),
    ]
    assert (POLICY.high_from, POLICY.medium_from) == (4_000_000, 1_000_000)


def test_an_area_has_its_own_rate_else_the_default_else_none() -> None:
    own = read_policy(changed("margin_rates", {"Shoes": "0.4", "default": "0.1"}))
    assert (own.margin_rate("Shoes"), own.margin_rate("Books")) == (400_000, 100_000)
    assert read_policy(changed("margin_rates", {"Shoes": 1})).margin_rate("Books") == 0
    assert read_policy(changed("margin_rates", {})).margin_rate("Books") == 0


def test_numbers_may_be_whole_or_text() -> None:
    found = read_policy(changed("grades", grades("10.5", 3, None)))
    assert found.grades == (Grade("A", 105_000, ""), Grade("B", 30_000, ""), Grade("C", None, ""))


@pytest.mark.parametrize("part", ["version", "reporting_currency", "margin_rates", "grades", "actual"])
def test_a_missing_part_is_named(part: str) -> None:
    spoilt = {name: value for name, value in SHIPPED.items() if name != part}
    with pytest.raises(ValueError, match=part):
        read_policy(spoilt)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("version", "1"),
        ("version", True),
        ("reporting_currency", "dollars"),
        ("reporting_currency", None),
        ("margin_rates", [1]),
        ("margin_rates", {"default": 0.25}),
        ("margin_rates", {"default": "1.01"}),
        ("margin_rates", {"default": "-0.1"}),
        ("margin_rates", {"default": "0.1234567"}),
        ("margin_rates", {"default": "much"}),
        ("grades", []),
        ("grades", {"A": 5}),
        ("grades", grades(5)),
        ("grades", grades(None, None)),
        ("grades", grades(5, 5, None)),
        ("grades", grades(5, 7, None)),
        ("grades", grades(5.5, None)),
        ("grades", grades("0.00001", None)),
        ("grades", [*grades(5, None)[:1], {"grade": "A", "purpose": ""}]),
        ("grades", [{"grade": "A"}]),
        ("grades", [{"grade": 1, "purpose": ""}]),
        ("actual", {"high": 5}),
        ("actual", {"high": 5, "medium": 5}),
        ("actual", {"high": 5.0, "medium": 1}),
        ("actual", 5),
        ("actual", {"high": 5, "medium": 1, "purposes": {"top": "x"}}),
        ("costs", [{"channel": "pigeon", "piece": 1}]),
        ("costs", [{"channel": "call", "piece": 1.5}]),
        ("costs", [{"channel": "call", "minute": "-1"}]),
        ("costs", [{"channel": "call", "piece": 1}, {"channel": "call", "direction": "inbound", "minute": 1}]),
        ("strategic", {"high": 5}),
        ("strategic", {"high": 5, "medium": 5}),
        ("strategic", {"high": 5, "medium": 1, "half_life_days": 0}),
        ("churn", {"cause_days": "90"}),
    ],
)
def test_a_part_of_another_shape_is_named(part: str, value: Any) -> None:
    with pytest.raises(ValueError, match=part):
        read_policy(changed(part, value))


def test_a_float_is_refused_with_what_to_write_instead() -> None:
    with pytest.raises(ValueError, match=r'write it as text, "0\.25"'):
        read_policy(changed("margin_rates", {"default": 0.25}))


def test_an_older_policy_without_the_newer_parts_means_what_it_meant() -> None:
    old = {name: part for name, part in SHIPPED.items() if name not in ("costs", "strategic", "churn")}
    found = read_policy(old)
    assert found.prices == {}
    assert found.strategy.high_from is None


def test_a_price_without_a_direction_is_for_both() -> None:
    costs = [
        {"channel": "call", "piece": 2, "minute": "0.80"},
        {"channel": "mail", "direction": "outbound", "piece": 1},
    ]
    found = read_policy(changed("costs", costs)).prices
    assert found["call", "inbound"] == found["call", "outbound"] == (20_000, 8_000)
    assert set(found) == {("call", "inbound"), ("call", "outbound"), ("mail", "outbound")}
