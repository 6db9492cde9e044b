"""A segment beside similar customers: what is told of its members, and which differences count."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from services.profile.domain.segments import comparing
from services.profile.domain.segments.comparing import RARE_BELOW, Counted, apart, feedback, gaps, shares


def counted(*documents: dict[str, Any]) -> Counted:
    found = Counted()
    for document in documents:
        found.add(document)
    return found


def somebody(*needs: str, channel: str = "web", area: str | None = None, nps: int | None = None) -> dict[str, Any]:
    """A customer's document."""
    areas = [{"area": area, "orders": 1}] if area else []
    return {
        "needs": [{"need": need} for need in needs],
        "interaction": {
            "by_channel": {channel: 2, "email": 0},
            "services": [{"name": None, "service_id": "s1"}, {"name": None, "service_id": "s1"}],
            "feedback": {"nps": {"score": nps}} if nps is not None else None,
        },
        "value": {"actual": {"by_area": areas}},
    }


def test_a_customer_counts_once_for_each_name_and_most_members_come_first() -> None:
    members = counted(somebody("tea", "tea", "milk"), somebody("tea"), {"needs": None})
    told = shares(members, counted(somebody("milk")), "needs")
    assert told == [
        {"name": "tea", "customers": 2, "share": 0.6667, "similar_share": 0.0},
        {"name": "milk", "customers": 1, "share": 0.3333, "similar_share": 1.0},
    ]
    assert [one["name"] for one in shares(members, Counted(), "channels")] == ["web"], "none by e-mail"
    assert shares(members, Counted(), "services")[0]["customers"] == 2


def test_what_similar_customers_have_more_often_than_chance_is_a_gap_and_what_members_have_more_is_none() -> None:
    members = counted(*[somebody("tea", area="Tea")] * 100)
    similar = counted(*[somebody("tea", "milk", area="Dairy")] * 60, *[somebody(channel="store")] * 40)
    found = gaps(members, similar)
    assert {(one["kind"], one["name"]) for one in found} == {
        ("needs", "milk"), ("areas", "Dairy"), ("channels", "store"),
    }  # fmt: skip
    assert all(one["share"] < one["similar_share"] and one["sigmas"] >= comparing.SIGMAS_MIN for one in found)
    assert [one["name"] for one in gaps(members, similar, ("areas",))] == ["Dairy"]


def test_of_a_handful_no_difference_counts() -> None:
    assert gaps(counted(*[somebody()] * 4), counted(*[somebody("milk")] * 4)) == []
    assert gaps(Counted(), Counted()) == []


@given(st.integers(1, 500), st.integers(1, 500), st.data())
def test_the_difference_in_standard_errors_is_the_two_proportion_z_of_a_table(
    of: int, other_of: int, data: Any
) -> None:
    one, other = data.draw(st.integers(0, of)), data.draw(st.integers(0, other_of))
    sigmas = apart(one, of, other, other_of)
    table = [[one, of - one], [other, other_of - other]]
    if any(sum(column) == 0 for column in zip(*table, strict=True)):
        assert sigmas == 0.0
        return
    assert sigmas**2 == pytest.approx(stats.chi2_contingency(table, correction=False).statistic, abs=1e-6)
    assert (sigmas > 0) == (one / of > other / other_of)
    assert apart(other, other_of, one, of) == pytest.approx(-sigmas)


def test_promoters_less_detractors_in_percent_and_the_means_beside() -> None:
    members = counted(*(somebody(nps=score) for score in (10, 9, 8, 0)), somebody())
    (told,) = feedback(members, counted(somebody(nps=4)))
    assert told == {"scale": "nps", "customers": 4, "nps": 25.0, "mean": 6.75, "similar_mean": 4.0}
    assert feedback(counted(somebody()), members) == []


def test_needs_of_few_are_forgotten_for_whoever_may_see_nothing_personal() -> None:
    members = counted(*[somebody("tea")] * RARE_BELOW, somebody("my own words"))
    members.forget_rare()
    assert [one["name"] for one in shares(members, Counted(), "needs")] == ["tea"]
    assert members.share("needs", "my own words") == 0.0
    assert inf > members.share("needs", "tea") > 0.8
