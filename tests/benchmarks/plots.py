"""Plots as SVG: stacked bars and lines, for pages that GitHub shows.

Owns how a figure is drawn and nothing of what it means. Colours tell series apart on white and on black.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape

COLOURS = (
    "#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#b07aa1", "#76b7b2", "#edc948", "#9c755f", "#bab0ac", "#ff9da7",
)  # fmt: skip
WIDTH, LEFT, RIGHT, TOP = 760, 190, 90, 40
BAR, GAP = 24, 14
LEGEND_LINE, LEGEND_ITEM = 18, 118
PLOT_HEIGHT = 260
TICKS = 5
FONT = 'font-family="Helvetica, Arial, sans-serif" font-size="12" fill="#777"'

Point = tuple[float, float]


def bars(title: str, unit: str, rows: Mapping[str, Mapping[str, float]]) -> str:
    """One horizontal bar a row, stacked of its parts; its sum is written behind it."""
    parts = list(dict.fromkeys(part for row in rows.values() for part in row))
    colour = {part: COLOURS[n % len(COLOURS)] for n, part in enumerate(parts)}
    longest = max((sum(row.values()) for row in rows.values()), default=0.0) or 1.0
    scale = (WIDTH - LEFT - RIGHT) / longest
    drawn = [_text(10, 20, title, bold=True)]
    y = TOP
    for name, row in rows.items():
        x = float(LEFT)
        drawn.append(_text(LEFT - 8, y + BAR * 0.7, name, anchor="end"))
        for part, value in row.items():
            told = f"<title>{escape(part)}: {value:,.4g} {escape(unit)}</title>"
            box = f'x="{x:.1f}" y="{y}" width="{value * scale:.1f}" height="{BAR}"'
            drawn.append(f'<rect {box} fill="{colour[part]}">{told}</rect>')
            x += value * scale
        drawn.append(_text(x + 6, y + BAR * 0.7, f"{sum(row.values()):,.4g} {unit}"))
        y += BAR + GAP
    legend, height = _legend(colour if len(parts) > 1 else {}, y + 8)
    return _svg(height, [*drawn, *legend])


def lines(title: str, x_name: str, y_name: str, series: Mapping[str, Sequence[Point]], log: str = "") -> str:
    """A line a series; `log` names the axes ("x", "y", "xy") that are logarithmic, of positive values."""
    points = [point for those in series.values() for point in those]
    across = _Axis([x for x, _ in points], LEFT, WIDTH - RIGHT, "x" in log)
    up = _Axis([y for _, y in points], TOP + PLOT_HEIGHT, TOP, "y" in log)
    colour = {name: COLOURS[n % len(COLOURS)] for n, name in enumerate(series)}
    drawn = [_text(10, 20, title, bold=True)]
    for value in up.ticks:
        y = up.at(value)
        drawn.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#7774"/>')
        drawn.append(_text(LEFT - 8, y + 4, f"{value:,.4g}", anchor="end"))
    bottom = TOP + PLOT_HEIGHT
    drawn += [_text(across.at(value), bottom + 18, f"{value:,.10g}", anchor="middle") for value in across.ticks]
    drawn += [_text((LEFT + WIDTH - RIGHT) / 2, bottom + 38, x_name, anchor="middle"), _text(10, TOP - 4, y_name)]
    for name, those in series.items():
        at = [(across.at(x), up.at(y), y) for x, y in those]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in at)
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour[name]}" stroke-width="2"/>')
        told = ((x, y, f"<title>{escape(name)}: {value:,.4g}</title>") for x, y, value in at)
        drawn += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour[name]}">{t}</circle>' for x, y, t in told]
    legend, height = _legend(colour, bottom + 54)
    return _svg(height, [*drawn, *legend])


class _Axis:
    """Values onto places from `first` to `last`, from 0 on unless logarithmic. Ticks are round, or the values."""

    def __init__(self, values: Sequence[float], first: float, last: float, log: bool) -> None:
        self.first, self.last, self.log = first, last, log
        most = max(values, default=1.0) or 1.0
        self.least = min(values, default=1.0) if log else 0.0
        if log:
            self.ticks: list[float] = sorted(set(values))
        else:
            step = _round_step(most / TICKS)
            self.ticks = [n * step for n in range(math.ceil(most / step) + 1)]
        self.most = max(self.ticks, default=1.0)

    def at(self, value: float) -> float:
        """Where a value lies."""
        if self.log:
            span = math.log(self.most / self.least) or 1.0
            share = math.log(value / self.least) / span
        else:
            share = value / self.most
        return self.first + share * (self.last - self.first)


def _round_step(least: float) -> float:
    """The smallest of 1, 2, 2.5, 5 times a power of ten that is not less."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= least)


def _text(x: float, y: float, text: str, *, anchor: str = "start", bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{weight} {FONT}>{escape(text)}</text>'


def _legend(colour: Mapping[str, str], y: float) -> tuple[list[str], float]:
    """What the colours mean, and where the figure ends."""
    in_line = (WIDTH - 20) // LEGEND_ITEM
    drawn = []
    for n, (name, value) in enumerate(colour.items()):
        x, at = 10 + n % in_line * LEGEND_ITEM, y + n // in_line * LEGEND_LINE
        drawn.append(f'<rect x="{x}" y="{at:.1f}" width="12" height="12" fill="{value}"/>')
        drawn.append(_text(x + 17, at + 10, name))
    return drawn, y + math.ceil(len(colour) / in_line) * LEGEND_LINE + 6


def _svg(height: float, drawn: Iterable[str]) -> str:
    size = f'width="{WIDTH}" height="{height:.0f}" viewBox="0 0 {WIDTH} {height:.0f}"'
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" {size}>', *drawn, "</svg>"]) + "\n"
