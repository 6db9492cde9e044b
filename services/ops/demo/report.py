"""What the demo found, for people and as JSON.

Owns the figures' names and units and how they are said; measures nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from typing import Any

from services.ops.commands.output import count, span
from services.ops.demo.accuracy import Accuracy
from services.ops.demo.book import Book
from services.ops.demo.diary import CURRENCY
from services.ops.demo.people import Noise
from services.ops.demo.probe import BACKGROUND_PER_S, PROBES_PER_S, SECONDS, Latencies

SHARES = (0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Figures:
    """One run. `seconds` is from the first request until profiles showed all; `revenue` in CURRENCY, as sent."""

    events: int
    accepted: int
    refused: int
    parked: int
    duplicates: int
    seconds: float
    records: int
    customers: int
    persons: int
    ambiguous: int
    accuracy: Accuracy
    naive: Accuracy
    noise: Noise
    revenue: Decimal
    book: Book
    latencies: Latencies | None

    @property
    def events_per_s(self) -> float:
        """Through the public door until visible."""
        return self.accepted / self.seconds if self.seconds else 0.0


def as_json(figures: Figures) -> dict[str, Any]:
    """The figures by name, with measures rounded to four digits."""
    plain = {
        field.name: getattr(figures, field.name)
        for field in fields(figures)
        if field.name not in ("accuracy", "naive", "noise", "book", "latencies")
    }
    return {
        **plain,
        "revenue": f"{figures.revenue:.2f}",
        "revenue_over_api": f"{figures.book.told:.2f}",
        "revenue_by_pandas": f"{figures.book.by_pandas:.2f}",
        "revenue_is_equal": figures.book.is_equal,
        "currency": CURRENCY,
        "seconds": round(figures.seconds, 2),
        "events_per_s": round(figures.events_per_s),
        "identity": _measures(figures.accuracy),
        "transitive_closure": _measures(figures.naive),
        "noise": asdict(figures.noise),
        "event_to_profile_ms": figures.latencies and _latencies(figures.latencies),
    }


def _measures(accuracy: Accuracy) -> dict[str, float]:
    names = ("precision", "recall", "f1", "bcubed_precision", "bcubed_recall", "bcubed_f1")
    return {name: round(getattr(accuracy, name), 4) for name in names}


def _latencies(latencies: Latencies) -> dict[str, Any]:
    found: dict[str, Any] = {f"p{share * 100:.0f}": latencies.percentile_ms(share) for share in SHARES}
    rounded = {name: value and round(value, 1) for name, value in found.items()}
    return {**rounded, "probes": len(latencies.shown_ms) + latencies.missing, "missing": latencies.missing}


def lines(figures: Figures) -> Iterator[str]:
    """The figures as lines of text."""
    sent = f"{count(figures.events)} sent, {count(figures.accepted)} accepted, {count(figures.parked)} parked"
    yield f"events         {sent}" + (f", {count(figures.refused)} refused" if figures.refused else "")
    if figures.duplicates:
        yield f"               {count(figures.duplicates)} of them were here already and changed nothing"
    took = f"{count(round(figures.events_per_s))} events/s, from the first request until profiles show all"
    yield f"speed          {took} ({figures.seconds:.1f} s)"
    yield f"records        {count(figures.records)}, of {count(figures.persons)} persons"
    yield f"customers      {count(figures.customers)}"
    yield from _identity(figures)
    yield f"revenue sent   {figures.revenue:,.2f} {CURRENCY}"
    yield _revenue(figures.book)
    if figures.latencies is not None:
        yield from _latency_lines(figures.latencies)


def _revenue(book: Book) -> str:
    both = f"{book.told:,.2f} {CURRENCY} over the API, {book.by_pandas:,.2f} by pandas from the data set"
    if book.is_equal:
        return f"revenue        {both}: equal"
    apart = book.told - book.by_pandas
    why = " (other runs' orders of that year are in the book too)" if apart > 0 else ""
    return f"revenue        {both}: NOT equal, {abs(apart):,.2f} too {'much' if apart > 0 else 'little'}{why}"


def _identity(figures: Figures) -> Iterator[str]:
    ours, naive = figures.accuracy, figures.naive
    yield "who is who     precision  recall  F1      B-cubed precision  recall  F1"
    for name, one in (("  as merged", ours), ("  all shared", naive)):
        pairs = f"{one.precision:<9.4f}  {one.recall:.4f}  {one.f1:.4f}"
        cubed = f"{one.bcubed_precision:<17.4f}  {one.bcubed_recall:.4f}  {one.bcubed_f1:.4f}"
        yield f"{name:<14} {pairs}  {cubed}"
    yield "               (all shared: plain transitive closure, whoever shares an identifier is one)"
    rates = ", ".join(f"{name.replace('_', ' ')} {rate:g}" for name, rate in asdict(figures.noise).items())
    yield f"  noise        {rates}"
    yield f"  left out     {count(figures.ambiguous)} records that several persons are in"


def _latency_lines(latencies: Latencies) -> Iterator[str]:
    told = "  ".join(f"p{share * 100:.0f} {span(latencies.percentile_ms(share))}" for share in SHARES)
    yield f"to profile     {told}"
    load = f"{PROBES_PER_S} events/s for {SECONDS} s beside {BACKGROUND_PER_S} events/s of others"
    yield f"               from before the send until a GET shows it; {load}"
    if latencies.missing:
        yield f"               {count(latencies.missing)} were not shown in time"
