"""`python -m tests.benchmarks.identity [febrl3] [febrl4] [household] [orders] [lane] [speed]`: measures, prints, and
writes docs/benchmarks-identity.md when all parts were measured.

Owns the order, the bars and the page. A figure under its bar stands beside it; nothing is hidden.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks.deployment import running
from tests.benchmarks.identity import household, lane, orders, ours, peers
from tests.benchmarks.machine import described

PAGE = Path(__file__).parents[3] / "docs" / "benchmarks-identity.md"
SETS = {
    "febrl3": "5,000 records of 2,000 persons, up to five duplicates. Bar: B-cubed F1 .998.",
    "febrl4": "5,000 persons, twice. Bar: cluster pair F1 .999.",
    "household": "The test half of the household set. Bar: cluster pair F1 .94 at a precision of .95 at the shipped "
    "thresholds; Splink's best threshold stays at or below .90, which says how hard it is.",
}
STORED_SEED, STORED_HOUSEHOLDS, STORED_RECORDS = 11, 6_900, 50_000
SINGLES_SEED, SINGLES = 12, 300
ORDERS, LANE, SPEED = "orders", "lane", "speed"


def main(wanted: list[str]) -> int:
    """Measure the parts asked for, all by default."""
    parts = {ORDERS: orders_of, LANE: lane.lines, SPEED: speed}
    chosen = wanted or [*SETS, *parts]
    lines = ["# Benchmarks of identity", "", f"Taken {datetime.now(UTC):%Y-%m-%d} by `make bench-identity`.", ""]
    lines += [*described(), *NOTES]
    with tempfile.TemporaryDirectory(prefix="c360-identity-") as name:
        for number, which in enumerate(chosen):
            folder = Path(name) / str(number)
            folder.mkdir()
            lines += parts[which](folder) if which in parts else one_set(which, folder)
    text = "\n".join(lines) + "\n"
    print(text)
    if set(chosen) == {*SETS, *parts}:
        PAGE.write_text(text)
    return 0


NOTES = (
    "- records come in over the collector as `contact.imported` events, and whose each is, the profile API answers",
    "- ours: at the shipped thresholds, by the shipped policy, and by one that `c360 identity fit` estimated of the "
    "same records without labels and `policy apply` put in force",
    "- peers: at the threshold that is best with the truth at hand, and at their usual one",
)


def one_set(which: str, folder: Path) -> list[str]:
    """Ours and the peers' figures on one set."""
    result = ours.measure(peers.contacts(which), folder)
    print(which, ours.speed(result), flush=True)
    table = peers.table([*ours.figures(result), *peers.figures(which)])
    return ["", f"## {which}", SETS[which], "", *table, "", f"Ours: {ours.speed(result)}."]


def orders_of(folder: Path) -> list[str]:
    """Whether order, batches, removals and imports anew leave any trace."""
    rows = list(orders.HEAD)
    for which in ("febrl3", "household"):
        inside = folder / which
        inside.mkdir()
        rows += orders.table(which, orders.measure(peers.contacts(which), inside))
    said = (
        f"{orders.REMOVED_SHARE:.0%} of the records are removed by their sources and half of these imported again;"
        " against the clusters of all evidence at once. Bar: 0 differ."
    )
    return ["", "## Any order", said, "", *rows]


def speed(folder: Path) -> list[str]:
    """How fast records come in, and one alone beside many stored."""
    rows = household.records(STORED_SEED, STORED_HOUSEHOLDS)[:STORED_RECORDS]
    alone = household.records(SINGLES_SEED, SINGLES)[:SINGLES]
    with running(folder / "home") as at:
        seconds, cpu_us = ours.load(at, rows)
        before = ours.batches(at)
        waited = ours.singles(at, alone)
        after = ours.batches(at)
        inside = [ours.bound_ms(before, after, share) for share in (0.5, 0.99)]
    shares = ", ".join(f"{name} {us:.0f}" for name, us in sorted(cpu_us.items()))
    return [
        "",
        "## Speed",
        "Bars: 1,000 new records/s; one record p99 100 ms with 50,000 stored.",
        "",
        f"- {len(rows):,} records from the first send until every profile shows them: {seconds:.1f} s,"
        f" **{len(rows) / seconds:,.0f}/s**; CPU µs a record: {shares}",
        f"- {len(alone)} records one after the other with those stored, from before the send until the look-up"
        f" answers with the customer, pauses of the lanes included: {ours.summary(waited)}",
        f"- identity's transactions of these: half took at most {inside[0]:g} ms, 99 % at most {inside[1]:g} ms",
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
