"""Whatever else the document tells, under its own names: open conversations, promises, needs, consents, segments, ...

What is null or empty is left out, so that a build that does not tell it shows no empty frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.ops.page.markup import Html, card, joined, pairs, tag
from services.ops.page.words import spoken

DRAWN: dict[str, tuple[str, ...]] = {
    "interaction": ("first_at", "last_at", "count", "by_channel", "by_type", "last"),
    "contact": ("name", "emails", "phones", "addresses", "birthday", "completeness", "traits", "provenance"),
    "value": ("currency", "as_of", "actual", "other_currencies", "tier"),
}
"""Part → what of it has a place of its own on the page."""
WHOLE = ("needs", "preferences", "consents", "groups", "segments", "treatment")
LISTED_MAX = 30
DEPTH_MAX = 4


def rest(document: Mapping[str, Any]) -> Html:
    """A card for each of them."""
    return joined(card(spoken(name), _drawn(value, 0)) for name, value in _told(document))


def _told(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for part, drawn in DRAWN.items():
        yield from ((n, v) for n, v in (document.get(part) or {}).items() if n not in drawn and not _is_empty(v))
    treated = (document.get("treatment") or {}).get("last")
    yield from (
        (name, document[name])
        for name in WHOLE
        if not _is_empty(document.get(name)) and (name != "treatment" or treated)
    )


def _is_empty(value: Any) -> bool:
    """Nothing, or nothing but nothings."""
    if isinstance(value, dict):
        return all(map(_is_empty, value.values()))
    return all(map(_is_empty, value)) if isinstance(value, list) else value is None or value == ""


def _drawn(value: Any, depth: int) -> Html | str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if depth >= DEPTH_MAX or not isinstance(value, dict | list):
        return str(value)
    if isinstance(value, dict):
        return pairs((spoken(n), _drawn(one, depth + 1)) for n, one in value.items() if not _is_empty(one))
    lines = [tag("li", _drawn(one, depth + 1)) for one in value[:LISTED_MAX] if not _is_empty(one)]
    more = tag("li", f"and {len(value) - LISTED_MAX} more") if len(value) > LISTED_MAX else None
    return tag("ul", *lines, more, class_="lines")
