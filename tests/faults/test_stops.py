"""Workers stopped at named points while another takes over, and a group that never comes to rest."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial

from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import NoOffsetForPartitionError

from schemas.topics import PARTITIONS
from tests.faults.sizes import RECOVERY_MAX_S, Size, sizes
from tests.support.load import Load
from tests.support.rig import READS, SERVICES, Rig
from tests.support.running import Running, until

STOP_TIMEOUT_S = 60.0
PASSES_MAX = 4
TAKEN_OVER_MAX_S = 25.0
STORM_EVERY_S = 3.0

CONSEQUENCE = {"after_getmany": "fenced", "inside_transaction": "started_over", "after_commit": "told_anew"}
"""What a worker counts that was stopped there until another had taken over, and then went on.

After getmany it may also hear of the rebalance before it claims its positions, and drop the records unclaimed.
"""

ASSIGNED = (("profile", "identity", "interaction"), ("identity", "profile", "interaction"))
"""Which services are stopped at these points, at once. At the last it is the one whose states change all the time."""


@dataclass
class Stopped:
    """A worker stopped at a named point, and the one that takes over."""

    point: str
    worker: Running
    other: Running
    resumed_at: float = 0.0


@sizes("D3")
def test_D3_a_worker_stopped_at_named_points_finds_itself_replaced_and_does_no_harm(
    fresh_rig: Rig, size: Size
) -> None:
    rig = fresh_rig
    chance = size.random()
    rig.hire(*(f"{service}.{index}" for service in SERVICES for index in (0, 1)))
    hits = rig.folder / f"hits-{size.row}-{size.name}"
    hits.mkdir()
    slowest_s = 0.0
    noticed: Counter[str] = Counter()
    for turn in range(size.count):
        with Load(rig.kafka, rig.ledger, chance.randrange(10**6), size.events_per_s):
            stopped = []
            for point, service in zip(CONSEQUENCE, ASSIGNED[turn % len(ASSIGNED)], strict=True):
                fault = f"{point}:stop:{chance.randint(2, PASSES_MAX)}:{hits}"
                stopped.append(_start_to_be_stopped(rig, service, point, fault))
            for one in stopped:
                until(one.worker.is_stopped, f"{one.worker.log.name} stops at {one.point}", STOP_TIMEOUT_S)
            untold = _untold(rig)
            for one in stopped:
                _wait_taken_over(rig, one)
            until(lambda: _is_overtaken(rig, untold), "a newer state than the stopped worker's", TAKEN_OVER_MAX_S)  # noqa: B023
            slowest_s = max(slowest_s, *(_seconds_to_rejoin(rig, one) for one in _resumed(stopped)))
            for one in stopped:
                noticed[CONSEQUENCE[one.point]] += one.worker.count(CONSEQUENCE[one.point])
    counted = {point: len(list(hits.glob(f"{point}.*"))) for point in CONSEQUENCE}
    size.tell(f"stops {counted}, noticed {dict(noticed)}, slowest to rejoin {slowest_s:.1f} s")
    assert min(counted.values()) >= size.count
    assert noticed["fenced"] > 0 or size.name == "quick"
    rig.zero()


def _start_to_be_stopped(rig: Rig, service: str, point: str, fault: str) -> Stopped:
    (old,) = [w for w in rig.alive(service) if w.index == 0]
    (other,) = [w for w in rig.alive(service) if w.index == 1]
    for worker in (old, other):  # one that is ended in the middle of a rebalance waits for its end
        until(partial(rig.partitions_held, worker), f"{worker.log.name} has partitions", RECOVERY_MAX_S)
    old.end()
    return Stopped(point, rig.start(service, ready=False, fault_point=fault), other)


def _wait_taken_over(rig: Rig, one: Stopped) -> None:
    """Until the other holds all partitions and has moved every position that the stopped one knew."""
    everything = PARTITIONS * len(READS[one.other.service])
    until(lambda: rig.partitions_held(one.other) == everything, f"{one.other.log.name} has all", TAKEN_OVER_MAX_S)
    rig.reach(one.other.service, TAKEN_OVER_MAX_S)


def _untold(rig: Rig) -> dict[str, int]:
    """Customer → version of what interaction has committed and not told yet: the stopped worker's among them."""
    found = {str(r["key"]): r["n"] for r in rig.rows("SELECT key, n FROM interaction_g1.marker")}
    assert found, "the worker was stopped after COMMIT, yet nothing waits to be told"
    return found


