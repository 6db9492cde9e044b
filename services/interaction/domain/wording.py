"""Wording: what was sent, as facts keep it, and texts as they are compared.

Owns reading of texts, lists and answers of any JSON shape. Never raises; knows no event type. Pure.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from schemas.envelope import Event
from services.interaction.domain.facts import TEXT_CHARS_MAX, short
from services.interaction.domain.sent import number

ITEMS_MAX = 20
"""Items of a list, and names of an object, that an answer keeps."""
DEPTH_MAX = 3
NAME_CHARS_MAX = 64
INTEGER_MAX = 2**53
"""Greater numbers are kept as text: not every reader of JSON holds them exactly."""
LINE_CHARS_MAX = 120


def properties_of(event: Event) -> Mapping[str, Any]:
    """The event's properties; none when they are no object."""
    found = event.data.get("properties")
    return found if isinstance(found, Mapping) else {}


def said(text: Any) -> str | None:
    """A text as facts keep it; None when nothing readable is left."""
    return short(text) or None


def first_said(properties: Mapping[str, Any], *names: str) -> str | None:
    """The first of these that has a text."""
    return next((text for name in names if (text := said(properties.get(name)))), None)


def items(value: Any, at_most: int) -> list[Any]:
    """A sent list; one thing that should have stood in a list is a list of one."""
    if isinstance(value, (list, tuple)):
        return list(value[:at_most])
    return [value] if isinstance(value, (str, Mapping)) else []


def worded(sent: Any) -> Mapping[str, Any]:
    """One item of a list: an object, or a text alone as {"text": …}; empty when it is neither."""
    if isinstance(sent, Mapping):
        return sent
    return {"text": sent} if isinstance(sent, str) else {}


def kept(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body without what was not said."""
    return {name: value for name, value in body.items() if value is not None and value != []}


def folded(text: Any) -> str:
    """A whole text as it is compared: case, punctuation, spaces and forms of letters make no difference.

    Marks of vowels stay, or words of Indic scripts would be one. What has neither letters nor digits is compared as
    it is written.
    """
    clean = unicodedata.normalize("NFKC", said(text) or "").casefold()
    words = "".join(c if c.isalnum() or unicodedata.category(c)[0] == "M" else " " for c in clean).split()
    return " ".join(words) if words else clean


def plain(value: Any) -> Any:
    """An answer of any JSON shape, small and without floats; None when there is none.

    What is too long becomes text and is cut: an answer that was dropped would be asked for again.
    """
    found = _plain(value, DEPTH_MAX)
    if isinstance(found, (dict, list)):
        text = json.dumps(found, ensure_ascii=False, sort_keys=True)
        return found if len(text) <= TEXT_CHARS_MAX else said(text)
    return found


def line(text: str, chars_max: int = LINE_CHARS_MAX) -> str:
    """A text in one line, cut where it is longer."""
    flat = " ".join(text.split())
    return flat if len(flat) <= chars_max else f"{flat[: chars_max - 1].rstrip()}…"


def _plain(value: Any, depth: int) -> Any:
    if type(value) is bool:
        return value
    if type(value) is int:
        return value if abs(value) <= INTEGER_MAX else said(value)
    if isinstance(value, float | Decimal):
        return said(value) if (found := number(value)) is None else found
    if isinstance(value, Mapping):
        return _object(value, depth)
    if isinstance(value, (list, tuple)):
        listed = [_plain(v, depth - 1) for v in value[:ITEMS_MAX]] if depth else []
        return [v for v in listed if v is not None] or None
    return said(value)


def _object(value: Mapping[Any, Any], depth: int) -> dict[str, Any] | None:
    named = sorted(str(name) for name in value)[:ITEMS_MAX] if depth else []
    found = {(said(name) or "")[:NAME_CHARS_MAX]: _plain(value.get(name), depth - 1) for name in named}
    return {name: v for name, v in found.items() if name and v is not None} or None
