"""The whole page: what its parts are, in which order, and the words about freshness at its foot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.ops.commands.output import span
from services.ops.page import decided, head, identity, timeline, worth
from services.ops.page.icons import sprite
from services.ops.page.markup import Html, joined, tag
from services.ops.page.rest import rest
from services.ops.page.style import STYLE
from services.ops.page.words import moment

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""What a browser may do with the page: nothing but draw it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The profile API's answers about one customer. What did not answer is None and named in `silent`."""

    document: Mapping[str, Any]
    evidence: Mapping[str, Any] | None
    worth: Mapping[str, Any] | None
    items: Sequence[Mapping[str, Any]]
    made_at: str
    silent: Sequence[str] = ()


def page(seen: Seen) -> str:
    """The page as text, whole: it needs nothing else to be shown."""
    document = seen.document
    name = (document.get("contact") or {}).get("name") or head.NO_NAME
    value = document.get("value") or {}
    until = (document.get("interaction") or {}).get("last_at")
    beside = joined([worth.over_time(value, until), worth.areas(value)])
    said = joined([identity.apart(seen.evidence), decided.decided(seen.evidence)])
    why = joined([identity.records(document, seen.evidence), tag("div", said, class_="stack") if said else None])
    others = rest(document)
    body = tag(
        "main",
        head.head(document),
        head.figures(document),
        _row(beside, "two wide-first"),
        worth.orders(seen.worth),
        _row(why, "two"),
        _row(others, "three"),
        timeline.timeline(seen.items, document),
        _foot(seen),
    )
    return "<!DOCTYPE html>\n" + tag("html", _html_head(f"{name}, {document['customer_id']}"),
                                     tag("body", sprite(), body), lang="en")  # fmt: skip


def _html_head(title: str) -> Html:
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name_="color-scheme", content="light dark"),
        tag("meta", name_="referrer", content="no-referrer"),
        tag("title", title),
        tag("style", STYLE),
    )


def _row(inside: Html, kind: str) -> Html | None:
    return tag("div", inside, class_=kind) if inside else None


def _foot(seen: Seen) -> Html:
    meta = seen.document["meta"]
    lines = [
        f"Read on {moment(seen.made_at)}; times are UTC.",
        f"Version {meta['version']}, updated {moment(meta['updated_at']) or 'at no known time'}, "
        f"late by {span(meta['lag_ms'])}.",
        *(
            f"{words}: {', '.join(names)}."
            for words, names in (
                ("Not told yet", meta.get("missing")),
                ("Masked", meta.get("masked")),
                ("Just being regrouped", meta.get("regrouping")),
                ("Did not answer", seen.silent),
            )
            if names
        ),
    ]
    position = tag("p", "Position ", tag("code", meta["position"])) if meta.get("position") else None
    return tag("footer", *(tag("p", line) for line in lines), position)
