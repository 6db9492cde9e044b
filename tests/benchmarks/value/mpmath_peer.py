"""Expected purchases to sixty digits, by the published formula with its 2F1.

Owns the formula and the precision it needs. Started by peers.py in the environment of deploy/setup/peers.sh as
`python -m tests.benchmarks.value.mpmath_peer FILE.npz`; the last line it prints is JSON.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np

DIGITS = 60
BESIDE_ONE = 30
"""At a = 1 the formula divides by nothing: a is taken 10^-30 beside it."""


def main(path: str) -> None:
    """For rows (r, alpha, a, b, x, T, t): what who is still there is expected to buy in t."""
    rows = np.load(path)["rows"].tolist()
    print(json.dumps({"expected": [expected(*row) for row in rows]}))


def expected(r: float, alpha: float, a: float, b: float, x: float, age: float, horizon: float) -> str:
    """Fader, Hardie, Lee (2005), equation 10, the probability to be there left out.

    Its 2F1(r + x, b + x; a + b + x - 1; z) is written by Euler's transformation (1 - z)^(a - 1 - r - x) times
    2F1(a + b - 1 - r, a - 1; a + b + x - 1; z): the same number, of a series that does not grow with x.
    """
    import mpmath  # type: ignore[import-not-found]

    with mpmath.workdps(DIGITS):
        n: list[Any] = [mpmath.mpf(one) for one in (r, alpha, a, b, x, age, horizon)]
        r_, alpha_, a_, b_, x_, age_, t = n
        if a_ == 1:
            a_ += mpmath.mpf(10) ** -BESIDE_ONE
        z = t / (alpha_ + age_ + t)
        kept = (1 - z) ** (a_ - 1) * mpmath.hyp2f1(a_ + b_ - 1 - r_, a_ - 1, a_ + b_ + x_ - 1, z)
        return str(mpmath.nstr((a_ + b_ + x_ - 1) / (a_ - 1) * (1 - kept), 25))


if __name__ == "__main__":
    main(sys.argv[1])
