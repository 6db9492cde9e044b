"""Workers killed at random and at named points: whatever the moment, every event counts once."""

from __future__ import annotations

import random
import time

from tests.faults.sizes import RECOVERY_MAX_S, Size, sizes
from tests.support.load import Load
from tests.support.proxy import Proxy
from tests.support.rig import SERVICES, Rig

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


def _recovery_s(rig: Rig, service: str) -> float:
    """Seconds from here until a restarted worker has applied all that waited. Fails above RECOVERY_MAX_S."""
    began = time.monotonic()
    rig.start(service)
    rig.reach(service, RECOVERY_MAX_S - (time.monotonic() - began))
    return time.monotonic() - began


@sizes("D2")
def test_D2_a_worker_killed_at_named_points_loses_and_repeats_nothing(rig: Rig, size: Size) -> None:
    chance = size.random()
    rig.hire(*SERVICES)
    hits = rig.folder / f"hits-{size.row}-{size.name}"
    hits.mkdir()
    slowest_s = 0.0
    with Load(rig.kafka, rig.ledger, chance.randrange(10**6), size.events_per_s):
        for turn in range(size.count):
            for number, point in enumerate(("before_commit", "after_commit")):
                service = SERVICES[(turn + number + 1) % len(SERVICES)]
                rig.alive(service)[0].end()
                after = chance.randint(1, PASSES_MAX)
                doomed = rig.start(service, ready=False, fault_point=f"{point}:kill:{after}:{hits}")
                assert doomed.wait_ended(HIT_TIMEOUT_S) == SIGKILLED
                slowest_s = max(slowest_s, _recovery_s(rig, service))
            slowest_s = max(slowest_s, _killed_during_commit(rig, chance))
    counted = {point: len(list(hits.glob(f"{point}.*"))) for point in ("before_commit", "after_commit")}
    size.tell(f"hits {counted}, during COMMIT {size.count}, slowest recovery {slowest_s:.1f} s")
    assert min(counted.values()) >= size.count
    rig.zero()


def _killed_during_commit(rig: Rig, chance: random.Random) -> float:
    """Kill a worker whose COMMIT the server has carried out and answered, but whose answer never arrives."""
    rig.alive("interaction")[0].end()
    with Proxy(rig.database_url) as proxy:
        doomed = rig.start("interaction", DATABASE_URL=proxy.database_url)
        for _ in range(chance.randrange(PASSES_MAX)):
            proxy.pass_by()
        held = proxy.interrupt(forward=True)
        assert held.reached.wait(HIT_TIMEOUT_S), "no COMMIT of events came"
        doomed.kill()
        held.let_go.set()
    return _recovery_s(rig, "interaction")
