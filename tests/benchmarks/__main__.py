"""`python -m tests.benchmarks [PART ...]`: measures, prints, and writes docs/benchmarks.md when all parts were.

Owns the order and the page. A figure under its bar is printed with the bar beside it; nothing is hidden. Parts with a
page of their own (docs/benchmarks/) write it whenever they are measured.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks import collector, delivery, growth, latency, merges, mix, profiles, replay, scaling, timeline
from tests.benchmarks.baselines import telling as baselines
from tests.benchmarks.deployment import Deployment, running
from tests.benchmarks.machine import described, pace_ns

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
MIX_EVENTS = 100_000
MIX_CUSTOMERS = 50_000
SEED = 1
SHARED = ("delivery", "mix", "latency", "timeline")
"""Parts on one copy, one after the other; each of the others has its own."""
Sections = dict[str, list[str]]


def main(wanted: list[str]) -> int:
    """Measure the parts asked for (all by default); 1 when a result was wrong, whatever its speed."""
    chosen = wanted or [*SHARED, *ALONE]
    if unknown := set(chosen) - set(SHARED) - ALONE.keys():
        print(
            f"no such part: {', '.join(sorted(unknown))}; there are {', '.join([*SHARED, *ALONE])}", file=sys.stderr
        )
        return 2
    sections: Sections = {}
    wrong = False
    if set(chosen) & set(SHARED):
        with _copy() as (at, folder):
            wrong = _on_one_copy(at, folder, chosen, sections)
    for name, part in ALONE.items():
        if name in chosen:
            wrong = part(sections) or wrong
    lines = ["# Benchmarks", "", f"Taken {datetime.now(UTC):%Y-%m-%d} by `make bench`.", "", *described()]
    for title, rows in sections.items():
        lines += ["", f"## {title}", *rows]
    if set(chosen) == {*SHARED, *ALONE}:
        PAGE.write_text("\n".join(lines) + "\n")
    return int(wrong)


def _say(sections: Sections, title: str, rows: list[str]) -> None:
    """Keep a section for the page, and print it as soon as it is there."""
    sections[title] = [*rows, "", f"The machine's pace just then: {pace_ns():.0f} ns a turn of a plain loop."]
    print(f"## {title}", *sections[title], sep="\n", flush=True)


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
        result = mix.measure(at, mix.Sending(MIX_EVENTS, SEED, MIX_CUSTOMERS), folder / "ledger")
        wrong = result.is_wrong
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


def _collector(sections: Sections) -> bool:
    with _copy(*collector.WORKERS) as (at, _):
        _say(sections, "The collector alone", collector.table(collector.measure(at)))
    return False


def _replay(sections: Sections) -> bool:
    with _copy() as (at, folder):
        found = replay.measure(at, folder)
    _say(sections, "Rebuilding a service from the log", replay.table(found))
    return found.is_wrong


def _profiles(sections: Sections) -> bool:
    with _copy(*profiles.WORKERS) as (at, folder):
        _say(sections, "The profile API among a million profiles", profiles.table(profiles.measure(at, folder)))
    return False


def _merges(sections: Sections) -> bool:
    with _copy() as (at, _):
        found = merges.measure(at)
    _say(sections, "Merge and split by size", merges.table(found))
    merges.write(found)
    return False


def _growth(sections: Sections) -> bool:
    with _copy() as (at, folder):
        found = growth.measure(at, folder)
    _say(sections, "What an event costs the more events are stored", growth.table(found))
    growth.write(found)
    return growth.is_wrong(found)


def _scaling(sections: Sections) -> bool:
    found = scaling.measure(_copy)
    _say(sections, "More workers of each service", scaling.table(found))
    scaling.write(found)
    return scaling.is_wrong(found)


def _baselines(sections: Sections) -> bool:
    runs = baselines.measure()
    _say(sections, "Beside stock Faust agents", baselines.table(runs))
    baselines.write(runs)
    return baselines.is_wrong(runs)


ALONE: Mapping[str, Callable[[Sections], bool]] = {
    "collector": _collector,
    "replay": _replay,
    "profiles": _profiles,
    "merges": _merges,
    "growth": _growth,
    "scaling": _scaling,
    "baselines": _baselines,
}
"""Parts on a copy of their own: each says its section, and whether a result was wrong."""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
