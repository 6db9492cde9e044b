"""The standard mix with more workers of each service: how far more processes help on this machine.

Owns the numbers of workers; each is measured on a copy of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.benchmarks import mix, pages, plots
from tests.benchmarks.deployment import Deployment

WORKERS = tuple(int(n) for n in os.environ.get("C360_BENCH_SCALING", "1,2,4").split(","))
EVENTS = int(os.environ.get("C360_BENCH_SCALING_EVENTS", "20000"))
WARM_EVENTS = 2_000
EVENTS_PER_CUSTOMER = 2
SERVICES = ("identity", "interaction", "value", "profile")
"""Intake is one process: the door's own benchmark is collector.py."""

ON_THIS_MACHINE = (
    "On two cores this cannot show how far the system scales: with one worker of each service there are already more"
    " processes than cores. It shows what more workers cost where they cannot help, and that the result is the same."
)


class Copies(Protocol):
    """Starts a copy with these options of `c360 up`."""

    def __call__(self, *options: str) -> AbstractContextManager[tuple[Deployment, Path]]:
        """A copy and a folder, both gone afterwards."""


@dataclass(frozen=True)
class Scaled:
    """The mix with so many workers of each service."""

    workers: int
    result: mix.Result

    @property
    def memory_mib(self) -> float:
        """Resident, of all processes of the services together."""
        return sum(mib for name, mib in self.result.memory_mib.items() if name.split(".")[0] in SERVICES)

    def by_service(self) -> dict[str, float]:
        """CPU µs an event of all workers of a service together."""
        found: dict[str, float] = {}
        for name, us in self.result.cpu_us.items():
            service = name.split(".")[0]
            found[service] = found.get(service, 0.0) + us
        return dict(sorted(found.items()))


def measure(copies: Copies, numbers: Sequence[int] = WORKERS) -> list[Scaled]:
    """Each number of workers, one after the other."""
    return list(_each(copies, numbers))


def _each(copies: Copies, numbers: Sequence[int]) -> Iterator[Scaled]:
    for workers in numbers:
        with _copy_of(copies, workers) as (at, folder):
            key, customers = mix.write_key(at), max(1, EVENTS // EVENTS_PER_CUSTOMER)
            mix.ingest(at, key, mix.Sending(WARM_EVENTS, 1, customers), folder / "warm")
            found = Scaled(
                workers, mix.judged(at, mix.ingest(at, key, mix.Sending(EVENTS, 2, customers), folder / "l"))
            )
        print(*table([found])[-1:], sep="\n", flush=True)
        yield found


@contextmanager
def _copy_of(copies: Copies, workers: int) -> Iterator[tuple[Deployment, Path]]:
    options = [word for service in SERVICES for word in ("--workers", f"{service}={workers}")]
    with copies(*options) as found:
        yield found


def is_wrong(found: Sequence[Scaled]) -> bool:
    """Whether the oracle found anything."""
    return any(one.result.is_wrong for one in found)


def table(found: Sequence[Scaled]) -> list[str]:
    """Markdown rows."""
    names = sorted({name for one in found for name in one.by_service()})
    rows = [
        f"{EVENTS:,} events of the mix, sent as fast as the door takes them. {ON_THIS_MACHINE}",
        "",
        "| workers | events/s | CPU µs an event | " + " | ".join(names) + " | MiB of these workers | oracle |",
        "| --- " * (len(names) + 5) + "|",
    ]
    for one in found:
        costs = one.by_service()
        word = str(one.result.findings) if one.result.is_wrong else "ZERO"
        rate = f"**{one.result.events_per_s:,.0f}** | {sum(costs.values()):.0f}"
        each = " | ".join(f"{costs.get(name, 0.0):.0f}" for name in names)
        rows.append(f"| {one.workers} | {rate} | {each} | {one.memory_mib:,.0f} | {word} |")
    return rows


def write(found: Sequence[Scaled]) -> None:
    """The page and its plots."""
    rates = {"events/s": [(float(one.workers), one.result.events_per_s) for one in found]}
    costs = {f"{one.workers} workers": one.by_service() for one in found}
    pages.write(
        "scaling",
        "More workers of each service",
        table(found),
        {
            "Events a second by workers": plots.lines(
                "Events a second", "workers of each service", "events/s", rates
            ),
            "CPU an event by workers": plots.bars("CPU an event by service", "µs", costs),
        },
    )
