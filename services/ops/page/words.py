"""Days, months, amounts and identifiers as people read them. Pure, English, the same everywhere; times are UTC."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
          "November", "December")  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SHORT_CHARS = 3
EXCLUSIVE = "exclusive:"
VERDICTS = {
    "proved": " (proved)",
    "stale": " (long not proved)",
    "failed": " (bounces)",
    "syntax": " (no e-mail address)",
}
"""Of an e-mail address, by why it is valid or not."""

KINDS = {
    "seen_together": "seen together",
    "alias": "aliases of each other",
    "same_asserted": "said to be the same",
    "similar": "alike",
}
"""What a link is, in words."""


def day(time: str | None) -> str:
    """`3 Mar 2026` of an RFC 3339 time or a date; empty for none."""
    if not time:
        return ""
    on = date.fromisoformat(time[:10])
    return f"{on.day} {MONTHS[on.month - 1][:SHORT_CHARS]} {on.year}"


def long_day(on: date) -> str:
    """`Tuesday, 3 March 2026`."""
    return f"{WEEKDAYS[on.weekday()]}, {on.day} {MONTHS[on.month - 1]} {on.year}"


def clock(time: str) -> str:
    """`18:04`."""
    return datetime.fromisoformat(time).strftime("%H:%M")


def moment(time: str | None) -> str:
    """`3 Mar 2026, 18:04`."""
    return f"{day(time)}, {clock(time)}" if time else ""


def month(text: str, *, long: bool = False, with_year: bool = False) -> str:
    """`Mar` of `2026-03`, and the year with January or when asked for; long: `March 2026`."""
    year, number = text.split("-")
    name = MONTHS[int(number) - 1]
    if long:
        return f"{name} {year}"
    return f"{name[:SHORT_CHARS]} {year}" if with_year or number == "01" else name[:SHORT_CHARS]


def between(first: str | None, last: str | None) -> str:
    """`3 Mar 2026 to 8 Apr 2026`; one day where both are the same."""
    one, other = day(first), day(last)
    return f"{one} to {other}" if one and other and one != other else one or other


def money(amount: str, currency: str | None = None) -> str:
    """`1,140.00 USD` of the exact text; a minus is one."""
    whole, point, part = amount.lstrip("-").partition(".")
    sign = "\N{MINUS SIGN}" if amount.startswith("-") else ""
    unit = f"\N{NO-BREAK SPACE}{currency}" if currency else ""
    return f"{sign}{int(whole):,}{point}{part}{unit}"


def is_nothing(amount: str) -> bool:
    """Whether an amount is 0."""
    return not Decimal(amount)


def times(number: int, noun: str, many: str | None = None) -> str:
    """`1 order`, `1,234 orders`."""
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"


def named(record: Mapping[str, Any]) -> str:
    """`user_id:u-88`."""
    return f"{record['type']}:{record['value']}"


def refusal(constraint: str) -> str:
    """Why two records were not joined, or no longer are."""
    if constraint.startswith(EXCLUSIVE):
        return f"both have a {constraint.removeprefix(EXCLUSIVE)} of their own"
    if constraint == "dissimilar":
        return "what was said of them is too unlike"
    return "an operator said that they are different people" if constraint == "different" else constraint


def spoken(name: str) -> str:
    """A field's name as words: `Open conversations`."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]
