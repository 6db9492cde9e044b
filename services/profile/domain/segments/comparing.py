"""A segment's members beside similar customers: what they need, use, buy and say, and what they lack.

Owns what is counted of a customer and when a difference counts: two shares differ when their difference is at least
SIGMAS_MIN of its standard errors (the two-proportion z test, Agresti, Categorical Data Analysis, 3.1) and SHARE_MIN.
Pure.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, sqrt
from typing import Any

SIGMAS_MIN = 3.0
SHARE_MIN = 0.05
NAMED_MAX = 20
"""Names told of each kind, those of most members first."""
GAPS_MAX = 20
RARE_BELOW = 5
SCALES = ("nps", "csat", "ces", "stars")
PROMOTER_FROM, DETRACTOR_TO = 9, 6
"""Reichheld, The One Number You Need to Grow (2003): 9 and 10 promote, up to 6 detract."""
KINDS = ("needs", "services", "channels", "areas")


@dataclass(slots=True)
class Counted:
    """So many customers, and of how many of them each name is true; their last scores by scale."""

    customers: int = 0
    names: dict[str, Counter[str]] = field(default_factory=lambda: {kind: Counter() for kind in KINDS})
    scores: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, document: Mapping[str, Any]) -> None:
        """One more customer, by his document's needs, interaction and value."""
        self.customers += 1
        passed, worth = document.get("interaction") or {}, document.get("value") or {}
        self.names["needs"].update({one["need"] for one in document.get("needs") or ()})
        self.names["services"].update({str(one["name"] or one["service_id"]) for one in passed.get("services", ())})
        self.names["channels"].update(name for name, count in passed.get("by_channel", {}).items() if count)
        self.names["areas"].update({one["area"] for one in (worth.get("actual") or {}).get("by_area", ())})
        feedback = passed.get("feedback") or {}
        for scale in SCALES:
            score = (feedback.get(scale) or {}).get("score")
            if score is not None:
                self.scores[scale].append(float(score))

    def forget_rare(self) -> None:
        """Forget needs of so few that they may speak of one person: what people state is in their own words."""
        needs = self.names["needs"]
        self.names["needs"] = Counter({name: count for name, count in needs.items() if count >= RARE_BELOW})

    def share(self, kind: str, name: str) -> float:
        """Of how many of them it is true, from 0 to 1."""
        return self.names[kind][name] / self.customers if self.customers else 0.0


def shares(members: Counted, similar: Counted, kind: str) -> list[dict[str, Any]]:
    """What is true of most members, beside similar customers."""
    ordered = sorted(members.names[kind].items(), key=lambda one: (-one[1], one[0]))[:NAMED_MAX]
    return [
        {
            "name": name,
            "customers": count,
            "share": round(members.share(kind, name), 4),
            "similar_share": round(similar.share(kind, name), 4),
        }
        for name, count in ordered
    ]


def feedback(members: Counted, similar: Counted) -> list[dict[str, Any]]:
    """The mean of the last scores on each scale that a member gave one on."""
    found = []
    for scale in SCALES:
        scores, others = members.scores.get(scale, []), similar.scores.get(scale, [])
        if scores:
            mean = {"mean": _mean(scores), "similar_mean": _mean(others)}
            nps = _nps(scores) if scale == "nps" else None
            found.append({"scale": scale, "customers": len(scores), "nps": nps, **mean})
    return found


def gaps(members: Counted, similar: Counted, kinds: Sequence[str] = KINDS) -> list[dict[str, Any]]:
    """What similar customers have more often than members, the surest first."""
    found: list[dict[str, Any]] = [
        {
            "kind": kind,
            "name": name,
            "share": round(members.share(kind, name), 4),
            "similar_share": round(similar.share(kind, name), 4),
            "sigmas": round(min(sigmas, 99.0), 1),
        }
        for kind in kinds
        for name in similar.names[kind]
        if similar.share(kind, name) - members.share(kind, name) >= SHARE_MIN
        and (
            sigmas := apart(
                similar.names[kind][name], similar.customers, members.names[kind][name], members.customers
            )
        )
        >= SIGMAS_MIN
    ]
    return sorted(found, key=lambda one: (-one["sigmas"], one["kind"], one["name"]))[:GAPS_MAX]


def apart(one: int, of: int, other: int, of_other: int) -> float:
    """By how many of its standard errors the first share is greater than the second."""
    if not of or not of_other:
        return 0.0
    pooled = (one + other) / (of + of_other)
    error = sqrt(pooled * (1 - pooled) * (1 / of + 1 / of_other))
    difference = one / of - other / of_other
    return difference / error if error else (inf if difference > 0 else 0.0)


def _mean(scores: Sequence[float]) -> float | None:
    return round(sum(scores) / len(scores), 2) if scores else None


def _nps(scores: Sequence[float]) -> float:
    promoters = sum(score >= PROMOTER_FROM for score in scores)
    detractors = sum(score <= DETRACTOR_TO for score in scores)
    return round(100 * (promoters - detractors) / len(scores), 1)