def _is_overtaken(rig: Rig, untold: dict[str, int]) -> bool:
    """Whether one of these customers has changed once more: what the stopped worker will say of it is old."""
    rows = rig.rows("SELECT group_id, n FROM interaction_g1.grp WHERE group_id = any($1::uuid[])", list(untold))
    return any(r["n"] > untold[str(r["group_id"])] for r in rows)


def _resumed(stopped: list[Stopped]) -> list[Stopped]:
    for one in stopped:
        one.worker.resume()
        one.resumed_at = time.monotonic()
    return stopped


def _seconds_to_rejoin(rig: Rig, one: Stopped) -> float:
    """Until it has partitions again and has counted what it must have noticed."""
    what = CONSEQUENCE[one.point]
    name = one.worker.log.name
    if one.point != "after_getmany":
        until(lambda: one.worker.count(what) > 0, f"{name}, stopped {one.point}, counts {what}", RECOVERY_MAX_S)
    until(lambda: rig.partitions_held(one.worker) > 0, f"{name} has partitions again", RECOVERY_MAX_S)
    return time.monotonic() - one.resumed_at


@sizes("D4")
def test_D4_a_rebalance_storm_ends_with_nothing_lost_or_repeated(rig: Rig, size: Size) -> None:
    rig.hire(*SERVICES, "interaction.1")
    storm = Storm(rig.kafka, "interaction")
    with Load(rig.kafka, rig.ledger, size.seed(), size.events_per_s), storm:
        assert not storm.ended.wait(size.count), storm.failure
    settled_s = rig.reach("interaction", RECOVERY_MAX_S)
    size.tell(f"{storm.joined} joins in {size.count} s, settled in {settled_s:.1f} s")
    assert storm.joined >= size.count // (2 * STORM_EVERY_S)
    rig.zero()


class Storm:
    """A dynamic member that joins a service's group, holds partitions for a moment, and leaves, again and again."""

    def __init__(self, kafka: str, service: str) -> None:
        self.kafka, self.service = kafka, service
        self.joined = 0
        self.ended = threading.Event()
        self.failure: BaseException | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="storm", daemon=True)

    def __enter__(self) -> Storm:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join(RECOVERY_MAX_S * 2)
        assert not self._thread.is_alive(), "the storm does not end"
        assert self.failure is None, self.failure

    def _run(self) -> None:
        try:
            asyncio.run(self._blow())
        except BaseException as failure:
            self.failure = failure
        finally:
            self.ended.set()

    async def _blow(self) -> None:
        while not self._ending.is_set():
            leaves_at = time.monotonic() + STORM_EVERY_S
            consumer = AIOKafkaConsumer(
                *READS[self.service],
                bootstrap_servers=self.kafka,
                group_id=f"c360.{self.service}.g1",
                enable_auto_commit=False,
                auto_offset_reset="none",
                partition_assignment_strategy=(RoundRobinPartitionAssignor,),
            )
            await consumer.start()
            try:
                with contextlib.suppress(NoOffsetForPartitionError):
                    await consumer.getmany(timeout_ms=int(STORM_EVERY_S * 500))
                self.joined += bool(consumer.assignment())
            finally:
                await consumer.stop()
            await asyncio.to_thread(self._ending.wait, max(0.0, leaves_at - time.monotonic()))
