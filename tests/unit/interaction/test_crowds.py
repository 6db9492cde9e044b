"""Feedback of some customers: sums by month, without what too few of them stand behind."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.interaction.domain.crowds import Crowd
from services.interaction.domain.feedback import say, summary
from services.interaction.domain.scores import SCALES, figures, totals
from tests.unit.interaction.hearing import POLICY, facts
from tests.unit.interaction.surveying import answer, asked, nps

MARCH = "2026-03"


def of(*customers: Any) -> Crowd:
    crowd = Crowd()
    for events in customers:
        crowd.add(summary(facts(say, *events), POLICY))
    return crowd


def test_what_fewer_than_five_said_is_left_out_of_the_month_and_of_the_total() -> None:
    one, last = [asked(1), nps(2, 9)], [nps(2, 3), answer(3, "r2", score=5, scale="csat")]
    shown = of(*[one] * 4, last).shown(5, None, None)
    (march,) = shown["by_month"]
    assert (march["nps"]["score"], march["csat"], march["asked"]) == (60, None, 4)
    assert shown["hidden"] == ["by_month[2026-03].csat"]
    assert (shown["total"]["nps"]["count"], shown["total"]["csat"]["count"]) == (5, 0)


def test_a_month_of_fewer_than_five_tells_nothing() -> None:
    shown = of(*[[asked(1), nps(2, 9)]] * 4).shown(5, None, None)
    (march,) = shown["by_month"]
    assert {name for name, value in march.items() if value is None} >= {"nps", "asked", "answered", "response_rate"}
    assert (shown["total"]["asked"], shown["total"]["nps"]["count"]) == (0, 0)


DRAWN = st.lists(
    st.lists(st.tuples(st.integers(0, 90), st.integers(0, 10), st.sampled_from(["nps", "stars"])), max_size=4),
    max_size=12,
)


@given(drawn=DRAWN, least=st.integers(1, 6))
def test_totals_are_the_sum_of_what_months_tell_and_of_one_on_all_is_told(drawn: Any, least: int) -> None:
    people = [[answer(d, f"r{n}", score=s, scale=of) for n, (d, s, of) in enumerate(those)] for those in drawn]
    shown = of(*people).shown(least, None, None)
    for scale in SCALES:
        told = [month[scale]["count"] for month in shown["by_month"] if month[scale] is not None]
        assert shown["total"][scale]["count"] == sum(told)
    summed = totals(summary(facts(say, *events), POLICY) for events in people)
    if least == 1:
        assert not shown["hidden"]
        assert shown["by_month"] == [{"month": month, **figures(counts)} for month, counts in summed.items()]
    for month in shown["by_month"]:
        for scale in SCALES:
            scored = sum(
                bool(summary(facts(say, *e), POLICY).get(month["month"], {"scores": {}})["scores"].get(scale))
                for e in people
            )
            assert (month[scale] is None) is (0 < scored < least)
