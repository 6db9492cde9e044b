"""HTML from plain functions: whatever is not markup already is escaped, so nothing can be forgotten.

Owns escaping and the form of tags; must not know a customer.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from unicodedata import category

VOID = frozenset({"meta", "br", "hr"})
SPACES = frozenset("\n\t")


class Html(str):
    """Markup that may stand as it is. Only this module makes it of text it did not write itself."""

    __slots__ = ()


Inside = str | int | None


def text(value: Inside) -> Html:
    """A text that shows what it holds and does nothing; markup stays markup."""
    if isinstance(value, Html):
        return value
    return Html(html.escape(_drawable("" if value is None else str(value)), quote=True))


def _drawable(value: str) -> str:
    """Without what is not seen and yet does something, such as turning the direction of the line."""
    return "".join(
        c if c.isprintable() or c in SPACES or category(c) == "Zs" else "\N{REPLACEMENT CHARACTER}" for c in value
    )


def tag(name: str, *inside: Inside, **attributes: Inside) -> Html:
    """`tag("td", "a < b", class_="x")` is `<td class="x">a &lt; b</td>`; attributes that are None are left out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    closing = "" if name in VOID else f"</{name}>"
    return Html(f"<{name}{written}>{joined(inside)}{closing}")


def joined(parts: Iterable[Inside], between: str = "") -> Html:
    """The parts one after the other; those that are None or empty are left out."""
    return Html(text(between).join(text(part) for part in parts if part is not None and part != ""))


def card(title: str, *inside: Inside, note: str | None = None, wide: bool = False) -> Html:
    """A part of the page with its heading; nothing where there is nothing in it."""
    body = joined(inside)
    if not body:
        return Html()
    heading = tag("h2", title, tag("small", note) if note else None)
    return tag("section", heading, body, class_="card wide" if wide else "card")


def chip(value: Inside, tone: str = "plain") -> Html:
    """A short word in a small frame."""
    return tag("span", value, class_=f"chip {tone}")


def pairs(rows: Iterable[tuple[str, Inside]]) -> Html:
    """Names with their values; nothing where there are none."""
    found = [joined([tag("dt", name), tag("dd", value)]) for name, value in rows if value not in (None, "")]
    return tag("dl", *found) if found else Html()
