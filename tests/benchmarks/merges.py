"""What it takes to join two customers, and to part them again, by the number of records they have together.

Owns the customers, an operator's words through the public API, and the clock: it starts before the word is sent and
stops at the first answer that shows one customer, or two, with nothing left to regroup. Half of the records are on
each side; within a side, operators' words hold them together, which no policy limits.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from statistics import median
from typing import Any

from tests.benchmarks import filling, pages, plots
from tests.benchmarks.deployment import Deployment
from tests.support.doors import Doors, Source

SIZES = tuple(int(size) for size in os.environ.get("C360_BENCH_MERGES", "2,10,100,1000").split(","))
ROUNDS = int(os.environ.get("C360_BENCH_MERGES_ROUNDS", "5"))
CRM = "crm_id.merges"
BATCH_EVENTS = 250
EVENTS_PER_RECORD = 3
"""The record itself, an order and a view."""
IDLE_S = 3.0
SETTLE_TIMEOUT_S = 300.0
SHOWN_TIMEOUT_S = 60.0
TIME = "2026-01-01T{:02d}:{:02d}:{:02d}Z"

Event = dict[str, Any]


@dataclass(frozen=True)
class Size:
    """Milliseconds from the word to the answer, and CPU ms of each process, of every round."""

    records: int
    merge_ms: list[float]
    split_ms: list[float]
    cpu_ms: dict[str, float]
    """By process, of one merge and one split together, less what processes cost that do nothing."""


def measure(at: Deployment, sizes: Sequence[int] = SIZES) -> list[Size]:
    """Every size on one copy."""
    doors = Doors(at)
    try:
        shop = doors.source("merges", "--may", "assert")
        for size in sizes:
            _tell(doors, shop, customers(size))
        filling.settle(at, SETTLE_TIMEOUT_S)
        return [_measured(doors, size) for size in sizes]
    finally:
        doors.close()


def customers(size: int) -> Iterator[Event]:
    """Two customers with `size` records together: each with an order and a view, and the words between them."""
    for side in sides(size):
        for number, name in enumerate(side):
            at, who = TIME.format(number // 3600, number // 60 % 60, number % 60), {CRM: name}
            yield {"type": "contact.imported", "time": at, "identifiers": who, "traits": {"plan": "a"}}
            order = {"order_id": f"o-{name}", "total": 10, "currency": "EUR"}
            yield {"type": "order.completed", "time": at, "identifiers": who, "properties": order}
            yield {
                "type": "page.viewed",
                "time": at,
                "identifiers": who,
                "properties": {"url": "https://shop.example/"},
            }
        for one, other in pairwise(side):
            records = [{"type": CRM, "value": value} for value in (one, other)]
            told = {"records": records, "reason": "benchmark"}
            yield {"type": "identity.same_asserted", "identifiers": {CRM: one}, "properties": told}


def sides(size: int) -> tuple[list[str], list[str]]:
    """Names of the records of both customers."""
    names = [f"of-{size}-{number}" for number in range(size)]
    return names[: size // 2], names[size // 2 :]


def _tell(doors: Doors, source: Source, events: Iterator[Event]) -> None:
    while batch := list(islice(events, BATCH_EVENTS)):
        doors.send(source, *batch)


def _measured(doors: Doors, size: int) -> Size:
    one, other = (side[0] for side in sides(size))
    took: dict[str, list[float]] = {"same": [], "different": []}

    def rounds() -> None:
        for _ in range(ROUNDS):
            for kind, spent in took.items():
                spent.append(_said(doors, kind, one, other))

    idle_ms, idle_s = _cpu_ms(doors, lambda: time.sleep(IDLE_S))
    spent_ms, spent_s = _cpu_ms(doors, rounds)
    # A process that only waited may come to less than nothing, by what a tick of the clock is.
    less_ms = {name: ms - idle_ms.get(name, 0.0) * spent_s / idle_s for name, ms in spent_ms.items()}
    cpu_ms = {name: max(0.0, ms) / ROUNDS for name, ms in less_ms.items()}
    found = Size(size, took["same"], took["different"], cpu_ms)
    print(*table([found])[-1:], sep="\n", flush=True)
    return found


def _cpu_ms(doors: Doors, act: Callable[[], None]) -> tuple[dict[str, float], float]:
    """What each process spent until all was applied and told, and how many seconds that took."""
    before, began = doors.copy.cpu(), time.monotonic()
    act()
    filling.settle(doors.copy, SETTLE_TIMEOUT_S)
    spent = {process: (s - before.get(process, 0.0)) * 1000 for process, s in doors.copy.cpu().items()}
    return spent, time.monotonic() - began


def _said(doors: Doors, kind: str, one: str, other: str) -> float:
    """Milliseconds from an operator's word until profiles show what it says."""
    records = [{"type": CRM, "value": value} for value in (one, other)]
    word = {"records": records, "kind": kind, "reason": "benchmark", "actor": {"id": "bench"}}
    began = time.monotonic()
    answer = doors.post_api("/v1/identity/assertions", word)
    assert answer.is_success, answer.text
    position, found = answer.json()["position"], [(CRM, one), (CRM, other)]
    while True:
        first, second = (r["customer_id"] for r in doors.look_up(*found, position=position))
        if (first == second) == (kind == "same"):
            documents = [doors.profile(customer, position) for customer in {first, second}]
            if not any(document["meta"]["regrouping"] for document in documents):
                return (time.monotonic() - began) * 1000
        assert time.monotonic() < began + SHOWN_TIMEOUT_S, f"{kind} of {one} is not shown"


def table(found: Sequence[Size]) -> list[str]:
    """Markdown rows."""
    processes = sorted({process for size in found for process in size.cpu_ms})
    rows = [
        f"Two customers of half the records each, {EVENTS_PER_RECORD} events a record; an operator says that they are"
        f" one, then that they are two; medians of {ROUNDS} rounds, from the word to the answer that shows it. CPU is"
        " of one merge and one split together.",
        "",
        "| records | merge ms | longest | split ms | longest | CPU ms of both | " + " | ".join(processes) + " |",
        "| --- " * (len(processes) + 6) + "|",
    ]
    for size in found:
        times = " | ".join(f"**{median(ms):,.0f}** | {max(ms):,.0f}" for ms in (size.merge_ms, size.split_ms))
        costs = " | ".join(f"{size.cpu_ms.get(process, 0.0):.0f}" for process in processes)
        rows.append(f"| {size.records:,} | {times} | {sum(size.cpu_ms.values()):,.0f} | {costs} |")
    return rows


def write(found: Sequence[Size]) -> None:
    """The page and its plot."""
    series = {
        "merge": [(float(size.records), median(size.merge_ms)) for size in found],
        "split": [(float(size.records), median(size.split_ms)) for size in found],
        "CPU of both": [(float(size.records), max(1.0, sum(size.cpu_ms.values()))) for size in found],
    }
    plot = plots.lines("From the word to the profile", "records of both customers", "ms", series, log="xy")
    pages.write("merges", "Merge and split by size", table(found), {"Merge and split by size": plot})
