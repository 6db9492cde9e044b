"""A deployment of real processes on a real Kafka and a real PostgreSQL, to be killed, stopped and watched.

Owns the processes it starts, their logs, fresh topics and a fresh database. What is true of the data is the
oracle's; what is written is load.py's.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from schemas.topics import TOPICS
from services.ops.local import marks, parts, state
from services.runtime.settings import Settings
from tests.support import load
from tests.support.databases import KEY, Databases, settings_for
from tests.support.fresh_topics import fresh_topics
from tests.support.load import Ledger
from tests.support.oracle import Findings, check
from tests.support.running import CHECKOUT, Running, free_port, until

SERVICES = ("identity", "interaction", "value", "profile")
READS = {s: tuple(t.name for t in TOPICS.values() if s in t.read_by) for s in (*SERVICES, "intake")}
STATE_TOPICS = ("identity.bindings", "identity.customers", "interaction.customers", "value.customers")
SESSION_TIMEOUT_MS = 6_000
"""The broker's least: a silent worker's partitions are free after it."""
START_TIMEOUT_S = 30.0
KILL_TIMEOUT_S = 10.0
CAUGHT_UP_TIMEOUT_S = 60.0
EX_HALTED = 78
COMPLAINT = re.compile(r"Traceback|\[error +\]|\[critical *\]|never (retrieved|awaited)")
EXPECTED_COMPLAINTS = (
    "Group Coordinator Request failed",  # the first group of a fresh broker makes its own topic
    "GroupCoordinatorNotAvailable",
    "Heartbeat failed",
    "Heartbeat session expired",
    "failed on group",
    "OffsetCommit failed",
    "Failed fetch messages",
    "Topic .* not found in cluster metadata",
)

Partition = tuple[str, int]


@dataclass
class Rig:
    """One deployment. `zero` proves it; one that was proven may be used by the next test."""

    kafka: str
    database_url: str
    folder: Path
    ledger: Ledger = field(default_factory=Ledger)
    workers: list[Running] = field(default_factory=list)
    proven: bool = False
    expected_complaints: list[str] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        """Settings to reach the same parts from a test."""
        return settings_for(self.database_url, self.kafka)

    def start(self, service: str, index: int = 0, *, module: str = "", ready: bool = True, **more: object) -> Running:
        """A worker; `more` are settings by their field's name, or whole environment variables in capitals."""
        values: dict[str, object] = {
            "deployment_key": KEY,
            "worker_index": index,
            "worker_port": free_port(),
            "session_timeout_ms": SESSION_TIMEOUT_MS,
            "intake_port": 0,
            "profile_port": 0,
            **more,
        }
        env = {name if name.isupper() else f"C360_{name.upper()}": str(v) for name, v in values.items()}
        places = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT)}
        env = {**places, "KAFKA_BOOTSTRAP": self.kafka, "DATABASE_URL": self.database_url, **env}
        log = self.folder / f"{service}.{index}.{len(self.workers)}.log"
        worker = Running(service, index, env, module or f"services.{service}", log)
        self.workers.append(worker)
        if ready:
            until(worker.is_ready, f"{log.name} is ready", START_TIMEOUT_S)
        return worker

    def start_all(self, *names: str) -> list[Running]:
        """Several workers at once (`interaction`, `interaction.1`), all ready."""
        found = []
        for name in names:
            service, _, index = name.partition(".")
            found.append(self.start(service, int(index or 0), ready=False))
        for worker in found:
            until(worker.is_ready, f"{worker.log.name} is ready", START_TIMEOUT_S)
        return found

    def hire(self, *names: str) -> None:
        """Those of these workers that are not alive."""
        there = {f"{w.service}.{w.index}" for w in self.workers if w.exit_code is None}
        missing = [n for n in names if (n if "." in n else f"{n}.0") not in there]
        if missing:
            self.start_all(*missing)

    def alive(self, service: str) -> list[Running]:
        """The workers of a service that have not ended."""
        return [w for w in self.workers if w.service == service and w.exit_code is None]

    def end(self, *services: str) -> None:
        """SIGTERM to all living workers of these services at once; returns when all have ended by themselves."""
        ending = [w for service in services for w in self.alive(service)]
        for worker in ending:
            worker.send(signal.SIGTERM)
        for worker in ending:
            worker.end()

    def rows(self, sql: str, *arguments: object) -> list[Any]:
        """Rows of the deployment's database."""

        async def ask() -> list[Any]:
            connection = await asyncpg.connect(self.database_url, timeout=10)
            try:
                return list(await connection.fetch(sql, *arguments))
            finally:
                await connection.close()

        return asyncio.run(ask())

    def positions(self, service: str) -> dict[Partition, int]:
        """(topic, partition) → next offset a service has stored."""
        rows = self.rows(f"SELECT topic, partition, next_offset FROM {service}_g1.position")
        return {(r["topic"], r["partition"]): r["next_offset"] for r in rows}

    def partitions_held(self, worker: Running) -> int:
        """How many partitions a worker last said it may apply; 0 when another process wrote its row."""
        rows = self.rows(
            f"SELECT (counts->>'partitions')::int AS held FROM {worker.service}_g1.lane"
            " WHERE pid = $1 AND at > now() - interval '3 s'",
            worker.pid,
        )
        return sum(r["held"] for r in rows)

    def ends(self, service: str) -> dict[Partition, int]:
        """Where the topics that a service reads end now."""
        return load.ends(self.kafka, READS[service])

    def has_reached(self, service: str, ends: Mapping[Partition, int]) -> bool:
        """Whether a service's stored positions are at or beyond these offsets."""
        stored = self.positions(service)
        return all(stored.get(p, 0) >= end for p, end in ends.items())

    def reach(self, service: str, timeout_s: float) -> float:
        """Seconds until everything that is in the service's topics now is applied."""
        began = time.monotonic()
        ends = self.ends(service)
        until(lambda: self.has_reached(service, ends), f"{service} applies what waited", timeout_s)
        return time.monotonic() - began

    def is_caught_up(self, services: Iterable[str] = SERVICES) -> bool:
        """Whether positions are at the ends and nothing waits to be told, from upstream to downstream."""
        services = list(services)
        told = all(self.rows(f"SELECT NOT EXISTS (SELECT FROM {s}_g1.marker) AS none")[0]["none"] for s in services)
        return told and all(self.has_reached(s, self.ends(s)) for s in services)

    def caught_up(self, services: Iterable[str] = SERVICES, timeout_s: float = CAUGHT_UP_TIMEOUT_S) -> float:
        """Seconds until all lanes have caught up."""
        began = time.monotonic()
        until(lambda: self.is_caught_up(services), f"{', '.join(services)} catch up", timeout_s)
        return time.monotonic() - began

    def findings(self, without: Iterable[tuple[str, int, int]] = ()) -> Findings:
        """The oracle's word on the log, the databases and the compacted topics."""
        records = load.read(self.kafka, "channel.events")
        told = {topic: load.last_by_key(self.kafka, topic) for topic in STATE_TOPICS}
        url, left_out = self.database_url, frozenset(without)
        return asyncio.run(check(url, records, ledger=self.ledger.acked, last_told=told, without=left_out))

    def zero(self, without: Iterable[tuple[str, int, int]] = (), timeout_s: float = CAUGHT_UP_TIMEOUT_S) -> None:
        """Catch up, then nothing lost, doubled, disordered, diverged, invented or stale, and clean logs."""
        self.caught_up(timeout_s=timeout_s)
        findings = self.findings(without)
        assert findings.zero, findings
        assert findings.markers == 0
        assert self.ledger.acked, "nothing was acknowledged: nothing was tested"
        assert not (found := self.complaints()), "\n".join(found[:10])
        self.proven = True

    def complaints(self) -> list[str]:
        """Lines of the workers' logs that nobody expected."""
        expected = re.compile("|".join((*EXPECTED_COMPLAINTS, *self.expected_complaints)))
        return [
            f"{worker.log.name}: {line}"
            for worker in self.workers
            for line in worker.log.read_text(errors="replace").splitlines()
            if COMPLAINT.search(line) and not expected.search(line)
        ]

    def description(self) -> str:
        """What each lane said of itself last, and where it stands."""
        lines = []
        for service in SERVICES:
            for r in self.rows(
                f"SELECT worker_index, pid, state, reason, counts, now() - at AS age FROM {service}_g1.lane"
            ):
                about = f"{r['state']} {r['reason']} {r['counts']}, said {r['age'].total_seconds():.1f} s ago"
                lines.append(f"{service}.{r['worker_index']} pid {r['pid']}: {about}")
            stored = self.positions(service)
            behind = {p: (stored.get(p), end) for p, end in self.ends(service).items() if stored.get(p, 0) < end}
            lines.append(f"{service} lacks (has, end): {behind}")
        return "\n".join(lines)

    def close(self) -> None:
        """End every process by its pid, whatever state it is in."""
        for worker in self.workers:
            worker.send(signal.SIGKILL)
        for worker in self.workers:
            worker.kill()


