"""Small drawings for channels and identifiers, defined once in the page and used by name.

Owns their shapes; they take the colour of the text around them.
"""

from __future__ import annotations

from services.ops.page.markup import Html, joined, tag

_BUBBLE = "M4 5h16v11h-9l-5 4v-4H4z"
_PERSON = "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 21c0-4 3.4-6 7.5-6s7.5 2 7.5 6"
_ENVELOPE = "M3 6h18v13H3zM3.5 6.5l8.5 6.5 8.5-6.5"
_GLOBE = "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM3 12h18M12 3c3.5 3.5 3.5 14.5 0 18M12 3c-3.5 3.5-3.5 14.5 0 18"
_HANDSET = (
    "M5 4h4l1.8 4.5-2.3 1.6a11 11 0 0 0 5 5l1.6-2.3L19.5 14.5v4a2 2 0 0 1-2 2C10 20.5 3.5 14 3.5 6A2 2 0 0 1 5 4z"
)
_DEVICE = "M7.5 2.5h9v19h-9zM11 18.5h2"
_CARD = "M3 6h18v12.5H3zM3 10h18M6.5 15h4"

SHAPES = {
    "web": _GLOBE,
    "app": _DEVICE,
    "email": _ENVELOPE,
    "sms": _BUBBLE,
    "push": "M6 16v-5a6 6 0 0 1 12 0v5l2 2.5H4zM10 21.5h4",
    "call": _HANDSET,
    "store": "M5 8h14l1 12.5H4zM9 10.5V6.5a3 3 0 0 1 6 0v4",
    "chat": f"{_BUBBLE}M8 9h8M8 12.5h5",
    "mail": "M5 3h14v18H5zM8.5 8h7M8.5 12h7M8.5 16h4",
    "social": "M9 11a3.2 3.2 0 1 0 0-6.5A3.2 3.2 0 0 0 9 11zM3 20c0-3.5 2.5-5.5 6-5.5s6 2 6 5.5"
              "M16 11a2.7 2.7 0 1 0-1-5M17 14.5c2.5.3 4 2.2 4 5",
    "partner": "M9 12h6M10 8H8a4 4 0 0 0 0 8h2M14 8h2a4 4 0 0 1 0 8h-2",
    "import": "M12 3v11M8 10.5l4 4 4-4M4 16.5v4h16v-4",
    "other": "M12 7.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9z",
    "person": _PERSON,
    "card": _CARD,
    "row": "M4 4h16v16H4zM4 9.5h16M10 9.5V20",
    "place": "M12 21.5s7-6.5 7-11.5a7 7 0 1 0-14 0c0 5 7 11.5 7 11.5z"
             "M12 12.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
    "birthday": "M4 13h16v7.5H4zM4 17c2.7 1.5 5.3-1.5 8 0s5.3 1.5 8 0M8 13V9.5M12 13V9.5M16 13V9.5"
                "M8 6.5v.01M12 6.5v.01M16 6.5v.01",
}  # fmt: skip
"""Name → path on 24 by 24, drawn as lines."""

OF_TYPE = {"user_id": "person", "crm_id": "row", "loyalty_id": "card", "email": "email", "phone": "call",
           "device_id": "app", "anonymous_id": "web"}  # fmt: skip
"""Identifier class → drawing."""


def sprite() -> Html:
    """The definitions, which show nothing by themselves."""
    shapes = (
        tag("symbol", tag("path", d=path), id=f"i-{name}", viewBox="0 0 24 24") for name, path in SHAPES.items()
    )
    return tag("svg", *shapes, width="0", height="0", class_="sprite", aria_hidden="true")


def icon(name: str) -> Html:
    """A drawing by name; a ring for one we do not know."""
    known = name if name in SHAPES else "other"
    return tag("svg", tag("use", href=f"#i-{known}"), class_="icon", aria_hidden="true")


def of_identifier(type_: str) -> Html:
    """The drawing of an identifier's class: `crm_id.acme` is a `crm_id`."""
    return icon(OF_TYPE.get(type_.partition(".")[0], "other"))


def labelled(name: str, words: str) -> Html:
    """A drawing with its words beside it."""
    return joined([icon(name), tag("span", words)])
