"""What is learnt of what customers accept: the posterior, draws of it, and how sure a challenger is better."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta as scipy_beta

from services.treatment.domain.learning import Learnt, results
from services.treatment.domain.models import beta
from services.treatment.domain.policy import PPM
from services.treatment.domain.treated import Arm, Tally
from tests.unit.treatment.deciding import policy

ACTION = policy({"tea": {"propensity": "0.2"}}).actions["tea"]
TALLIES = st.integers(0, 10_000).flatmap(
    lambda shown: st.builds(Tally, shown=st.just(shown), accepted=st.integers(0, shown))
)


@given(tally=TALLIES, weight=st.integers(1, 1_000))
def test_the_mean_is_the_beta_posteriors_and_between_prior_and_what_was_seen(tally: Tally, weight: int) -> None:
    found = Learnt({"tea": tally}).propensity_ppm(ACTION, weight, "mean", "")
    exact = (Fraction(1, 5) * weight + tally.accepted) / (weight + tally.shown)
    assert found == int(exact * PPM)
    if tally.shown:
        low, high = sorted((Fraction(1, 5), Fraction(tally.accepted, tally.shown)))
        assert low * PPM - 1 <= found <= high * PPM


def test_nothing_seen_is_the_policys_word() -> None:
    assert Learnt().propensity_ppm(ACTION, 20, "mean", "") == 200_000


def test_thompsons_draws_follow_of_the_seed_and_are_distributed_as_the_posterior() -> None:
    learnt = Learnt({"tea": Tally(shown=80, accepted=40)})
    draws = [learnt.propensity_ppm(ACTION, 20, "thompson", str(seed)) / PPM for seed in range(4_000)]
    assert draws == [learnt.propensity_ppm(ACTION, 20, "thompson", str(seed)) / PPM for seed in range(4_000)]
    truth = scipy_beta(44, 56)
    assert sum(draws) / len(draws) == pytest.approx(truth.mean(), abs=0.003)
    for share in (0.1, 0.5, 0.9):
        assert sum(one <= truth.ppf(share) for one in draws) / len(draws) == pytest.approx(share, abs=0.025)


@pytest.mark.parametrize(("propensity", "ends"), [("0", 0), ("1", PPM)])
def test_what_is_certain_needs_no_draw(propensity: str, ends: int) -> None:
    action = policy({"tea": {"propensity": propensity}}).actions["tea"]
    assert Learnt().propensity_ppm(action, 20, "thompson", "s") == ends


def test_the_version_says_of_how_much_was_learnt_in_all_arms() -> None:
    counts = {Arm("tea", "", ""): Tally(5, 4, 1, 0), Arm("tea", "x", "challenger"): Tally(3, 3, 2, 1)}
    learnt = Learnt.of(counts)
    assert learnt.by_action == {"tea": Tally(8, 7, 3, 1)}
    assert learnt.version == "beta-7-3"


def test_how_likely_one_rate_is_greater_agrees_with_the_exact_sum() -> None:
    # Evan Miller, Formulas for Bayesian A/B testing (2015): the closed form for whole parameters.
    from math import exp, lgamma, log

    def log_beta(a: float, b: float) -> float:
        return lgamma(a) + lgamma(b) - lgamma(a + b)

    def exact(one: tuple[int, int], other: tuple[int, int]) -> float:
        (a1, b1), (a2, b2) = other, one
        return sum(
            exp(log_beta(a1 + i, b1 + b2) - log(b2 + i) - log_beta(1 + i, b2) - log_beta(a1, b1)) for i in range(a2)
        )

    for one, other in (((12, 30), (7, 40)), ((1, 1), (1, 1)), ((3, 200), (9, 180))):
        assert beta.chance_greater(one, other) == pytest.approx(exact(one, other), abs=2e-3)


def test_results_are_of_one_experiment_and_nothing_seen_is_even() -> None:
    assert results({}, "x")["challenger_better"] == pytest.approx(0.5)
    counts = {
        Arm("tea", "x", "challenger"): Tally(50, 50, 30, 0),
        Arm("cake", "x", "champion"): Tally(50, 50, 5, 0),
        Arm("cake", "y", "champion"): Tally(50, 50, 50, 0),
    }
    found = results(counts, "x")
    assert found["champion"] == {"decided": 50, "shown": 50, "accepted": 5, "rejected": 0}
    assert found["challenger_better"] == 1.0
