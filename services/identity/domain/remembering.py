"""What was worked out of texts, remembered until somebody is erased.

Owns these memories as a whole: a process must not know of a person what its tables no longer hold. Pure but for them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_MEMORIES: list[Callable[[], None]] = []


def remembered(count: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A function of texts that people wrote, whose last `count` answers are kept."""

    def keep(function: Callable[P, R]) -> Callable[P, R]:
        kept = lru_cache(count)(function)
        _MEMORIES.append(kept.cache_clear)
        return kept  # type: ignore[return-value]  # a cached function takes what the function takes

    return keep


def forget_all() -> None:
    """What comes is worked out anew."""
    for clear in _MEMORIES:
        clear()
