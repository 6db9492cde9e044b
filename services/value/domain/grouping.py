"""Needs groups as the policy has them: which one somebody is in, and how sure that is.

Owns what of a customer speaks for a group, how that is told, and proposing groups learnt anew. The geometry is
models/groups.py's. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any

from services.value.domain.models.groups import Groups, learn_groups
from services.value.domain.reading import OTHER_AREA
from services.value.domain.statements import NEED, Statement
from services.value.domain.summing import Summary

CONFIDENCE_DIGITS = 4
NEED_PREFIX = "needs "
STATED_WEIGHT = 3
"""A need that he states counts as much as so many purchases."""


def speaking(areas: Mapping[str, int], said: Iterable[Statement]) -> dict[str, int]:
    """What of a customer speaks for a group: orders by area, and what he says he needs."""
    found = {area: orders for area, orders in areas.items() if orders > 0 and area != OTHER_AREA}
    for one in said:
        if one.kind == NEED and one.what is not None:
            name = NEED_PREFIX + one.what
            found[name] = found.get(name, 0) + STATED_WEIGHT
    return found


def told(groups: Groups | None, sums: Iterable[Summary], said: Sequence[Statement]) -> dict[str, Any] | None:
    """The section's part; None where no groups were learnt, or nothing of him speaks for one."""
    if groups is None:
        return None
    areas: dict[str, int] = {}
    days: set[int] = set()
    for summary in sums:
        days |= summary.days
        for area, amounts in summary.areas.items():
            areas[area] = areas.get(area, 0) + amounts.orders
    nearest = groups.nearest(speaking(areas, said))
    if nearest is None:
        return None
    return {
        "needs_group": nearest.label,
        "confidence": round(nearest.confidence, CONFIDENCE_DIGITS),
        "recurring": len(days) > 1,
        "version": groups.version,
    }


def proposed(document: Mapping[str, Any], customers: Iterable[Mapping[str, int]], version: int) -> dict[str, Any]:
    """The policy with groups learnt of these customers; numbers are text, labels may be changed by hand."""
    learnt = learn_groups(customers, version)
    found = deepcopy(dict(document))
    found["needs"] = {
        "version": version,
        "rarity": {name: repr(weight) for name, weight in learnt.rarity.items()},
        "groups": [
            {"label": label, "weights": {name: repr(weight) for name, weight in weights.items()}}
            for label, weights in learnt.groups
        ],
    }
    return found
