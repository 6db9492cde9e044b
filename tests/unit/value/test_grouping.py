"""Needs groups in the policy: which one somebody is in, by what he buys and what he says he needs."""

from __future__ import annotations

from typing import Any

import pytest

from services.value.domain.grouping import proposed
from services.value.domain.ledger import Known, Looking, worth
from services.value.domain.policy import read_policy
from services.value.domain.statements import Statement
from tests.unit.value.foreseen import bought
from tests.unit.value.stating import SHIPPED
from tests.unit.value.test_strategy import DAY, said

NEEDS: dict[str, Any] = {
    "version": 2,
    "rarity": {"Shoes": "1", "Books": "1", "needs ropes": "2"},
    "groups": [
        {"label": "readers", "weights": {"Books": "1"}},
        {"label": "climbers", "weights": {"Shoes": "0.8", "needs ropes": "0.6"}},
    ],
}
GROUPED = read_policy({**SHIPPED, "needs": NEEDS})


def group(areas: dict[str, int], *statements: Statement) -> Any:
    """The section's part of who bought so often in these areas, a day apart."""
    cells = [cell for area, times in areas.items() for cell in bought(*range(DAY, DAY + times), area=area)]
    body = worth(Known(cells, said=statements), GROUPED, Looking(DAY + 99)).body
    assert body is not None
    return body["group"]


def test_a_customer_is_in_the_nearest_group_with_how_sure_that_is() -> None:
    assert group({"Books": 3}) == {"needs_group": "readers", "confidence": 1.0, "recurring": True, "version": 2}
    both = group({"Books": 1, "Shoes": 1})
    assert (both["needs_group"], both["recurring"]) == ("readers", False)
    assert both["confidence"] < 0.5


def test_what_he_says_he_needs_counts_like_some_purchases() -> None:
    ropes = said("need.stated", need=" Ropes ")
    assert group({"Books": 1}, ropes)["needs_group"] == "climbers"
    assert group({"Books": 1})["needs_group"] == "readers"


def test_of_whom_nothing_speaks_there_is_no_group() -> None:
    assert group({"Garden": 4}) is None
    assert group({"other": 4}) is None


def test_what_is_proposed_can_be_read_and_put_in_force() -> None:
    customers = [{"Shoes": 4, "Books": 1}] * 20 + [{"Garden": 5, "Kitchen": 1}] * 20
    found = proposed(SHIPPED, customers, 3)
    groups = read_policy(found).groups
    assert groups is not None
    assert groups.version == 3
    assert {label for label, _ in groups.groups} == {"Shoes and Books", "Garden"}
    assert "needs" not in SHIPPED


@pytest.mark.parametrize(
    "changes",
    [
        {"version": "x"},
        {"rarity": {"Shoes": "much"}},
        {"rarity": {"Shoes": "-1"}},
        {"groups": [NEEDS["groups"][0]] * 2},
        {"groups": [{"label": "x"}]},
        {"groups": 5},
    ],
)
def test_groups_that_cannot_be_read_are_refused_with_the_policy(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="needs"):
        read_policy({**SHIPPED, "needs": {**NEEDS, **changes}})