class Rigs:
    """Makes deployments on one Kafka and one PostgreSQL, one at a time; a proven one may be used again."""

    def __init__(self, kafka: str, databases: Databases, folder: Path) -> None:
        self.kafka, self.databases, self.folder = kafka, databases, folder
        self._made = 0
        self._current: Rig | None = None

    def fresh(self) -> Rig:
        """A deployment without any process; the one before is ended."""
        self.close()
        fresh_topics(self.kafka)
        self._made += 1
        folder = self.folder / f"rig{self._made}"
        folder.mkdir()
        self._current = Rig(self.kafka, asyncio.run(self.databases.fresh()), folder)
        return self._current

    def again(self) -> Rig:
        """The deployment of the test before, with its workers, if `zero` proved it; else a fresh one."""
        rig = self._current
        if rig is None or not rig.proven:
            return self.fresh()
        rig.proven = False
        return rig

    def close(self) -> None:
        """End the deployment and drop its database."""
        rig, self._current = self._current, None
        if rig is not None:
            rig.close()
            asyncio.run(self.databases.drop(rig.database_url))

    @property
    def own_parts(self) -> bool:
        """Whether Kafka and PostgreSQL are this session's own, so that a test may kill them."""
        return {"kafka", "postgres"} <= set(state.load(self.folder).parts)

    @contextmanager
    def down(self, name: str) -> Iterator[None]:
        """SIGKILL to the broker's or the postmaster's process; on leaving it is started again, and answers."""
        mark = state.load(self.folder).mark(name)
        assert mark is not None, f"{name} does not run"
        marks.stop(mark, signal.SIGKILL, KILL_TIMEOUT_S)
        try:
            yield
        finally:
            parts.start(self.folder, None, kafka=name == "kafka", postgres=name == "postgres")
