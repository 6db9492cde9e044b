"""What was decided about the customer's records: which joined and why, which left; newest first.

Draws `decisions` of GET /v1/customers/{id}/identity; refusals have a place of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.ops.page.markup import Html, card, chip, joined, tag
from services.ops.page.words import KINDS, moment, named, refusal

SHOWN_MAX = 12
DRAWN = {"founded": ("founded", "plain"), "joined": ("joined", "good"), "left": ("left", "bad")}
Names = Mapping[str, str]


def decided(evidence: Mapping[str, Any] | None) -> Html:
    """The decisions, in words; nothing where none is told."""
    found = [one for one in (evidence or {}).get("decisions") or () if one["decision"] in DRAWN]
    names = dict(_names(evidence or {}))
    lines = [_line(one, names) for one in found[:SHOWN_MAX]]
    total = len(found)
    note = f"the newest {SHOWN_MAX} of {total}" if total > SHOWN_MAX else None
    return card("What was decided", tag("ul", *lines, class_="decided") if lines else None, note=note)


def _names(evidence: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Record id → its name, of every record that is named anywhere in the answer."""
    said = [one for part in ("links", "refusals", "assertions") for one in evidence.get(part) or ()]
    for record in [*(evidence.get("records") or ()), *(one[end] for one in said for end in "ab")]:
        yield record["record_id"], named(record)


def _line(decision: Mapping[str, Any], names: Names) -> Html:
    word, tone = DRAWN[decision["decision"]]
    records = [_record(one, names) for one in decision["records"]]
    return tag("li", tag("p", chip(word, tone), tag("small", moment(decision["at"]))), tag("ul", *records))


def _record(told: Any, names: Names) -> Html:
    """A record by its name, and what it was joined by or left for."""
    if isinstance(told, str):
        return tag("li", tag("code", names.get(told, told)))
    record, because, constraint = told["record_id"], told.get("because"), told.get("constraint")
    why = None
    if because:
        by = f" by {because['source']}" if because.get("source") else ""
        other = because.get("with") or ""
        beside = joined([" with ", tag("code", names.get(other, other))]) if other else None
        why = joined([f", {KINDS.get(because['kind'], because['kind'])}", beside, by])
    elif constraint:
        why = joined([f": {refusal(constraint)}"])
    return tag("li", tag("code", names.get(record, record)), why)
