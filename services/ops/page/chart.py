"""Bars per month, bought above the line and returned below it, as inline SVG.

Owns the geometry; colours are style.py's. Floats are for drawing only: what is written are the exact amounts.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from services.ops.page.markup import Html, tag
from services.ops.page.words import money, month

WIDTH, HEIGHT = 760.0, 270.0
LEFT, RIGHT, TOP, BOTTOM = 62.0, 6.0, 10.0, 26.0
BAR_WIDTH_MAX = 40.0
BAR_SHARE = 0.62
MONTHS_MAX = 36
QUIET_MONTHS_MAX = 12
"""Months without anything that are shown after the last booking, while the customer is still seen."""
LABELS_MAX = 12
TICKS = 4
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


class Bar(NamedTuple):
    """One month, YYYY-MM; both amounts usually 0 or more."""

    month: str
    bought: Decimal
    returned: Decimal


def bars_of(periods: Sequence[dict[str, Any]], seen_until: str | None) -> list[Bar]:
    """A bar for each month from the first booking to the last sighting, the gaps filled, oldest first."""
    if not periods:
        return []
    found = {
        p["month"]: Bar(p["month"], Decimal(p["revenue"]) + Decimal(p["refunds"]), Decimal(p["refunds"]))
        for p in periods
    }
    first, last = _number(min(found)), _number(max(found))
    until = min(_number(seen_until[:7]), last + QUIET_MONTHS_MAX) if seen_until else last
    months = [_month(number) for number in range(first, max(last, until) + 1)][-MONTHS_MAX:]
    return [found.get(name, Bar(name, Decimal(0), Decimal(0))) for name in months]


def _number(month_: str) -> int:
    year, number = month_.split("-")
    return int(year) * 12 + int(number) - 1


def _month(number: int) -> str:
    return f"{number // 12:04}-{number % 12 + 1:02}"


def chart(bars: Sequence[Bar], currency: str) -> Html:
    """The drawing, with each month's amounts as its title; nothing without bars."""
    if not bars:
        return Html()
    top = max(max(float(b.bought) for b in bars), 0.0)
    low = min(*(-float(b.returned) for b in bars), *(float(b.bought) for b in bars), 0.0)
    step = _step(top - low)
    scale = _Scale(-(-top // step) * step, low // step * step)
    slot = (WIDTH - LEFT - RIGHT) / len(bars)
    every = -(-len(bars) // LABELS_MAX)
    labels = {n: month(bar.month, with_year=n == 0) for n, bar in enumerate(bars) if n % every == 0}
    drawn = [_column(bar, LEFT + n * slot, slot, scale, currency, labels.get(n)) for n, bar in enumerate(bars)]
    said = f"Bought and returned per month in {currency}"
    return tag(
        "svg", tag("title", said), *_grid(scale, step), *drawn, _line("zero", scale.y(0)),
        viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}", class_="chart", role="img",
    )  # fmt: skip


class _Scale(NamedTuple):
    """From amounts to heights on the drawing."""

    top: float
    low: float

    def y(self, amount: float) -> float:
        share = (self.top - amount) / ((self.top - self.low) or 1.0)
        return TOP + share * (HEIGHT - TOP - BOTTOM)


def _step(span: float) -> float:
    """A round distance between lines, so that there are about TICKS of them."""
    rough = (span or 1.0) / TICKS
    power = 1.0
    while power * 10 <= rough:
        power *= 10
    while power > rough:
        power /= 10
    return next(power * step for step in STEPS if power * step >= rough)


def _grid(scale: _Scale, step: float) -> list[Html]:
    lines = []
    for number in range(round(scale.low / step), round(scale.top / step) + 1):
        at = scale.y(number * step)
        said = money(f"{number * step:.0f}" if step >= 1 else f"{number * step:.2f}")
        label = tag("text", said, x=f"{LEFT - 8:g}", y=f"{at + 4:.1f}", class_="tick")
        lines += [_line("rule", at), label]
    return lines


def _line(kind: str, y: float) -> Html:
    return tag("line", x1=f"{LEFT:g}", x2=f"{WIDTH - RIGHT:g}", y1=f"{y:.1f}", y2=f"{y:.1f}", class_=kind)


def _column(bar: Bar, x: float, slot: float, scale: _Scale, currency: str, label: str | None) -> Html:
    width = min(slot * BAR_SHARE, BAR_WIDTH_MAX)
    middle = x + slot / 2
    bought, returned = money(str(bar.bought), currency), money(str(bar.returned))
    said = f"{month(bar.month, long=True)}: {bought} bought, {returned} returned"
    rects = [
        _rect("bought", middle, width, scale.y(max(float(bar.bought), 0)), scale.y(min(float(bar.bought), 0))),
        _rect("returned", middle, width, scale.y(0), scale.y(-float(bar.returned))),
    ]
    under = tag("text", label, x=f"{middle:.1f}", y=f"{HEIGHT - 8:g}", class_="month") if label else None
    return tag("g", tag("title", said), *rects, under)


def _rect(kind: str, middle: float, width: float, top: float, bottom: float) -> Html | None:
    if bottom - top <= 0:
        return None
    return tag(
        "rect", x=f"{middle - width / 2:.1f}", y=f"{top:.1f}", width=f"{width:.1f}", height=f"{bottom - top:.1f}",
        rx="2", class_=kind,
    )  # fmt: skip
