"""One batch in one transaction: claim positions, apply, park, mark, commit; bisect what the handler refuses.

Owns the order of these steps. What the database refuses for reasons of its own is raised to the lane, which
starts over; what the handler refuses is narrowed down to the record and parked.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from services.runtime import markers, parking, positions, retelling, retrying, telemetry
from services.runtime.batch import Batch, Parked, Told, Work
from services.runtime.markers import Key, Telling
from services.runtime.parking import HANDLER_RAISED, HandlerBroken
from services.runtime.positions import Move, Partition
from services.runtime.postgres import TRANSIENT, Connection, SchemaHalt

if TYPE_CHECKING:
    from services.runtime.lane import Lane


Act = Callable[[Work], Awaitable[None]]
"""What a transaction does between claiming its positions and noting what it will tell."""

SUPERSEDED = "superseded"
"""Why a lane halts whose generation is no longer the one it works for."""

PASSED_ON: tuple[type[Exception], ...] = (HandlerBroken, SchemaHalt, *TRANSIENT)
"""Not the records' fault: the lane halts or starts over."""


class Fenced(Exception):
    """Another worker moved these partitions; the transaction is rolled back and repeated without them."""

    def __init__(self, partitions: set[Partition]) -> None:
        super().__init__(f"{len(partitions)} partitions")
        self.partitions = partitions


@dataclass(slots=True)
class Applied:
    """What a committed transaction reached: next offsets, partitions lost, states to tell."""

    reached: dict[Partition, int] = field(default_factory=dict)
    fenced: set[Partition] = field(default_factory=set)
    told: list[Told] = field(default_factory=list)
    telling: Telling = field(default_factory=Telling)
    committed: bool = False


async def apply(lane: Lane, batch: Batch, unread: list[Parked], records: list[Any]) -> Applied:
    """Apply a batch exactly once. Raises HandlerBroken, SchemaHalt, or what `TRANSIENT` lists."""
    result = Applied()
    bisect = False
    while True:
        before = lane.suspicion.copy()
        moves = _moves(lane.feed.ready, records, result.fenced)
        if not moves:
            return result
        here = batch.without(result.fenced)
        unread_here = [p for p in unread if (p.place[0], p.place[1]) not in result.fenced]
        try:
            work, result.telling = await _transaction(lane, moves, _applying(lane, here, bisect), unread_here)
            _measure(lane, work, here)
        except Fenced as fenced:
            result.fenced |= fenced.partitions
            lane.suspicion = before
            lane.plan.forget()
            continue
        except PASSED_ON:
            raise
        except Exception as error:
            if bisect:
                raise
            telemetry.log.warning("batch_bisected", error=telemetry.where(error), records=len(records))
            lane.suspicion = before
            lane.plan.forget()
            bisect = True
            continue
        for remember in work.after_commit:
            remember()
        result.reached = {(m.topic, m.partition): m.next_offset for m in moves}
        result.told = list(work.told.values())
        result.committed = True
        return result


def _moves(ready: dict[Partition, int], records: list[Any], fenced: set[Partition]) -> list[Move]:
    last: dict[Partition, Any] = {(r.topic, r.partition): r for r in records}
    return [
        Move(partition[0], partition[1], ready[partition], record.offset + 1, record.timestamp)
        for partition, record in last.items()
        if partition not in fenced and partition in ready
    ]


def _applying(lane: Lane, batch: Batch, bisect: bool) -> Act:
    async def act(work: Work) -> None:
        if bisect:
            await _apply_halving(lane, batch, work)
        elif batch.records:
            await lane.plan.apply(batch, work)
            lane.suspicion.passed(len(batch.records))

    return act


async def _nothing(_work: Work) -> None:
    """What a transaction without records does."""


async def _transaction(lane: Lane, moves: list[Move], act: Act, unread: list[Parked]) -> tuple[Work, Telling]:
    started = time.monotonic()
    connection = lane.connection
    transaction = connection.transaction()
    await transaction.start()
    try:
        work = await _begin(lane, connection, moves)
        retell = await markers.overtaken(connection, lane.plan.tells, lane.outbox.acked, work.epoch)
        await act(work)
        lane.faults.reach("inside_transaction")
        work.parked.extend(unread)
        telling = await _finish(lane, work, moves, retell)
        lane.faults.reach("before_commit")
    except BaseException:
        await _roll_back(transaction)
        raise
    await transaction.commit()
    telemetry.BATCH_SECONDS.labels(lane.plan.service).observe(time.monotonic() - started)
    return work, telling


async def _roll_back(transaction: Any) -> None:
    try:
        await transaction.rollback()
    except TRANSIENT as error:
        # The connection is gone, and the transaction with it.
        telemetry.log.info("rolled_back_by_loss", error=telemetry.where(error))


