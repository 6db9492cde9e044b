"""What a timeline says beside what happened: that an event was taken back, or that customers became one, in words.

Owns these sentences, for the page and for the command; what they say of is the profile API's (docs/decisions/0016).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.ops.page.words import KINDS, day, times

INTERNAL = "internal"
"""Channel and direction of what nobody said to anybody: lines of identity."""
_BECAUSE = {**KINDS, "different_asserted": "said to be two"}
_NOW_HIS = "customer.merged"


def remarks(item: Mapping[str, Any]) -> list[str]:
    """What there is to say of an item of the timeline beside its title; mostly nothing."""
    return [*_correction(item), *_decision(item)]


def is_taken_back(item: Mapping[str, Any]) -> bool:
    """Whether it counts no more."""
    return bool(item.get("withdrawn"))


def _correction(item: Mapping[str, Any]) -> Iterator[str]:
    if withdrawn := item.get("withdrawn"):
        on = f" on {day(withdrawn['at'])}" if withdrawn.get("at") else ""
        instead = ", another event stands for it" if withdrawn.get("replaced_by") else ""
        reason = f": {withdrawn['reason']}" if withdrawn.get("reason") else ""
        yield f"taken back{on}{instead}{reason}"
    if replaces := item.get("replaces"):
        number = len(replaces)
        yield f"stands for {times(number, 'event')} that {'was' if number == 1 else 'were'} taken back"
    if item.get("takes_back"):
        yield "takes an event back" + (", another stands for it" if item.get("replaced_by") else "")


def _decision(item: Mapping[str, Any]) -> Iterator[str]:
    decision = item.get("decision")
    if not decision:
        return
    yield _BECAUSE.get(decision["because"], decision["because"])
    if decision.get("customer_id"):
        yield f"customer {decision['customer_id']}" + (", an id of his now" if item["type"] == _NOW_HIS else "")
    if decision.get("reason"):
        by = f" by {decision['actor']}" if decision.get("actor") else ""
        yield f"said{by}: {decision['reason']}"
