"""`python -m tests.benchmarks [PART ...]`: measures, prints, and writes docs/benchmarks.md when all parts were.

Owns the order and the page. A figure under its bar is printed with the bar beside it; nothing is hidden.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks import collector, delivery, latency, mix, profiles, replay, timeline
from tests.benchmarks.deployment import Deployment, running
from tests.benchmarks.machine import described

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
MIX_EVENTS = 100_000
MIX_CUSTOMERS = 50_000
SEED = 1
ALONE = ("collector", "replay", "profiles")
"""Parts on a copy of their own."""
PARTS = ("delivery", "mix", "latency", "timeline", *ALONE)
Sections = dict[str, list[str]]


def main(wanted: list[str]) -> int:
    """Measure the parts asked for (all by default); 1 when a result was wrong, whatever its speed."""
    chosen = wanted or list(PARTS)
    sections: Sections = {}
    wrong = False
    if set(chosen) - set(ALONE):
        with _copy() as (at, folder):
            wrong = _on_one_copy(at, folder, chosen, sections)
    if "collector" in chosen:
        with _copy(*collector.WORKERS) as (at, _):
            _say(sections, "The collector alone", collector.table(collector.measure(at)))
    if "replay" in chosen:
        with _copy() as (at, folder):
            replayed = replay.measure(at, folder)
            wrong = wrong or replayed.is_wrong
            _say(sections, "Rebuilding a service from the log", replay.table(replayed))
    if "profiles" in chosen:
        with _copy(*profiles.WORKERS) as (at, folder):
            _say(sections, "The profile API among a million profiles", profiles.table(profiles.measure(at, folder)))
    lines = ["# Benchmarks", "", f"Taken {datetime.now(UTC):%Y-%m-%d} by `make bench`.", "", *described()]
    for title, rows in sections.items():
        lines += ["", f"## {title}", *rows]
    if set(chosen) == set(PARTS):
        PAGE.write_text("\n".join(lines) + "\n")
    return int(wrong)


def _say(sections: Sections, title: str, rows: list[str]) -> None:
    """Keep a section for the page, and print it as soon as it is there."""
    sections[title] = rows
    print(f"## {title}", *rows, sep="\n", flush=True)


@contextmanager
def _copy(*options: str) -> Iterator[tuple[Deployment, Path]]:
    """A copy and a folder, both gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="c360-bench-") as folder, running(Path(folder) / "home", *options) as at:
        yield at, Path(folder)


def _on_one_copy(at: Deployment, folder: Path, chosen: list[str], sections: Sections) -> bool:
    """The parts that share a copy, one after the other; whether a result was wrong."""
    wrong = False
    if "delivery" in chosen:
        _say(sections, "Delivery: a record from Kafka into our hands", delivery.table(delivery.measure(at.kafka)))
    if "mix" in chosen:
        result = mix.measure(at, MIX_EVENTS, SEED, MIX_CUSTOMERS, folder / "ledger")
        wrong = not result.findings.zero
        bar = f"Bar: {mix.EVENTS_PER_S_BAR:,} events/s; each worker at most {mix.MEMORY_MIB_MAX} MiB."
        _say(sections, "The standard mix, first send until visible in profiles", [bar, "", *mix.table(result)])
    if "latency" in chosen:
        key = mix.write_key(at)
        targets = latency.known_customers(at, key)
        rates = [latency.at_rate(at, key, targets, rate, folder) for rate in latency.RATES_PER_S]
        bar = f"{latency.CUSTOMERS:,} known customers stored. Bar: p95 {latency.P95_MS_BAR} ms at 1,000/s."
        _say(sections, "From the send to the first GET that shows it", [bar, "", *latency.table(rates)])
    if "timeline" in chosen:
        _say(sections, "A page of a customer's timeline", timeline.table(timeline.measure(at)))
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
