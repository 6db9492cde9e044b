"""The same log through each way: how fast, at what cost, with what result; and what each loses when it is killed.

Owns the runs and the faults. Nothing else runs on the machine: Kafka, PostgreSQL, the way's workers, and the sender.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.ops.local import state
from tests.benchmarks import filling
from tests.benchmarks.baselines.ways import EXPERT, NAIVE, OURS, SAME_WORK, WHOLE, Way
from tests.benchmarks.filling import Encoded
from tests.benchmarks.machine import cpu_s
from tests.support.lone_records import Compared, compared_now
from tests.support.rig import Rig, Rigs
from tests.support.running import until

EVENTS = int(os.environ.get("C360_BENCH_BASELINE_EVENTS", "10000"))
FAULTS = int(os.environ.get("C360_BENCH_BASELINE_FAULTS", "3"))
SEED = int(os.environ.get("C360_BENCH_SEED", "1"))
"""Of the events, of the moments of the faults and of who is hit."""
EVENTS_PER_CUSTOMER = 2
WARM_EVENTS = 1_000
"""Before the clock starts: then everybody has partitions, connections and plans, and Kafka is warm."""
FAULTS_UNTIL_SHARE = 0.8
"""Faults fall while at most this share of the events is kept."""
AFTER_MAX_S = 0.3
"""After the moment at which so many are kept, at most: not always right after a COMMIT."""
LEAST_PER_S = 50
START_TIMEOUT_S = 60.0
PARTS = ("kafka", "postgres")


@dataclass(frozen=True)
class Run:
    """One run of one way. `cpu_us`: process → CPU µs an event, where nobody was killed."""

    way: str
    fault: str
    events: int
    seconds: float
    cpu_us: dict[str, float]
    compared: Compared
    faults: int = 0
    restarts: int = 0

    @property
    def events_per_s(self) -> float:
        """From the first send until everything was in profiles."""
        return self.events / self.seconds

    @property
    def cost_us(self) -> float:
        """CPU of all processes but the sender."""
        return sum(self.cpu_us.values())


@dataclass
class Fault:
    """What is done to a way's workers, so often, at moments that a seed draws."""

    name: str
    times: int
    chance: random.Random = field(default_factory=lambda: random.Random(SEED))

    def strike(self, rig: Rig, way: Way, count: int) -> None:
        """Strike while these events are applied; who is killed is started again at once."""
        for share in sorted(self.chance.uniform(0.05, FAULTS_UNTIL_SHARE) for _ in range(self.times)):
            until(lambda: self._is_due(rig, way, int(share * count)), f"{share:.0%} are kept", _patience_s(count))  # noqa: B023
            time.sleep(self.chance.uniform(0.0, AFTER_MAX_S))
            if self.name == "D1":
                service = self.chance.choice(way.services)
                rig.alive(service)[0].kill()
                way.start(rig, service)
            else:
                rig.rows(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )

    def _is_due(self, rig: Rig, way: Way, kept: int) -> bool:
        hire(rig, way)
        return int(rig.rows(f"SELECT count(*) AS n FROM {way.history}")[0]["n"]) >= kept


def encoded(count: int, seed: int) -> list[Encoded]:
    """The standard mix as records of the log."""
    return list(filling.encoded(count, seed, max(1, count // EVENTS_PER_CUSTOMER)))


def measure(rigs: Rigs) -> list[Run]:
    """Every way without a fault, then those of the same work with each fault."""
    log = encoded(WARM_EVENTS + EVENTS, SEED)
    runs = [run(rigs, way, log) for way in (NAIVE, EXPERT, OURS, WHOLE)]
    for name in ("D1", "P2") if FAULTS else ():
        runs += [run(rigs, way, log, Fault(name, FAULTS)) for way in (NAIVE, EXPERT, OURS)]
    return runs


def run(rigs: Rigs, way: Way, log: Sequence[Encoded], fault: Fault | None = None) -> Run:
    """This log through this way, on a fresh deployment, which is ended."""
    rig = rigs.fresh()
    way.prepare(rig)
    for service in way.services:
        way.start(rig, service)
    filling.append(rig.kafka, log[:WARM_EVENTS])
    until(lambda: way.is_done(rig), f"{way.name} works", START_TIMEOUT_S)
    started = len(rig.workers)
    count = len(log) - WARM_EVENTS
    before, began = _cpu_s(rigs, rig), time.time()
    filling.append(rig.kafka, log[WARM_EVENTS:])
    if fault is not None:
        fault.strike(rig, way, count)
    until(lambda: hire(rig, way) == 0 and way.is_done(rig), f"{way.name} applies everything", _patience_s(count))
    after = _cpu_s(rigs, rig)
    ended = way.ended_at(rig, time.time())
    cpu_us = {name: (after[name] - before[name]) * 1e6 / count for name in sorted(after)} if fault is None else {}
    found = _compared(rig, way)
    restarts, times = len(rig.workers) - started, 0 if fault is None else fault.times
    told = Run(way.name, fault.name if fault else "", count, ended - began, cpu_us, found, times, restarts)
    print(told, flush=True)
    rigs.close()
    return told


def _compared(rig: Rig, way: Way) -> Compared:
    """What the way has come to, beside the log; with identity it is the oracle who says so."""
    if set(way.services) == set(SAME_WORK):
        return compared_now(rig.kafka, rig.database_url, way.history, way.section)
    f = rig.findings()
    return Compared(f.lost, f.dup, f.stale, f.diverge + f.order + f.phantom)


def hire(rig: Rig, way: Way) -> int:
    """Start again who has ended; how many these were."""
    ended = [service for service in way.services if not rig.alive(service)]
    for service in ended:
        way.start(rig, service)
    return len(ended)


def _patience_s(count: int) -> float:
    return START_TIMEOUT_S + count / LEAST_PER_S


def _cpu_s(rigs: Rigs, rig: Rig) -> dict[str, float]:
    """Process → CPU seconds so far."""
    found = {worker.service: cpu_s(worker.pid) for worker in rig.workers if worker.exit_code is None}
    marks = {name: state.load(rigs.folder).mark(name) for name in PARTS}
    return found | {name: cpu_s(mark.pid) for name, mark in marks.items() if mark is not None}
