"""The part `baselines` of the benchmarks: its table, its plots and its bars.

Owns how runs are shown. What was measured is measuring.py's.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from services.ops.local import parts
from tests.benchmarks import pages, plots
from tests.benchmarks.baselines import measuring
from tests.benchmarks.baselines.measuring import Run
from tests.benchmarks.baselines.ways import EXPERT, NAIVE, OURS
from tests.support.databases import Databases
from tests.support.rig import Rigs

BARS = {NAIVE.name: 5.0, EXPERT.name: 1.5}
"""How many times as many events a second ours must do as each baseline."""
FAULTS = {"D1": "kill -9 of a worker", "P2": "all database connections cut"}


def measure() -> list[Run]:
    """All ways, on a Kafka and a PostgreSQL of their own."""
    with tempfile.TemporaryDirectory(prefix="c360-bench-") as folder:
        home = Path(folder)
        try:
            at = parts.start(home, None, kafka=True, postgres=True)
            rigs = Rigs(str(at.kafka), Databases(str(at.database_url)), home)
            try:
                return measuring.measure(rigs)
            finally:
                rigs.close()
        finally:
            parts.stop(home)


def is_wrong(runs: Sequence[Run]) -> bool:
    """Whether ours lost anything, or another way came to another result where nothing failed."""
    return any(not run.compared.zero for run in runs if not run.fault or run.way == OURS.name)


def table(runs: Sequence[Run]) -> list[str]:
    """Markdown rows."""
    calm = [run for run in runs if not run.fault]
    (ours,) = (run for run in calm if run.way == OURS.name)
    bars = ", ".join(f"{bar:g} times as many events/s as {name}" for name, bar in BARS.items())
    meaning = (
        "Lost: events that are not kept. Twice, unseen: kept, and counted twice, or not, where a profile counts them."
        " Wrong: sections of interaction and value in profiles that are not as the log says."
    )
    return [
        f"{ours.events:,} events of the standard mix, written to the log at once, until all is in profiles. Kafka,"
        f" PostgreSQL and the workers on one machine. Bars: ours at least {bars}.",
        "",
        meaning,
        "",
        "| way | events/s | ours is | CPU µs an event | ours is | lost | twice | unseen | wrong |",
        "| --- " * 9 + "|",
        *(_calm(run, ours) for run in calm),
        "",
        "CPU µs an event by process:",
        "",
        *_processes(calm),
        "",
        *_faults([run for run in runs if run.fault]),
    ]


def _calm(run: Run, ours: Run) -> str:
    faster, cheaper = ours.events_per_s / run.events_per_s, run.cost_us / ours.cost_us
    ratios = ("", "")
    if run.way in BARS:
        ratios = (f"**{faster:.2f} times** as fast", f"{cheaper:.2f} times cheaper")
    rate = f"{run.events_per_s:,.0f} | {ratios[0]} | {run.cost_us:,.0f} | {ratios[1]}"
    return f"| {run.way} | {rate} | {_found(run)} |"


def _found(run: Run) -> str:
    c = run.compared
    return f"{c.lost} | {c.doubled} | {c.unseen} | {c.wrong}"


def _processes(calm: Sequence[Run]) -> list[str]:
    names = sorted({name for run in calm for name in run.cpu_us})
    return [
        f"| way | {' | '.join(names)} |",
        "| --- " * (len(names) + 1) + "|",
        *(f"| {r.way} | {' | '.join(f'{r.cpu_us[n]:.0f}' if n in r.cpu_us else '' for n in names)} |" for r in calm),
    ]


def _faults(runs: Sequence[Run]) -> list[str]:
    if not runs:
        return []
    rows = [
        f"With {runs[0].faults} faults in each run while events are applied; whoever ends is started again.",
        "",
        "| fault | way | lost | twice | unseen | wrong | workers started again | seconds |",
        "| --- " * 8 + "|",
    ]
    for run in runs:
        rest = f"{run.restarts} | {run.seconds:.0f}"
        rows.append(f"| {run.fault}: {FAULTS[run.fault]} | {run.way} | {_found(run)} | {rest} |")
    return rows


def write(runs: Sequence[Run]) -> None:
    """The page and its plots."""
    calm = [run for run in runs if not run.fault]
    pages.write(
        "baselines",
        "Beside stock Faust agents",
        table(runs),
        {
            "CPU an event by way and process": plots.bars(
                "CPU an event by process", "µs", {r.way: dict(sorted(r.cpu_us.items())) for r in calm}
            ),
            "Events a second by way": plots.bars(
                "Events a second", "/s", {r.way: {"events": r.events_per_s} for r in calm}
            ),
        },
    )
