"""lifetimes (archived) on customers handed over: its fits, its predictions, and what a year of them is worth.

Owns its settings: as its documentation uses it. Started by peers.py in the environment of deploy/setup/peers.sh as
`python -m tests.benchmarks.value.lifetimes_peer FILE.npz`; the last line it prints is JSON. Times are weeks.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np
import pandas as pd

MONTHS, MONTHLY_DISCOUNT = 12, 0.01


def main(path: str) -> None:
    """Fit every family on (x, t_x, T) and predict `horizon` weeks; with spend, time fits and a year's value."""
    given = np.load(path)
    frame = pd.DataFrame({name: given[name] for name in ("x", "recency", "age")})
    found = timed(frame, given["mean_spend"]) if "mean_spend" in given else judged(frame, float(given["horizon"]))
    print(json.dumps(found))


def judged(frame: Any, horizon: float) -> dict[str, Any]:
    """family -> parameters, seconds and each customer's expected purchases."""
    import lifetimes  # type: ignore[import-not-found]

    fitters = {
        "bg": lifetimes.BetaGeoFitter(),
        "mbg": lifetimes.ModifiedBetaGeoFitter(),
        "pareto": lifetimes.ParetoNBDFitter(),
    }
    found = {}
    for family, fitter in fitters.items():
        started = time.perf_counter()
        fitter.fit(frame["x"], frame["recency"], frame["age"])
        seconds = time.perf_counter() - started
        told = fitter.conditional_expected_number_of_purchases_up_to_time(
            horizon, frame["x"], frame["recency"], frame["age"]
        )
        found[family] = {
            "parameters": dict(fitter.params_),
            "seconds": seconds,
            "expected": np.asarray(told).tolist(),
        }
    return found


def timed(frame: Any, mean_spend: Any) -> dict[str, Any]:
    """Seconds of the fit of BG/NBD, of Gamma-Gamma, and of the value of twelve months."""
    import lifetimes

    buying, spending = lifetimes.BetaGeoFitter(), lifetimes.GammaGammaFitter()
    started = time.perf_counter()
    buying.fit(frame["x"], frame["recency"], frame["age"])
    fitted = time.perf_counter()
    again = frame["x"] > 0
    spending.fit(frame["x"][again], mean_spend[again])
    spent = time.perf_counter()
    worth = spending.customer_lifetime_value(
        buying, frame["x"], frame["recency"], frame["age"], pd.Series(mean_spend), MONTHS, MONTHLY_DISCOUNT, "W"
    )
    scored = time.perf_counter()
    return {
        "fit_s": fitted - started,
        "spend_fit_s": spent - fitted,
        "score_s": scored - spent,
        "parameters": dict(buying.params_),
        "spend_parameters": dict(spending.params_),
        "worth": float(np.asarray(worth).sum()),
        "not_finite": int((~np.isfinite(np.asarray(worth))).sum()),
    }


if __name__ == "__main__":
    main(sys.argv[1])
