"""A promoted model says what is to come of a ledger, on a day, with its version; without one nothing is said."""

from __future__ import annotations

import random
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.value.domain.fitting import Days, TooLittle, fitted
from services.value.domain.ledger import Cell, Known, Looking, worth
from services.value.domain.models.ledgers import Sums
from services.value.domain.orders import Amounts
from services.value.domain.policy import Policy, read_policy
from tests.unit.value import foreseen
from tests.unit.value.stating import SHIPPED

MODEL = {name: part for name, part in foreseen.MODEL.items() if name != "cut_offs"}


def policy(**changes: Any) -> Policy:
    """The shipped policy with a model."""
    return read_policy({**SHIPPED, "prediction": {**MODEL, **changes}})


def bought(*days: int, net: int = 400_000) -> list[Cell]:
    """A purchase on each of these days."""
    return [Cell(day, "", "USD", Amounts(orders=1, net=net, paid=net)) for day in days]


def section(as_of_day: int | None, *days: int, model: Policy | None = None) -> Any:
    """The section of an answer as of this day."""
    looking = None if as_of_day is None else Looking(as_of_day, is_answer=True)
    body = worth(Known(bought(*days), 0, 0), model or policy(), looking).body
    assert body is not None
    return body


def told(as_of_day: int | None, *days: int, model: Policy | None = None) -> Any:
    """What is predicted."""
    return section(as_of_day, *days, model=model)["predicted"]


def test_without_a_promoted_model_or_a_day_nothing_is_predicted() -> None:
    assert told(20_100, 20_000, model=read_policy(SHIPPED)) is None
    assert told(None, 20_000) is None


def test_a_prediction_has_its_model_version_day_and_horizon() -> None:
    found = told(20_100, 20_000, 20_010, 20_050)
    assert {n: found[n] for n in ("model", "model_version", "horizon_days")} == {
        "model": "bg", "model_version": 3, "horizon_days": 365,
    }  # fmt: skip
    assert found["as_of"] == "2025-01-12"
    assert 0 < found["alive_probability"] < 1
    assert found["expected_purchases"] > 0
    assert float(found["clv"]) > 0


@settings(max_examples=60)
@given(st.sets(st.integers(20_000, 20_400), min_size=2, max_size=12), st.integers(0, 900))
def test_with_every_day_of_silence_he_is_worth_less(days: set[int], silent: int) -> None:
    last = max(days)
    sooner, later = told(last + silent, *days), told(last + silent + 30, *days)
    assert later["alive_probability"] <= sooner["alive_probability"]
    assert float(later["clv"]) <= float(sooner["clv"])


def test_who_is_silent_for_long_is_at_risk_and_then_lapsed() -> None:
    days = (20_000, 20_010, 20_020, 20_030, 20_040)
    states = []
    for silent in (1, 60, 400):
        body = section(20_040 + silent, *days)
        states.append(body["churn"]["state"])
    assert (states[0], states[-1]) == ("active", "lapsed")


@pytest.mark.parametrize(
    "changes",
    [
        {"buying": {"family": "magic"}}, {"buying": MODEL["spend"]}, {"horizon_days": 0}, {"version": "x"},
        {"spend": {**MODEL["spend"], "q": "0.5"}}, {"margin": "much"},
    ],
)  # fmt: skip
def test_a_model_that_is_none_is_refused_with_the_policy(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="prediction"):
        policy(**changes)


def buyers(count: int) -> Days:
    """Customers who bought once or several times within a year."""
    draw = random.Random(3)
    customer, day, net, sums = [], [], [], []
    for number in range(count):
        at = 19_000 + draw.randrange(0, 200)
        mine = []
        for _ in range(draw.choice([1, 1, 2, 3, 6])):
            mine.append((at, draw.randrange(100_000, 900_000)))
            at += draw.randrange(5, 60)
        customer += [number] * len(mine)
        day += [at for at, _ in mine]
        net += [paid for _, paid in mine]
        gross = sum(paid for _, paid in mine)
        first, last, later = mine[0][0], mine[-1][0], gross - mine[0][1]
        sums.append(Sums(len(mine), first, last, later, gross, gross // 50, gross // 4))
    return Days(customer, day, net, sums)


def test_a_fit_proposes_a_policy_that_can_be_read_and_says_what_speaks_against_it() -> None:
    days = buyers(300)
    found = fitted(days, SHIPPED, read_policy(SHIPPED), max(days.day))
    proposed = read_policy(found["document"])
    assert proposed.prediction is not None
    assert proposed.prediction.version == 1
    assert proposed.cut_offs == tuple(sorted(proposed.cut_offs, reverse=True))
    assert len(proposed.cut_offs) == 3
    assert found["candidates"]
    assert found["document"]["prediction"]["fitted"]["refused"] == found["refused"]
    again = fitted(days, found["document"], proposed, max(days.day))
    assert again["document"]["prediction"]["version"] == 2
    assert again["document"]["prediction"]["cut_offs"] == found["document"]["prediction"]["cut_offs"]
    assert again["document"]["prediction"]["fitted"]["tier_moves"] == "0.0"


def test_a_model_under_which_more_would_change_grade_than_the_cap_is_refused() -> None:
    days = buyers(300)
    found = fitted(days, SHIPPED, read_policy(SHIPPED), max(days.day))
    dear = deepcopy(found["document"])
    for grade, worth_from in zip("ABC", ("0.03", "0.02", "0.01"), strict=True):
        dear["prediction"]["cut_offs"][grade] = worth_from
    dear["prediction"]["margin"] = "0.000001"
    again = fitted(days, dear, read_policy(dear), max(days.day))
    assert any("would change tier" in why for why in again["refused"]), again["refused"]


def test_of_nobody_no_model_is_fitted() -> None:
    nobody = read_policy(SHIPPED)
    with pytest.raises(TooLittle):
        fitted(Days([], [], [], []), SHIPPED, nobody, 20_000)
    one = Sums(1, 20_000, 20_000, 0, 5, 0, 0)
    with pytest.raises(TooLittle):
        fitted(Days([1], [20_000], [5], [one]), SHIPPED, nobody, 20_000)
