"""PyMC-Marketing on customers handed over: BG/NBD and Gamma-Gamma by maximum a posteriori, and a year's value.

Owns its settings: the priors are its own. Started by peers.py in the environment of deploy/setup/peers_pymc.sh as
`python -m tests.benchmarks.value.pymc_peer FILE.npz`; the last line it prints is JSON. Times are weeks.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import pandas as pd

FITTED_ON = 20_000
"""It is fitted on so many customers: here only its scoring is timed."""


def main(path: str) -> None:
    """Seconds of scoring a million customers' expected purchases and value of twelve months."""
    from pymc_marketing import clv  # type: ignore[import-not-found]

    given = np.load(path)
    frame = pd.DataFrame({
        "customer_id": np.arange(len(given["x"])), "frequency": given["x"], "recency": given["recency"],
        "T": given["age"], "monetary_value": given["mean_spend"],
    })  # fmt: skip
    some = frame.head(FITTED_ON)
    buying = clv.BetaGeoModel(data=some.drop(columns="monetary_value"))
    buying.fit(method="map", progressbar=False)
    again = some[some["frequency"] > 0][["customer_id", "frequency", "monetary_value"]]
    spending = clv.GammaGammaModel(data=again)
    spending.fit(method="map", progressbar=False)
    started = time.perf_counter()
    expected = buying.expected_purchases(frame, future_t=52)
    predicted = time.perf_counter()
    worth = spending.expected_customer_lifetime_value(buying, frame, future_t=12, discount_rate=0.01, time_unit="W")
    scored = time.perf_counter()
    print(json.dumps({
        "expected_s": predicted - started, "score_s": scored - predicted,
        "expected": float(np.asarray(expected).sum()), "worth": float(np.asarray(worth).sum()),
    }))  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1])
