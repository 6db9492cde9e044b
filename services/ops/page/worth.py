"""What the customer is worth: over time, by area, and order by order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from services.ops.page.chart import bars_of, chart
from services.ops.page.markup import Html, card, chip, joined, tag
from services.ops.page.words import day, is_nothing, money, times

AREAS_MAX = 8
STATES = {"open": "", "returned": "returned", "never": "cancelled the same day"}
TONES = {"open": "warn", "returned": "bad"}


def over_time(value: Mapping[str, Any], seen_until: str | None) -> Html:
    """The bars, with what they mean."""
    actual = value.get("actual")
    if not actual:
        return Html()
    bars = bars_of(actual["by_period"], seen_until)
    keys = ["bought", *(["returned"] if any(bar.returned for bar in bars) else [])]
    legend = tag("p", *(tag("span", tag("i", class_=f"key {key}"), key) for key in keys), class_="legend")
    return card("Value over time", chart(bars, value["currency"]), legend if bars else None, note=value["currency"])


def areas(value: Mapping[str, Any]) -> Html:
    """What the customer bought of each area; the widest bar is the largest."""
    found = (value.get("actual") or {}).get("by_area") or []
    shown = found[:AREAS_MAX]
    largest = max((Decimal(one["revenue"]) for one in shown), default=Decimal(0))
    rows = [
        tag(
            "li",
            tag("span", one["area"], " ", tag("small", times(one["orders"], "order")), class_="name"),
            tag("span", money(one["revenue"]), class_="number"),
            tag("span", tag("i", style=f"width:{_share(one['revenue'], largest)}%"), class_="bar"),
            title=f"last on {day(one['last_at'])}" if one.get("last_at") else None,
        )
        for one in shown
    ]
    more = tag("p", f"and {times(len(found) - AREAS_MAX, 'more area')}", class_="soft")
    return card(
        "Areas",
        tag("ul", *rows, class_="areas") if rows else None,
        more if len(found) > AREAS_MAX else None,
        note=value["currency"] if rows else None,
    )


def _share(amount: str, largest: Decimal) -> int:
    return max(0, int(Decimal(amount) * 100 / largest)) if largest > 0 else 0


def orders(worth: Mapping[str, Any] | None) -> Html:
    """The orders, newest first."""
    found: Sequence[Mapping[str, Any]] = (worth or {}).get("orders") or []
    if not found:
        return Html()
    heads = tag("tr", *(tag("th", name, class_=kind) for name, kind in (
        ("Day", None), ("Order", None), ("Areas", "areas-of"), ("", None), ("Net", "number"),
        ("Returned", "number"),
    )))  # fmt: skip
    total = (worth or {}).get("orders_total", len(found))
    note = f"the newest {len(found)} of {total:,}" if total > len(found) else None
    table = tag("table", tag("thead", heads), tag("tbody", *map(_row, found)))
    return card("Orders", tag("div", table, class_="scroll"), note=note, wide=True)


def _row(order: Mapping[str, Any]) -> Html:
    state = STATES.get(order["status"], order["status"])
    if order["status"] == "open" and not is_nothing(order["refunds"]):
        state = "partly returned"
    told = order.get("told_otherwise") or 0
    marks = [
        chip(state, TONES.get(order["status"], "soft")) if state else None,
        chip(f"told {times(told + 1, 'time')}, counts once", "soft") if told else None,
        *(chip(flag.replace("_", " "), "warn") for flag in order.get("flags") or ()),
    ]
    kind = "" if order["kind"] == "order" else f"{order['kind']} "
    return tag(
        "tr",
        tag("td", day(order["ordered_at"]), class_="when"),
        tag("td", tag("small", kind) if kind else None, tag("code", order["id"], title=order["id"])),
        tag("td", ", ".join(order.get("areas") or ()), class_="areas-of"),
        tag("td", joined(marks, " ")),
        tag("td", money(order["net"], order["currency"]), class_="number"),
        tag("td", "" if is_nothing(order["refunds"]) else money(order["refunds"]), class_="number back"),
    )
