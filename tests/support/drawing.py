"""How many examples a law is drawn: few in every run, as many more as one asks for.

Owns the factor, C360_DRAWS; `make test-laws` draws many times as many.
"""

from __future__ import annotations

import os

FACTOR = float(os.environ.get("C360_DRAWS", "1"))


def drawn(count: int) -> int:
    """So many examples in `make test`."""
    return max(1, round(count * FACTOR))
