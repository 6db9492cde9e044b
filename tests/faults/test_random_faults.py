"""Faults drawn at random, one upon the other, under load: whatever the sequence, every event counts once.

`C360_FAULT_SEED` draws the same faults at the same moments again; what they meet then is the machine's.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.faults.sizes import Size
from tests.support.load import Load, accepted, cloudevents, publish
from tests.support.proxy import Proxy
from tests.support.rig import SERVICES, SESSION_TIMEOUT_MS, Rig, Rigs
from tests.support.running import Running, until

pytestmark = pytest.mark.faults

SIZE = Size("RANDOM", "full", int(os.environ.get("C360_FAULT_SECONDS", "75")), 100)
"""Seconds in which faults begin; the whole takes 3 minutes at most."""
CALM_MAX_S = 1.5
"""Between the end of one fault and the beginning of the next; then most are not recovered from."""
RECOVERED_SHARE = 0.25
"""So often all is applied before the next one."""
RECOVERY_MAX_S = 45.0
"""Of several faults at once; each by itself has its own bound in its own test."""
DOWN_MAX_S = 4.0
STOPPED_MAX_S = 1.5 * SESSION_TIMEOUT_MS / 1_000
COMMIT_TIMEOUT_S = 10.0
PASSES_MAX = 4
COPIES = 50
POINTS = ("after_getmany", "inside_transaction", "before_commit", "after_commit", "after_publish")
COMPLAINTS = (
    r"\] aiokafka[.:]",  # both clients call it an error, again and again, that their broker is away
    r"\] kafka\.net\.",
    "Task was destroyed but it is pending",  # of a producer that was given up (outbox.py); markers tell it anew
)


@dataclass
class Sequence:
    """A deployment under faults, whose workers reach PostgreSQL through a proxy.

    `done` counts what was done; `armed` workers will kill themselves when they get to their point.
    """

    rig: Rig
    rigs: Rigs
    proxy: Proxy
    chance: random.Random
    seed: int
    done: Counter[str] = field(default_factory=Counter)
    armed: list[Running] = field(default_factory=list)

    def start(self, service: str, index: int = 0, **more: Any) -> Running:
        """A worker, which need not be ready: what it needs may be away."""
        return self.rig.start(service, index, ready=False, DATABASE_URL=self.proxy.database_url, **more)

    def repair(self) -> None:
        """Whoever has ended is started again, as a supervisor would."""
        for service in SERVICES:
            if not [worker for worker in self.rig.alive(service) if worker.index == 0]:
                self.start(service)

    def disarm(self) -> None:
        """Nobody is left who would kill himself; whoever has ended is started again."""
        for worker in self.armed:
            worker.kill()
        self.armed.clear()
        self.repair()

    def anybody(self) -> Running:
        """One of the workers that are alive."""
        return self.chance.choice([worker for service in SERVICES for worker in self.rig.alive(service)])

    def strike(self) -> None:
        """Draw a fault, do it, and leave nobody dead or stopped behind."""
        fault = self.chance.choice(FAULTS)
        self.done[fault.__name__] += 1
        fault(self)
        self.repair()


def killed(s: Sequence) -> None:
    """A worker is killed at a random moment."""
    s.anybody().kill()


def killed_at_a_point(s: Sequence) -> None:
    """A worker's follower kills itself at a named point, if it gets there."""
    worker = s.anybody()
    worker.kill()
    hits = s.rig.folder / f"hits-{len(s.rig.workers)}"
    hits.mkdir()
    point = f"{s.chance.choice(POINTS)}:kill:{s.chance.randint(1, PASSES_MAX)}:{hits}"
    s.armed.append(s.start(worker.service, worker.index, fault_point=point))


def stopped(s: Sequence) -> None:
    """A worker stands still, perhaps for longer than its session lasts, and goes on."""
    worker = s.anybody()
    worker.send(signal.SIGSTOP)
    try:
        time.sleep(s.chance.random() * STOPPED_MAX_S)
    finally:
        worker.resume()


def ended(s: Sequence) -> None:
    """A worker is asked to end."""
    s.anybody().send(signal.SIGTERM)


