"""What happened, newest day first, with the channel it came over and which way it went.

Draws GET /v1/customers/{id}/timeline with what was taken back and with whom the customer became one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from services.ops.page.corrected import INTERNAL, is_taken_back, remarks
from services.ops.page.icons import icon, labelled
from services.ops.page.markup import Html, card, joined, tag
from services.ops.page.words import clock, long_day, moment, named

TONES = (
    ("order.refunded", "bad"), ("order.cancelled", "bad"), ("payment.failed", "bad"), ("order.", "good"),
    ("invoice.", "good"), ("subscription.", "good"), ("identity.", "warn"), ("customer.", "warn"), ("call.", "talk"),
    ("conversation.", "talk"), ("promise.", "talk"), ("ticket.", "talk"), ("meeting.", "talk"), ("feedback.", "talk"),
)  # fmt: skip
"""How events begin → their colour, the first that fits."""
WAYS = {"inbound": ("\N{RIGHTWARDS ARROW}\N{NO-BREAK SPACE}us", "from the customer to us"),
        "outbound": ("us\N{NO-BREAK SPACE}\N{RIGHTWARDS ARROW}", "from us to the customer"),
        INTERNAL: (None, None)}  # fmt: skip


def timeline(items: Sequence[Mapping[str, Any]], document: Mapping[str, Any]) -> Html:
    """The items, newest first, by day."""
    interaction = document.get("interaction") or {}
    total = interaction.get("count", 0)
    names = {one["record_id"]: named(one) for one in (document.get("identity") or {}).get("records", ())}
    days = [
        tag("li", tag("h3", long_day(date.fromisoformat(on))), tag("ol", *(_item(one, names) for one in those)))
        for on, those in groupby(items, key=lambda one: str(one["time"])[:10])
    ]
    channels = [
        tag("li", labelled(name, f"{name} {number:,}"))
        for name, number in sorted((interaction.get("by_channel") or {}).items(), key=lambda c: (-c[1], c[0]))
    ]
    events = sum(not one.get("decision") and not is_taken_back(one) for one in items)
    note = f"the newest {events} of {total:,} events" if total > events else None
    return card(
        "What happened",
        tag("ul", *channels, class_="channels") if channels and days else None,
        tag("ol", *days, class_="days") if days else None,
        note=note,
        wide=True,
    )


def _item(one: Mapping[str, Any], names: Mapping[str, str]) -> Html:
    tone = next((tone for start, tone in TONES if str(one["type"]).startswith(start)), "plain")
    actor = one.get("actor") or {}
    who = actor.get("name") or actor.get("id")
    origin = [one["source"], f"by {who}" if who else None]
    if one["record_id"] in names:
        origin.append(f"on {names[one['record_id']]}")
    return tag(
        "li",
        tag("time", clock(one["time"]), datetime=one["time"], title=moment(one["time"])),
        tag("span", icon("person" if tone == "warn" else one["channel"]), class_=f"dot {tone}", title=one["channel"]),
        tag(
            "div",
            tag("p", tag("s" if is_taken_back(one) else "b", one["title"]), _way(one)),
            tag("p", one["summary"], class_="said") if one.get("summary") and not one.get("decision") else None,
            tag("p", "; ".join(said), class_="soft") if (said := remarks(one)) else None,
            tag("p", joined(origin, " \N{MIDDLE DOT} "), class_="soft"),
        ),
    )


def _way(one: Mapping[str, Any]) -> Html | None:
    way, meaning = WAYS.get(one["direction"], (one["direction"], None))
    return tag("span", way, class_="way", title=meaning) if way else None
