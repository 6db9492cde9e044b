"""The moment of an answer. Pure: it is given, never asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Now:
    """The business day, and µs since 1970."""

    day: date
    us: int
