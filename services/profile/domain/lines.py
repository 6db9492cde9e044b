"""A page of a timeline out of two: events of the history, and lines of identity between them.

Owns their order and where the next page begins. Both are newest first by (time, id), so that a page of each, put
together and cut, is the page of both. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from schemas.envelope import parse_rfc3339
from schemas.places import Place, write_cursor

INTERNAL = "internal"
"""Channel and direction of identity's lines."""


def place(item: dict[str, Any]) -> Place:
    """Where an item stands."""
    return parse_rfc3339(item["time"]), item["event_id"]


def page(
    events: Sequence[dict[str, Any]], has_more: bool, lines: Sequence[dict[str, Any]], limit: int
) -> dict[str, Any]:
    """The newest `limit` of both, and the cursor to go on, null at the end.

    `events`: a page of at most `limit`; `has_more`: whether others follow it. `lines`: at most limit + 1 of them.
    """
    both = sorted((*events, *lines), key=place, reverse=True)
    shown = both[:limit]
    more = has_more or len(both) > limit
    return {"items": shown, "next_cursor": write_cursor(place(shown[-1])) if more else None}


def masked(body: dict[str, Any]) -> dict[str, Any]:
    """A page without what people said."""
    hidden = ["items[].summary", "items[].actor"]
    for item in body["items"]:
        item["summary"] = item["actor"] = None
        if item.get("withdrawn"):
            item["withdrawn"]["reason"] = None
            hidden.append("items[].withdrawn.reason")
        if item.get("decision"):
            item["decision"]["reason"] = item["decision"]["actor"] = None
            hidden += ["items[].decision.reason", "items[].decision.actor"]
    return {**body, "masked": list(dict.fromkeys(hidden))}
