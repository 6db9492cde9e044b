"""Promises on a day: which are overdue. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from schemas.envelope import microseconds, parse_rfc3339


def answered(told: Iterable[Mapping[str, Any]], now_us: int) -> list[dict[str, Any]]:
    """Open promises as they were told, with `overdue`."""
    return [{**one, "overdue": _is_over(one.get("due_at"), now_us)} for one in told]


def _is_over(due_at: str | None, now_us: int) -> bool:
    return due_at is not None and microseconds(parse_rfc3339(due_at)) < now_us
