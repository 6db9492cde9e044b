"""Identity's lane alone: what a record costs it and its database backend, in batches and one by one.

Owns the runs and the clocks. PostgreSQL is real and the lane is the worker's own; the broker is in memory, so that
nothing else is measured. Records come in the order in which they were sent.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import uvloop

from schemas.envelope import Event
from services.ops.generate.mix import Mix
from services.ops.generate.stream import START
from services.ops.generate.stream import events as mixed
from services.ops.local import parts
from services.runtime.host import GARBAGE_OBJECTS, GARBAGE_ROUNDS
from tests.benchmarks.identity import household, ours, peers
from tests.benchmarks.identity.contact import Contact, events
from tests.benchmarks.machine import cpu_s
from tests.support.databases import Databases
from tests.support.house import House, Worker
from tests.support.load import accepted

BATCH_EVENTS = 1_000
MIX_EVENTS, MIX_CUSTOMERS, MIX_SEED = 40_000, 50_000, 1
SINGLES_SEED, SINGLES = 12, 300
VIEWS = frozenset({"page.viewed", "product.viewed", "screen.viewed"})
HEAD = (
    "| | events | identity, CPU µs an event | its backend | events/s of the lane | one record alone: p50 ms | p99 |",
    "| --- " * 7 + "|",
)


@dataclass(frozen=True, slots=True)
class Told:
    """What one run is told: `before` is not measured."""

    before: Sequence[Event]
    events: Sequence[Event]


@dataclass(frozen=True, slots=True)
class Spent:
    """One run: CPU µs an event of this process and of the lane's backend, events/s, and ms of each single record."""

    events: int
    own_us: float
    backend_us: float
    per_s: float
    singles_ms: list[float]


def lines(folder: Path) -> list[str]:
    """The table: febrl3 and households, whose records are all new; the mix; and its customers' views once more."""
    first, again = _mix()
    runs = {
        "febrl3": Told((), _imported(peers.contacts("febrl3"))),
        "household": Told((), _imported(peers.contacts("household"))),
        "the standard mix": Told((), first),
        "known records with nothing new": Told(first, again),
    }
    home = folder / "parts"
    home.mkdir()
    rows = list(HEAD)
    try:
        url = parts.start(home, None, kafka=False, postgres=True).database_url
        assert url is not None
        databases = Databases(url)
        for name, told in runs.items():
            rows.append(_row(name, uvloop.run(_run(databases, told))))
            print(rows[-1], flush=True)
    finally:
        parts.stop(home)
    said = f"Batches of {BATCH_EVENTS:,}; {SINGLES} records of others alone, a transaction each, beside all of these."
    return ["", "## The lane alone", said, "", *rows]


def _row(name: str, spent: Spent) -> str:
    half, most = (ours.percentile(spent.singles_ms, share) for share in (0.5, 0.99))
    return (
        f"| {name} | {spent.events:,} | **{spent.own_us:.0f}** | {spent.backend_us:.0f} | **{spent.per_s:,.0f}**"
        f" | {half:.1f} | **{most:.1f}** |"
    )


def _imported(rows: Sequence[Contact]) -> list[Event]:
    """The records as `ours` sends them: one source after the other."""
    by_source: dict[str, list[Contact]] = {}
    for row in rows:
        by_source.setdefault(row.source, []).append(row)
    return [accepted(one) for source in sorted(by_source) for one in events(by_source[source])]


def _mix() -> tuple[list[Event], list[Event]]:
    """The standard mix, and as many views of its customers under ids of their own."""
    sent = list(mixed(replace(Mix.load(), customers=MIX_CUSTOMERS), MIX_SEED, MIX_EVENTS, START))
    views = itertools.cycle([one for one in sent if one["type"] in VIEWS])
    last = max(one["time"] for one in sent)
    again = ({**one, "id": f"again-{n}", "time": last} for n, one in zip(range(MIX_EVENTS), views, strict=False))
    return [accepted(one) for one in sent], [accepted(one) for one in again]


async def _run(databases: Databases, told: Told) -> Spent:
    url = await databases.fresh()
    house = House(url)
    try:
        worker = await house.hire("identity")
        await worker.turn()
        await _through(worker, _published(house, told.before), BATCH_EVENTS)
        waiting = _published(house, told.events)
        alone = _published(house, _imported(household.records(SINGLES_SEED, SINGLES)[:SINGLES]))
        backend = worker.lane.connection.get_server_pid()
        gc.collect()
        gc.freeze()
        gc.set_threshold(GARBAGE_OBJECTS, *GARBAGE_ROUNDS)
        own, other, started = time.process_time(), cpu_s(backend), time.monotonic()
        await _through(worker, waiting, BATCH_EVENTS)
        own, other, seconds = time.process_time() - own, cpu_s(backend) - other, time.monotonic() - started
        singles_ms = await _through(worker, alone, 1)
    finally:
        await house.close()
        await databases.drop(url)
    count = len(waiting)
    return Spent(count, own / count * 1e6, other / count * 1e6, count / seconds, singles_ms)


def _published(house: House, told: Sequence[Event]) -> list[Any]:
    """The log's records of these events, in the order in which they were sent."""
    since = house.broker.time_ms
    house.publish(*told)
    found = (r for r in house.broker.records("channel.events") if r.timestamp > since)
    return sorted(found, key=lambda r: r.timestamp)


async def _through(worker: Worker, records: Sequence[Any], batch_events: int) -> list[float]:
    """Let the lane apply them, so many in a transaction; ms of each turn."""
    waiting = [records[n : n + batch_events] for n in range(0, len(records), batch_events)]
    taken_ms: list[float] = []

    async def fetch(timeout_ms: int) -> list[Any]:
        await asyncio.sleep(0)
        return list(waiting.pop(0)) if waiting else []

    worker.feed.fetch = fetch  # type: ignore[method-assign]
    while waiting:
        started = time.perf_counter()
        await worker.turn()
        taken_ms.append((time.perf_counter() - started) * 1_000)
    await worker.turn()
    return taken_ms
