"""Workers killed at random and at named points: whatever the moment, every event counts once."""

from __future__ import annotations

import time
from functools import partial

from tests.faults.sizes import RECOVERY_MAX_S, Size, sizes
from tests.support.load import Load
from tests.support.proxy import Interrupted, Proxy
from tests.support.rig import SERVICES, Rig
from tests.support.running import Running, until

SPREAD_S = 0.6
"""Kills fall at random within so many seconds of a steady load."""
PASSES_MAX = 8
"""A named point is hit at most at its n-th pass."""
HIT_TIMEOUT_S = 30.0
SIGKILLED = -9


@sizes("D1")
def test_D1_a_worker_killed_at_random_points_loses_and_repeats_nothing(rig: Rig, size: Size) -> None:
    chance = size.random()
    rig.hire(*SERVICES)
    slowest_s = 0.0
    with Load(rig.kafka, rig.ledger, chance.randrange(10**6), size.events_per_s) as load:
        for _ in range(size.count):
            load.wait_more(chance.random() * SPREAD_S)
            service = chance.choice(SERVICES)
            rig.alive(service)[0].kill()
            slowest_s = max(slowest_s, _recovery_s(rig, service))
    size.tell(f"{size.count} kills, slowest recovery {slowest_s:.1f} s, {load.sent} events")
    rig.zero()


def _recovery_s(rig: Rig, *services: str) -> float:
    """Seconds from here until restarted workers have applied all that waited. Fails above RECOVERY_MAX_S."""
    began = time.monotonic()
    rig.hire(*services)
    for service in services:
        rig.reach(service, RECOVERY_MAX_S - (time.monotonic() - began))
    return time.monotonic() - began


@sizes("D2")
def test_D2_a_worker_killed_at_named_points_loses_and_repeats_nothing(rig: Rig, size: Size) -> None:
    chance = size.random()
    rig.hire(*SERVICES)
    hits = rig.folder / f"hits-{size.row}-{size.name}"
    hits.mkdir()
    slowest_s = 0.0
    with Load(rig.kafka, rig.ledger, chance.randrange(10**6), size.events_per_s), Proxy(rig.database_url) as proxy:
        for turn in range(size.count):
            rig.end(*SERVICES)
            before, after, during = (SERVICES[(turn + n) % len(SERVICES)] for n in range(3))
            for point, service in (("before_commit", before), ("after_commit", after)):
                fault = f"{point}:kill:{chance.randint(1, PASSES_MAX)}:{hits}"
                rig.start(service, ready=False, fault_point=fault)
            held = proxy.interrupt(forward=True, after=chance.randrange(PASSES_MAX))
            rig.start(during, ready=False, DATABASE_URL=proxy.database_url)
            doomed = rig.workers[-3:]
            until(partial(_all_killed, rig, doomed, held), "all three points are hit", HIT_TIMEOUT_S)
            slowest_s = max(slowest_s, _recovery_s(rig, *SERVICES))
    counted = {point: len(list(hits.glob(f"{point}.*"))) for point in ("before_commit", "after_commit")}
    size.tell(f"hits {counted}, during COMMIT {size.count}, slowest recovery {slowest_s:.1f} s")
    assert min(counted.values()) >= size.count
    rig.zero()


def _all_killed(rig: Rig, doomed: list[Running], held: Interrupted) -> bool:
    """Whether all have met their end; each is followed by a healthy worker at once, so that the others get work.

    The last one is killed here: when the server has carried out its COMMIT and the answer will never arrive.
    """
    if held.reached.is_set() and not held.let_go.is_set():
        doomed[-1].kill()
        held.let_go.set()
    dead = [worker for worker in doomed if worker.exit_code is not None]
    for worker in dead:
        assert worker.exit_code == SIGKILLED, f"{worker.log.name} ended with {worker.exit_code}"
        if not rig.alive(worker.service):
            rig.start(worker.service, ready=False)
    return len(dead) == len(doomed)
