"""Needs groups as the policy has them: which one somebody is in, which part of it, and how sure that is.

Owns what of a customer speaks for a group and for a part of it, how that is told, and proposing groups learnt anew.
The geometry is models/groups.py's. What he is worth is no factor: tiers tell that. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any, NamedTuple

from services.value.domain.models.groups import Groups, learn_groups
from services.value.domain.reading import OTHER_AREA
from services.value.domain.statements import NEED, Statement
from services.value.domain.summing import Summary

CONFIDENCE_DIGITS = 4
NEED_PREFIX = "needs "
STATED_WEIGHT = 3
"""A need that he states counts as much as so many purchases."""
SENT_BACK_WEIGHT = 3
PARTS_MAX = 4
PART_CUSTOMERS_MIN = 25
"""Of fewer customers a group has no parts."""
ONCE, AGAIN, SENT_BACK = "bought once", "bought again", "sent back"
WEEKEND, WEEKDAY = "at weekends", "on weekdays"
EPOCH_WEEKDAY, SATURDAY, WEEK_DAYS = 3, 5, 7
"""1970-01-01 was a Thursday; Monday is 0."""


class Speaking(NamedTuple):
    """What speaks for somebody's group (`what`), and what tells him apart within it (`how`); names → counts."""

    what: Mapping[str, int]
    how: Mapping[str, int]


def speaking(areas: Mapping[str, int], said: Iterable[Statement]) -> dict[str, int]:
    """What of a customer speaks for a group: orders by area, and what he says he needs."""
    found = {area: orders for area, orders in areas.items() if orders > 0 and area != OTHER_AREA}
    for one in said:
        if one.kind == NEED and one.what is not None:
            name = NEED_PREFIX + one.what
            found[name] = found.get(name, 0) + STATED_WEIGHT
    return found


def behaving(days: Collection[int], *, sent_back: bool) -> dict[str, int]:
    """How he buys: `days` with an order, since 1970; once or again, when in the week, whether he sends back."""
    weekends = sum((day + EPOCH_WEEKDAY) % WEEK_DAYS >= SATURDAY for day in days)
    counts = {
        ONCE: int(len(days) == 1),
        AGAIN: max(0, len(days) - 1),
        WEEKEND: weekends,
        WEEKDAY: len(days) - weekends,
        SENT_BACK: SENT_BACK_WEIGHT if sent_back else 0,
    }
    return {name: count for name, count in counts.items() if count}


def told(groups: Groups | None, sums: Iterable[Summary], said: Sequence[Statement]) -> dict[str, Any] | None:
    """The section's part; None where no groups were learnt, or nothing of him speaks for one."""
    if groups is None:
        return None
    areas: dict[str, int] = {}
    days: set[int] = set()
    sent_back = False
    for summary in sums:
        days |= summary.days
        sent_back = sent_back or summary.whole.refunds > 0
        for area, amounts in summary.areas.items():
            areas[area] = areas.get(area, 0) + amounts.orders
    what = speaking(areas, said)
    nearest = groups.nearest(what)
    if nearest is None:
        return None
    parts = groups.parts.get(nearest.label)
    part = None if parts is None else parts.nearest({**what, **behaving(days, sent_back=sent_back)})
    return {
        "needs_group": nearest.label,
        "confidence": round(nearest.confidence, CONFIDENCE_DIGITS),
        "part": None if part is None else part.label,
        "part_confidence": None if part is None else round(part.confidence, CONFIDENCE_DIGITS),
        "recurring": len(days) > 1,
        "version": groups.version,
    }


def learnt(customers: Iterable[Speaking], version: int) -> Groups:
    """Groups by what customers need, and within each those that what and how together tell apart."""
    everybody = list(customers)
    groups = learn_groups((one.what for one in everybody), version)
    within: dict[str, list[dict[str, int]]] = {label: [] for label, _ in groups.groups}
    for one in everybody:
        nearest = groups.nearest(one.what)
        if nearest is not None:
            within[nearest.label].append({**one.what, **one.how})
    found = {
        label: learn_groups(members, version, PARTS_MAX)
        for label, members in within.items()
        if len(members) >= PART_CUSTOMERS_MIN
    }
    return replace(groups, parts={label: parts for label, parts in found.items() if len(parts.groups) > 1})


def proposed(document: Mapping[str, Any], customers: Iterable[Speaking], version: int) -> dict[str, Any]:
    """The policy with groups learnt of these customers; numbers are text, labels may be changed by hand."""
    found = deepcopy(dict(document))
    found["needs"] = {"version": version, **_written(learnt(customers, version))}
    return found


def _written(groups: Groups) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    for label, weights in groups.groups:
        row: dict[str, Any] = {"label": label, "weights": {name: repr(weight) for name, weight in weights.items()}}
        if label in groups.parts:
            row["parts"] = _written(groups.parts[label])
        rows.append(row)
    return {"rarity": {name: repr(weight) for name, weight in groups.rarity.items()}, "groups": rows}
