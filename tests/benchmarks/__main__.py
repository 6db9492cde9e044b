"""`python -m tests.benchmarks [PART ...]`: measures, prints, and writes docs/benchmarks.md when all parts were.

Owns the order and the page. A figure under its bar is printed with the bar beside it; nothing is hidden.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks import delivery, latency, mix, timeline
from tests.benchmarks.deployment import running
from tests.benchmarks.machine import described

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
MIX_EVENTS = 100_000
MIX_CUSTOMERS = 50_000
SEED = 1
PARTS = ("delivery", "mix", "latency", "timeline")


def main(wanted: list[str]) -> int:
    """Measure the parts asked for (all by default); 1 when a result was wrong, whatever its speed."""
    chosen = wanted or list(PARTS)
    sections: dict[str, list[str]] = {}
    wrong = False
    with tempfile.TemporaryDirectory(prefix="c360-bench-") as folder, running(Path(folder) / "home") as at:
        if "delivery" in chosen:
            sections["Delivery: a record from Kafka into our hands"] = delivery.table(delivery.measure(at.kafka))
        if "mix" in chosen:
            result = mix.measure(at, MIX_EVENTS, SEED, MIX_CUSTOMERS, Path(folder) / "ledger")
            wrong = not result.findings.zero
            bar = f"Bar: {mix.EVENTS_PER_S_BAR:,} events/s; each worker at most {mix.MEMORY_MIB_MAX} MiB."
            sections["The standard mix, first send until visible in profiles"] = [bar, "", *mix.table(result)]
        if "latency" in chosen:
            key = mix.write_key(at)
            targets = latency.known_customers(at, key)
            rates = [latency.at_rate(at, key, targets, rate, Path(folder)) for rate in latency.RATES_PER_S]
            bar = f"{latency.CUSTOMERS:,} known customers stored. Bar: p95 {latency.P95_MS_BAR} ms at 1,000/s."
            sections["From the send to the first GET that shows it"] = [bar, "", *latency.table(rates)]
        if "timeline" in chosen:
            sections["A page of a customer's timeline"] = timeline.table(timeline.measure(at))
    lines = ["# Benchmarks", "", f"Taken {datetime.now(UTC):%Y-%m-%d} by `make bench`.", "", *described()]
    for title, rows in sections.items():
        lines += ["", f"## {title}", *rows]
    text = "\n".join(lines) + "\n"
    print(text)
    if set(chosen) == set(PARTS):
        PAGE.write_text(text)
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
