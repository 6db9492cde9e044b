"""Parts of the value policy and how each is read: grades, rates, prices of contacts, strategy, churn.

Owns their shapes and what is refused in them. Readers raise TypeError, ValueError or KeyError; what the whole policy
must have is policy.py's. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from schemas.envelope import CHANNELS, INBOUND, OUTBOUND
from services.value.domain.models.groups import Groups
from services.value.domain.money import amount_in, number_in

DEFAULT_AREA = "default"
RATE_UNIT = 10**6
"""Rates are whole millionths."""
DAYS_MAX = 3_650

ACTUAL_PURPOSES: Mapping[str, str] = {
    "high": "keep: he earns us more than most",
    "medium": "develop: serve well, and offer more",
    "low": "serve at low cost, and find out what he costs",
}
STRATEGIC_PURPOSES: Mapping[str, str] = {
    "high": "grow: win what he still buys elsewhere",
    "medium": "probe: ask what he means to buy",
    "low": "keep as he is: we have most of what he spends",
    "unknown": "ask: nothing is known of what he buys elsewhere",
}


@dataclass(frozen=True, slots=True)
class Grade:
    """A tier by revenue: `revenue_from` in 10⁻⁴ of the unit; None: everybody below the others."""

    name: str
    revenue_from: int | None
    purpose: str


class Price(NamedTuple):
    """What a contact costs us: each, and by the minute; in 10⁻⁴ of the reporting currency's unit."""

    piece: int
    minute: int


Prices = Mapping[tuple[str, str], Price]
"""(channel, direction) → what a contact of these costs."""


@dataclass(frozen=True, slots=True)
class Strategy:
    """How what somebody could bring is reckoned and graded.

    `high_from`, `medium_from`: potentials of a year in 10⁻⁴ of the unit, None: everybody is unknown. A stated
    intention is believed by `realisation` (millionths) until his own show otherwise, half as much every
    `half_life_days`, and for `window_days` where he did not say until when.
    """

    high_from: int | None = None
    medium_from: int | None = None
    realisation: int = 300_000
    half_life_days: int = 180
    window_days: int = 90
    purposes: Mapping[str, str] = field(default_factory=lambda: STRATEGIC_PURPOSES)


@dataclass(frozen=True, slots=True)
class Churn:
    """Within how many days of the beginning of a silence what happened counts as its cause.

    `grace_days`: so many days after a contract's term its renewal has lapsed.
    """

    cause_days: int = 90
    grace_days: int = 14


def rate_of(value: Any) -> int:
    """Whole millionths of a rate from 0 to 1."""
    millionths = number_in(value) * RATE_UNIT
    if not 0 <= millionths <= RATE_UNIT or millionths != int(millionths):
        raise ValueError(f"{value!r} is no rate from 0 to 1 with at most six digits after the point")
    return int(millionths)


def grades_of(listed: Any) -> tuple[Grade, ...]:
    """Grades from the highest on."""
    if not isinstance(listed, list) or not listed:
        raise TypeError("it is a list of grades")
    grades = tuple(_grade(one) for one in listed)
    *higher, last = (grade.revenue_from for grade in grades)
    if last is not None:
        raise ValueError("the last grade takes everybody else and has no revenue_from")
    bounds = [bound for bound in higher if bound is not None]
    if len(bounds) < len(higher) or bounds != sorted(set(bounds), reverse=True):
        raise ValueError("every grade but the last has a revenue_from below the one before")
    if len({grade.name for grade in grades}) < len(grades):
        raise ValueError("a grade is listed twice")
    return grades


def _grade(one: Any) -> Grade:
    name, purpose = one["grade"], one["purpose"]
    if not isinstance(name, str) or not isinstance(purpose, str):
        raise TypeError("a grade's name and purpose are texts")
    return Grade(name, amount_in(one["revenue_from"]) if "revenue_from" in one else None, purpose)


def purposes_of(said: Any, shipped: Mapping[str, str]) -> Mapping[str, str]:
    """What each rank is for; the shipped words where nothing is said."""
    found = {**shipped, **(said or {})}
    if found.keys() != shipped.keys() or not all(isinstance(text, str) for text in found.values()):
        raise ValueError(f"purposes are texts of {', '.join(shipped)}")
    return found


def prices_of(listed: Any) -> Prices:
    """The cost table; one without a direction is for both."""
    found: dict[tuple[str, str], Price] = {}
    for one in listed or ():
        channel, direction = one["channel"], one.get("direction")
        price = Price(amount_in(one.get("piece", 0)), amount_in(one.get("minute", 0)))
        if channel not in CHANNELS or direction not in (None, INBOUND, OUTBOUND) or min(price) < 0:
            raise ValueError(f"{one!r} is no channel, direction and amount of at least 0")
        for way in (INBOUND, OUTBOUND) if direction is None else (direction,):
            if (channel, way) in found:
                raise ValueError(f"{channel}, {way} has two prices")
            found[channel, way] = price
    return found


def strategy_of(said: Any) -> Strategy:
    """How potentials are graded."""
    if said is None:
        return Strategy()
    high, medium = amount_in(said["high"]), amount_in(said["medium"])
    if high <= medium or medium < 0:
        raise ValueError("high must be above medium, and that at least 0")
    return Strategy(
        high,
        medium,
        rate_of(said.get("realisation", "0.3")),
        _days(said, "half_life_days", 180),
        _days(said, "window_days", 90),
        purposes_of(said.get("purposes"), STRATEGIC_PURPOSES),
    )


def churn_of(said: Any) -> Churn:
    """Where causes are looked for."""
    return Churn(_days(said or {}, "cause_days", 90), _days(said or {}, "grace_days", 14))


def read_groups(document: Any) -> Groups | None:
    """The policy's `needs`; None where no groups were learnt. Raises ValueError, TypeError, KeyError."""
    if document is None:
        return None
    return _groups(document, int(document["version"]), parts_too=True)


def _groups(document: Any, version: int, *, parts_too: bool) -> Groups:
    """Groups, with the parts of each that has any; parts have none."""
    groups = [(str(one["label"]), _weights(one["weights"])) for one in document["groups"]]
    if len({label for label, _ in groups}) < len(groups):
        raise ValueError("two groups have one label")
    parts = {str(one["label"]): one["parts"] for one in document["groups"] if one.get("parts") is not None}
    if parts and not parts_too:
        raise ValueError("a part of a group has no parts")
    read = {label: _groups(said, version, parts_too=False) for label, said in parts.items()}
    return Groups(version, _weights(document["rarity"]), groups, read)


def _weights(said: Any) -> Mapping[str, float]:
    found = {str(name): float(weight) for name, weight in said.items()}
    if not all(0 <= weight < float("inf") for weight in found.values()):
        raise ValueError("weights are numbers of at least 0")
    return found


def _days(said: Mapping[str, Any], name: str, usual: int) -> int:
    days = said.get(name, usual)
    if type(days) is not int or not 0 < days <= DAYS_MAX:
        raise ValueError(f"{name} is a whole number of days from 1 to {DAYS_MAX}")
    return days
