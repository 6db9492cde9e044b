"""When a call is made again, and after how long. Pure: chance and moments are given.

Owns which answers are "not now", and the pauses: 0.1 s, 0.2 s, 0.4 s, … up to 5 s, or what Retry-After asks for.
"""

from __future__ import annotations

NOT_NOW = (429, 502, 503, 504)
FIRST_PAUSE_S = 0.1
PAUSE_S_MAX = 5.0
JITTER = 0.5
"""Pauses are shorter by up to this part: who failed together does not come together."""


def pause_s(failures: int, retry_after: str | None, left_s: float, chance: float) -> float | None:
    """How long to wait after so many failures in a row (from 1), None to give up.

    `retry_after`: the header, in whole seconds. `left_s`: of the caller's patience. `chance`: from 0 to below 1.
    """
    grown = min(PAUSE_S_MAX, FIRST_PAUSE_S * 2 ** min(failures - 1, 10)) * (1 - JITTER * chance)
    asked = float(retry_after) if retry_after is not None and retry_after.isascii() and retry_after.isdigit() else 0.0
    wanted = max(grown, asked)
    return wanted if wanted < left_s else None