def joined(s: Sequence) -> None:
    """A second worker of a service comes, and is killed a little later."""
    service = s.chance.choice(SERVICES)
    if any(worker.index == 1 for worker in s.rig.alive(service)):
        return
    other = s.start(service, 1)
    time.sleep(s.chance.random() * DOWN_MAX_S)
    other.kill()


def cut(s: Sequence) -> None:
    """Every database connection is ended by the server."""
    s.rig.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


def unanswered(s: Sequence) -> None:
    """A COMMIT whose outcome its worker never hears: it happened, or it did not."""
    held = s.proxy.interrupt(forward=s.chance.random() < 0.5, after=s.chance.randrange(PASSES_MAX))
    held.reached.wait(COMMIT_TIMEOUT_S)
    held.let_go.set()


def without_postgres(s: Sequence) -> None:
    """The postmaster is killed, and started again a little later."""
    with s.rigs.down("postgres"):
        time.sleep(s.chance.random() * DOWN_MAX_S)


def without_kafka(s: Sequence) -> None:
    """The broker is killed, and started again a little later."""
    with s.rigs.down("kafka"):
        time.sleep(s.chance.random() * DOWN_MAX_S)


def sent_again(s: Sequence) -> None:
    """Events that were sent come once more, in another order."""
    events = list(itertools.islice(cloudevents(s.seed), COPIES))
    s.chance.shuffle(events)
    publish(s.rig.kafka, s.rig.ledger, map(accepted, events))


FAULTS: tuple[Callable[[Sequence], None], ...] = (
    killed, killed_at_a_point, stopped, ended, joined, cut, unanswered, without_postgres, without_kafka, sent_again,
)  # fmt: skip


def test_whatever_faults_come_one_upon_the_other_every_event_counts_once(rigs: Rigs, fresh_rig: Rig) -> None:
    if not rigs.own_parts:
        pytest.skip("only a Kafka and a PostgreSQL of our own are killed")
    rig, seed = fresh_rig, SIZE.seed()
    chance = random.Random(seed)
    rig.expected_complaints += COMPLAINTS
    with Proxy(rig.database_url) as proxy:
        sequence = Sequence(rig, rigs, proxy, chance, chance.randrange(10**6))
        sequence.repair()
        for worker in rig.workers:
            until(worker.is_ready, f"{worker.log.name} is ready", RECOVERY_MAX_S)
        slowest_s = _under_load(sequence)
        rig.zero(timeout_s=RECOVERY_MAX_S)
        faults, events = sum(sequence.done.values()), len(rig.ledger.acked)
        SIZE.tell(f"{faults} faults {dict(sequence.done)}, {events} events, slowest recovery {slowest_s:.1f} s, ZERO")
        rig.end(*SERVICES)
    # Its workers would look for the proxy, which is gone.
    rig.proven = False


def _under_load(sequence: Sequence) -> float:
    """Strike until the time is over, while events come in; the longest that anything took to be applied."""
    rig, chance = sequence.rig, sequence.chance
    slowest_s = 0.0
    ends_at = time.monotonic() + SIZE.count
    with Load(rig.kafka, rig.ledger, sequence.seed, SIZE.events_per_s) as load:
        while time.monotonic() < ends_at:
            load.wait_more(chance.random() * CALM_MAX_S)
            sequence.strike()
            if chance.random() < RECOVERED_SHARE:
                slowest_s = max(slowest_s, _recovery_s(sequence))
    sequence.disarm()
    return max(slowest_s, _recovery_s(sequence))


def _recovery_s(sequence: Sequence) -> float:
    """Seconds until everything that is in the log now is applied, whoever has to be started again for it."""
    rig, began = sequence.rig, time.monotonic()
    for service in SERVICES:
        ends = rig.ends(service)

        def is_reached(service: str = service, ends: dict[tuple[str, int], int] = ends) -> bool:
            sequence.repair()
            return rig.has_reached(service, ends)

        until(is_reached, f"{service} applies what waited", RECOVERY_MAX_S - (time.monotonic() - began))
    return time.monotonic() - began
