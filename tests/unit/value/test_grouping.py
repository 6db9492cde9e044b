"""Needs groups in the policy: which one somebody is in, by what he buys and what he says he needs."""

from __future__ import annotations

from typing import Any

import pytest

from services.value.domain.grouping import (
    AGAIN,
    ONCE,
    SENT_BACK,
    WEEKDAY,
    WEEKEND,
    Speaking,
    behaving,
    learnt,
    proposed,
)
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
    assert group({"Books": 3}) == {
        "needs_group": "readers", "confidence": 1.0, "part": None, "part_confidence": None, "recurring": True,
        "version": 2,
    }  # fmt: skip
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
    found = proposed(SHIPPED, [Speaking(what, {}) for what in customers], 3)
    groups = read_policy(found).groups
    assert groups is not None
    assert groups.version == 3
    assert {label for label, _ in groups.groups} == {"Shoes and Books", "Garden"}
    assert "needs" not in SHIPPED


THURSDAY = 7 * 3_000
"""1970-01-01 was one."""


def test_how_somebody_buys_is_told_by_days_and_by_what_he_sends_back() -> None:
    assert behaving([THURSDAY], sent_back=False) == {ONCE: 1, WEEKDAY: 1}
    week = behaving(range(THURSDAY, THURSDAY + 7), sent_back=True)
    assert week == {AGAIN: 6, WEEKEND: 2, WEEKDAY: 5, SENT_BACK: 3}
    assert behaving([], sent_back=False) == {}


def two_kinds_of_readers() -> list[Speaking]:
    """Some buy a book at each weekend, some bought one once; cooks are all alike, and few."""
    often = Speaking({"Books": 8}, behaving([THURSDAY + 2 + 7 * n for n in range(8)], sent_back=False))
    once = Speaking({"Books": 1}, behaving([THURSDAY], sent_back=False))
    cooks = Speaking({"Kitchen": 3}, behaving([THURSDAY, THURSDAY + 1, THURSDAY + 4], sent_back=False))
    return [often, once] * 20 + [cooks] * 30


def test_a_group_has_parts_where_its_customers_buy_in_different_ways() -> None:
    groups = learnt(two_kinds_of_readers(), 4)
    assert {label for label, _ in groups.groups} == {"Books", "Kitchen"}
    assert groups.parts.keys() == {"Books"}
    labels = {label for label, _ in groups.parts["Books"].groups}
    assert labels == {"at weekends and bought again", "bought once and on weekdays"}, labels
    assert learnt(reversed(two_kinds_of_readers()), 4) == groups


def test_the_part_somebody_is_in_is_told_with_how_sure_that_is() -> None:
    document = {**SHIPPED, **{"needs": proposed(SHIPPED, two_kinds_of_readers(), 4)["needs"]}}
    policy = read_policy(document)
    assert policy.groups == learnt(two_kinds_of_readers(), 4)
    saturdays = [cell for n in range(5) for cell in bought(THURSDAY + 2 + 7 * n, area="Books")]
    body = worth(Known(saturdays), policy, Looking(THURSDAY + 60)).body
    assert body is not None
    assert body["group"]["needs_group"] == "Books"
    assert body["group"]["part"] == "at weekends and bought again"
    assert 0.5 < body["group"]["part_confidence"] <= 1


@pytest.mark.parametrize(
    "parts",
    [
        {"rarity": {}, "groups": [{"label": "x"}]},
        {"groups": []},
        {"rarity": {}, "groups": [{"label": "x", "weights": {}, "parts": {"rarity": {}, "groups": []}}]},
    ],
)
def test_parts_that_cannot_be_read_are_refused_with_the_policy(parts: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="needs"):
        read_policy({**SHIPPED, "needs": {**NEEDS, "groups": [{**NEEDS["groups"][0], "parts": parts}]}})


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
