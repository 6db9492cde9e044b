"""Needs on a day: how sure one still is of what was stated and seen. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from schemas.envelope import moment_at, rfc3339

STATED, OBSERVED = "stated", "observed"
SURE = 100
"""Per cent: one who says so."""
DAY_US = 86_400_000_000


def answered(told: Iterable[Mapping[str, Any]], now_us: int) -> list[dict[str, Any]]:
    """The public shape on a day, of what `needs` told; the surest first.

    A stated need is sure (1.00) when it is stated, an observed one by its points; both halve with each half-life
    since they were last heard of. A need is stated until its `until`, then as sure as it is seen. The greater counts;
    what rounds to 0.00 is forgotten. `evidence`: how often it was stated and seen in each way, and `last_at`.
    """
    found = [_answer(one, now_us) for one in told]
    kept = [one for one in found if one["confidence"] > 0]
    return sorted(kept, key=lambda n: (-n["confidence"], n["need"]))


def _answer(told: Mapping[str, Any], now_us: int) -> dict[str, Any]:
    stated, observed = told.get(STATED), told.get(OBSERVED)
    if stated is not None and stated.get("until_us", now_us + 1) <= now_us:
        stated = None
    parts = [part for part in (stated, observed) if part is not None]
    evidence: dict[str, Any] = dict(observed["by"]) if observed is not None else {}
    shown: dict[str, Any] = {}
    if stated is not None:
        evidence[STATED] = stated["count"]
        shown = {name: stated[name] for name in ("importance", "by_when", "event_id") if name in stated}
    return {
        "need": told["need"],
        "label": told["label"],
        "kind": OBSERVED if stated is None else STATED,
        "recurring": (stated or {}).get("recurring", told["recurring"]),
        "confidence": max((_confidence(part, now_us) for part in parts), default=0.0),
        "since": rfc3339(moment_at(min((part["since_us"] for part in parts), default=0))),
        "evidence": {**evidence, "last_at": rfc3339(moment_at(max((p["last_us"] for p in parts), default=0)))},
        **shown,
    }


def _confidence(part: Mapping[str, Any], now_us: int) -> float:
    age_us = max(0, now_us - part["last_us"])
    halvings = age_us / (part["half_life_days"] * DAY_US)
    return float(round(part.get("percent", SURE) / SURE * 0.5**halvings, 2))
