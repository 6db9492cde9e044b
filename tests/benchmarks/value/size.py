"""A million simulated customers: how long a fit takes and how long their scores, beside lifetimes and PyMC-Marketing;
and one customer after an event.

Owns the population and the clocks. Ours runs on one core: CPU seconds are told, which include no waiting.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from services.value.domain.models.bg import BetaGeometric
from services.value.domain.models.clv import clv
from services.value.domain.models.families import FAMILIES, Buying, fit, fit_spend
from services.value.domain.models.history import History, grouped
from services.value.domain.models.scoring import Terms, scored
from services.value.domain.models.silence import age_below
from services.value.domain.models.single import Single
from services.value.domain.models.spend import GammaGamma, shrunk, spends
from tests.benchmarks.value.cdnow import WEEK_DAYS
from tests.benchmarks.value.peers import PYMC, ask
from tests.support.buyers import Buyers, simulated, spending

CUSTOMERS, WINDOW_DAYS, SEED = 1_000_000, 730, 1
TRUTH = BetaGeometric(0.2426, 30.9, 0.793, 2.426)
SPENDING = GammaGamma(6.25, 3.74, 154_400.0)
YEAR = Terms(365.0, 0.1268)
"""A month's discount of .01, as lifetimes takes it."""
BAR_FIT_S, BAR_SCORE_S, BAR_ONE_US = 2.0, 1.5, 50.0
ONES = 5_000
AGE_MAX_DAYS = 7_300


def lines(folder: Path) -> list[str]:
    """The tables, with the bars."""
    buyers = simulated(TRUTH, CUSTOMERS, WINDOW_DAYS, SEED)
    amounts = spending(SPENDING, buyers.frequency, SEED + 1)
    models, rows = _ours(buyers, amounts)
    rows += _theirs(buyers, amounts, folder)
    return [
        "",
        "## A million customers",
        f"Simulated, {WINDOW_DAYS:,} days; seconds of one core. Bars: fit {BAR_FIT_S} s (lifetimes measured 9.3), "
        f"a year's value {BAR_SCORE_S} s (PyMC-Marketing measured 3.0, lifetimes 8.0).",
        "",
        "| | grouping and fit | fit of spend | value of 12 months | expected purchases |",
        "| --- " * 5 + "|",
        *rows,
        *_one(models, buyers),
    ]


def _ours(buyers: Buyers, amounts: np.ndarray[tuple[int], np.dtype[np.int64]]) -> tuple[list[Buying], list[str]]:
    started = time.process_time()
    spend = fit_spend(spends(buyers.frequency, amounts)).model
    spend_s = time.process_time() - started
    assert isinstance(spend, GammaGamma)
    models: list[Buying] = []
    rows = []
    for family in FAMILIES:
        started = time.process_time()
        model = fit(family, grouped(*buyers)).model
        fitted = time.process_time()
        assert isinstance(model, Buying)
        models.append(model)
        scores = scored(model, *buyers, YEAR)
        often, paid = buyers.frequency.astype(float), amounts.astype(float)
        returned = shrunk(np.zeros(len(paid)), paid, 0.05, 1e6)
        worth = clv(scores.discounted, spend.expected(often, paid), returned, np.full(len(paid), 0.25))
        score_s = time.process_time() - fitted
        assert np.isfinite(worth).all()
        rows.append(
            f"| **{family}** | **{fitted - started:.2f}** | {spend_s:.2f} | **{score_s:.2f}** |"
            f" {scores.expected.sum():,.0f} |"
        )
    return models, rows


def _theirs(buyers: Buyers, amounts: np.ndarray[tuple[int], np.dtype[np.int64]], folder: Path) -> list[str]:
    given = {
        "x": buyers.frequency.astype(float),
        "recency": buyers.recency_days / WEEK_DAYS,
        "age": buyers.age_days / WEEK_DAYS,
        "mean_spend": np.where(buyers.frequency > 0, amounts / np.maximum(buyers.frequency, 1), 0) / 1e4,
    }
    peer = ask("lifetimes_peer", folder, given)
    rows = [f"| lifetimes, bg | {peer['fit_s']:.2f} | {peer['spend_fit_s']:.2f} | {peer['score_s']:.2f} | |"]
    if not (PYMC / "bin" / "python").exists():
        return [*rows, "| PyMC-Marketing, bg | not here: deploy/setup/peers_pymc.sh | | | |"]
    peer = ask("pymc_peer", folder, given, PYMC)
    return [*rows, f"| PyMC-Marketing, bg | | | {peer['score_s']:.2f} | {peer['expected']:,.0f} |"]


def _one(models: list[Buying], buyers: Buyers) -> list[str]:
    some = [History(*map(int, row)) for row in zip(*(part[:ONES] for part in buyers), strict=True)]
    rows = []
    for model in models:
        single = Single(model, YEAR)
        scores = [single.score(one) for one in some]
        started = time.process_time()
        for one in some:
            single.score(one)
        score_us = (time.process_time() - started) / ONES * 1e6

        started = time.process_time()
        for one, score in zip(some, scores, strict=True):
            _day_halved(single, one, score.discounted, model.scale_days)
        drop_us = (time.process_time() - started) / ONES * 1e6
        rows.append(f"| **{model.family}** | **{score_us:.0f}** | {drop_us:.0f} |")
    return [
        "",
        "## One customer after an event",
        f"Bar: {BAR_ONE_US:.0f} µs for the scores. The day on which his value will have halved in silence is found "
        "by scoring him several times; only who is above the lowest tier needs it.",
        "",
        "| | scores, CPU µs | day of the drop, CPU µs |",
        "| --- " * 3 + "|",
        *rows,
    ]


def _day_halved(single: Single, one: History, worth_now: float, scale_days: float) -> int | None:
    def worth(age: int) -> float:
        return single.score(History(one.frequency, one.recency_days, age)).discounted

    return age_below(worth, worth_now / 2, one.age_days, AGE_MAX_DAYS, scale_days)