async def _begin(lane: Lane, connection: Connection, moves: list[Move]) -> Work:
    generation, moved, paused = await positions.claim(connection, lane.plan.service, moves, lane.pointer)
    lane.paused = lane.plan.lane in paused
    if generation.number != lane.generation.number:
        raise SchemaHalt(SUPERSEDED, f"generation {generation.number} is live")
    lane.generation = generation
    lost = {(m.topic, m.partition) for m in moves} - moved
    if lost:
        raise Fenced(lost)
    return Work(connection, generation.epoch)


async def _apply_halving(lane: Lane, batch: Batch, work: Work) -> None:
    """Apply in savepoints, halving what fails down to single records, and park those."""
    if not batch.records:
        return
    point = work.mark_point()
    try:
        async with work.connection.transaction():
            await lane.plan.apply(batch, work)
        lane.suspicion.passed(len(batch.records))
        return
    except TRANSIENT:
        raise
    except Exception as error:
        work.back_to(point)
        lane.plan.forget()
        if len(batch.records) == 1:
            record = batch.records[0]
            telemetry.log.warning("record_parked", place=record.place, error=telemetry.where(error))
            lane.suspicion.failed(record.place)
            work.park(record, HANDLER_RAISED, telemetry.where(error))
            return
    for half in batch.halves():
        await _apply_halving(lane, half, work)


async def _finish(lane: Lane, work: Work, moves: list[Move], retell: set[Key]) -> Telling:
    connection = work.connection
    await _retell(lane, work, retell - work.told.keys())
    if work.parked:
        await parking.write(connection, work.parked, lane.settings.build)
        work.counts["parked"] += len(work.parked)
    if work.counts:
        await _tally(connection, work.counts, lane.settings.worker_index)
    # What no record changed is told anew by whoever takes one of our partitions after us.
    sources = {(m.topic, m.partition): m.expected for m in moves} or dict(lane.feed.ready)
    if retell:
        # Whoever takes these partitions after us must find what we have to tell anew.
        sources = markers.first_of(sources, lane.outbox.acked.sources)
    return await markers.replace(connection, lane.outbox.acked.numbers, list(work.told.values()), sources)


async def _retell(lane: Lane, work: Work, keys: set[Key]) -> None:
    if not keys:
        return
    telemetry.LANE_EVENTS.labels(lane.plan.service, "told_anew").inc(len(keys))
    now = await markers.states_now(work.connection, lane.plan.tells, keys, work.epoch)
    for (topic, key), state in now.items():
        work.tell(topic, state, lane.outbox.acked.markers[topic, key].detail)


async def _tally(connection: Connection, counts: Counter[str], bucket: int) -> None:
    outcomes = sorted(counts)
    await connection.execute(
        """
        INSERT INTO tally AS t (outcome, bucket, count)
        SELECT o, $3, c FROM unnest($1::text[], $2::bigint[]) AS n (o, c)
        ON CONFLICT (outcome, bucket) DO UPDATE SET count = t.count + excluded.count
        """,
        outcomes,
        [counts[o] for o in outcomes],
        bucket,
    )


def _measure(lane: Lane, work: Work, batch: Batch) -> None:
    service = lane.plan.service
    telemetry.BATCH_RECORDS.labels(service).observe(len(batch.records))
    for outcome, count in work.counts.items():
        telemetry.RECORDS.labels(service, "", outcome).inc(count)
    for parked in work.parked:
        telemetry.PARKED.labels(service, parked.reason).inc()


async def flush(lane: Lane, passed: dict[Partition, int]) -> Applied:
    """A transaction without records: delete markers of what was told, step over compacted offsets."""
    moves = [Move(t, p, lane.feed.ready[t, p], offset, 0) for (t, p), offset in passed.items()]
    try:
        work, telling = await _transaction(lane, moves, _nothing, [])
    except Fenced as fenced:
        for partition in fenced.partitions:
            lane.feed.ready.pop(partition, None)
        return Applied(fenced=fenced.partitions)
    reached = {(m.topic, m.partition): m.next_offset for m in moves}
    return Applied(reached, set(), list(work.told.values()), telling, committed=True)


async def spare(lane: Lane) -> tuple[Applied, bool]:
    """A transaction that no record asked for, of the plan's or after a swap; whether there is more of it to do."""
    more = False

    async def act(work: Work) -> None:
        nonlocal more
        if lane.is_live:
            more = await retelling.walk(work, lane.plan, lane.generation)
            more = await retrying.retry(work, lane.plan, lane.settings.build) or more
        if lane.plan.spare is not None:
            more = await lane.plan.spare(work) or more

    work, telling = await _transaction(lane, [], act, [])
    return Applied({}, set(), list(work.told.values()), telling, committed=True), more
