"""Fits find the parameters customers were drawn with, the same ones every time, and do not run away."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.value.domain.models.bg import BetaGeometric, ModifiedBetaGeometric
from services.value.domain.models.families import FAMILIES, Buying, Fit, fit, fit_spend, read_model, write_model
from services.value.domain.models.history import Histories, grouped
from services.value.domain.models.pareto import ParetoGamma
from services.value.domain.models.scoring import Terms, scored
from services.value.domain.models.spend import GammaGamma, spends
from tests.support.buyers import simulated, spending
from tests.unit.value.models.stating import columns, ints, summaries

TRUTHS: tuple[Buying, ...] = (
    BetaGeometric(0.6, 40.0, 0.8, 2.4),
    ModifiedBetaGeometric(0.6, 40.0, 0.8, 2.4),
    ParetoGamma(0.6, 40.0, 0.8, 120.0),
)


def log_likelihood(model: Buying, rows: Histories) -> float:
    return model.likelihood(rows)(np.log(list(asdict(model).values())))[0] * rows.total


@pytest.mark.parametrize("truth", TRUTHS)
def test_the_parameters_of_simulated_customers_are_found(truth: Buying) -> None:
    rows = grouped(*simulated(truth, 40_000, 1_000, seed=5))
    found = fit(truth.family, rows)
    assert found.converged
    assert found.log_likelihood >= log_likelihood(truth, rows)
    assert found.log_likelihood - log_likelihood(truth, rows) < 12, "four parameters gain a few units by chance"
    for name, value in asdict(truth).items():
        assert asdict(found.model)[name] == pytest.approx(value, rel=0.2), name


def test_the_truth_is_likelier_than_another_family() -> None:
    rows = grouped(*simulated(TRUTHS[1], 40_000, 1_000, seed=6))
    assert fit("mbg", rows).log_likelihood > max(fit("bg", rows).log_likelihood, fit("pareto", rows).log_likelihood)


def test_how_much_customers_spend_is_found() -> None:
    truth = GammaGamma(6.25, 3.74, 1_544_000.0)
    buyers = simulated(TRUTHS[0], 40_000, 1_000, seed=7)
    rows = spends(buyers.frequency, spending(truth, buyers.frequency, seed=8))
    found = fit_spend(rows)
    assert found.converged
    assert isinstance(found.model, GammaGamma)
    assert found.model.mean == pytest.approx(truth.mean, rel=0.02)
    assert found.model.q == pytest.approx(truth.q, rel=0.1)
    assert rows.correlation == pytest.approx(0, abs=0.03)


@pytest.mark.parametrize("family", FAMILIES)
def test_customers_in_another_order_give_the_same_fit_to_the_last_bit(family: str) -> None:
    buyers = simulated(TRUTHS[0], 3_000, 400, seed=9)
    order = np.random.default_rng(1).permutation(3_000)
    assert fit(family, grouped(*buyers)) == fit(family, grouped(*(part[order] for part in buyers)))


@pytest.mark.parametrize("truth", TRUTHS)
def test_where_a_search_begins_makes_no_difference(truth: Buying) -> None:
    rows = grouped(*simulated(truth, 5_000, 600, seed=10))
    cold, near = fit(truth.family, rows), fit(truth.family, rows, truth)
    warm = fit(truth.family, rows, cold.model if isinstance(cold.model, Buying) else None)
    assert warm.evaluations < cold.evaluations
    for name, value in asdict(cold.model).items():
        assert asdict(near.model)[name] == pytest.approx(value, rel=1e-5)
        assert asdict(warm.model)[name] == pytest.approx(value, rel=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_large_fit_begins_with_a_sample_and_ends_where_all_customers_are_likeliest(
    family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = grouped(*simulated(TRUTHS[2], 20_000, 600, seed=11))
    whole = fit(family, rows)
    monkeypatch.setattr("services.value.domain.models.families.SAMPLE_ROWS_MAX", len(rows) // 8)
    sampled = fit(family, rows)
    assert sampled.converged
    for name, value in asdict(whole.model).items():
        assert asdict(sampled.model)[name] == pytest.approx(value, rel=1e-5)


ODD = {
    "one customer, today": [(0, 0, 0)],
    "nobody bought again": [(0, 0, age) for age in range(0, 300, 3)],
    "everybody bought every day": [(364, 364, 365)] * 100,
    "everybody did the same": [(3, 50, 60)] * 100,
    "one customer bought 20,000 times": [(20_000, 7_300, 7_300)],
    "everybody is gone": [(x, 10, 3_000) for x in range(1, 5)] * 50,
    "days there cannot be": [(5, 0, 0)] * 10 + [(0, 0, 5)] * 10,
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("rows", ODD.values(), ids=ODD)
def test_odd_customers_give_finite_parameters_and_scores(family: str, rows: list[tuple[int, int, int]]) -> None:
    three = columns(rows)
    found = fit(family, grouped(*three))
    assert np.isfinite(list(asdict(found.model).values())).all()
    assert isinstance(found.model, Buying)
    assert all(np.isfinite(part).all() for part in scored(found.model, *three, Terms()))


@settings(max_examples=25, deadline=None)
@given(st.lists(summaries(), min_size=1, max_size=12), st.sampled_from(sorted(FAMILIES)))
def test_any_customers_give_finite_parameters(rows: list[tuple[int, int, int]], family: str) -> None:
    found = fit(family, grouped(*columns(rows)))
    assert np.isfinite([*asdict(found.model).values(), found.log_likelihood]).all()


def test_without_customers_there_is_no_fit() -> None:
    with pytest.raises(ValueError, match="without customers"):
        fit("bg", grouped(ints([]), ints([]), ints([])))
    with pytest.raises(ValueError, match="without repeated purchases"):
        fit_spend(spends(ints([0]), ints([0])))


def test_the_fingerprint_tells_whether_customers_are_the_same() -> None:
    def fitted(*rows: tuple[int, int, int]) -> Fit:
        return fit("bg", grouped(*columns(rows)))

    assert fitted((1, 5, 9), (0, 0, 4)).fingerprint == fitted((0, 0, 4), (1, 5, 9)).fingerprint
    assert fitted((1, 5, 9)).fingerprint != fitted((1, 5, 9), (1, 5, 9)).fingerprint


@given(
    st.sampled_from([BetaGeometric, ModifiedBetaGeometric, ParetoGamma]),
    st.lists(st.floats(1e-6, 1e9), min_size=4, max_size=4),
)
def test_a_model_is_read_as_it_was_written(which: type[Buying], values: list[float]) -> None:
    model = which(*values)
    assert read_model(write_model(model)) == model
    assert type(read_model(write_model(model))) is which


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({}, "no family"),
        ({"family": ["bg"]}, "no family"),
        ({"family": "bg", "r": "1"}, "alpha_days is missing"),
        ({"family": "bg", "r": "x"}, "r is missing or no number"),
        ({"family": "bg", "r": "0"}, "r is not above 0"),
        ({"family": "pareto", "r": "nan"}, "r is not above 0"),
        ({"family": "gamma_gamma", "p": "6", "q": "0.9", "gamma": "15"}, "no mean exists"),
    ],
)
def test_a_model_that_cannot_be_one_is_refused_by_name(document: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_model(document)
