"""Positions: how far a lane's effects reach in each partition, moved by compare-and-set in their transaction.

Owns the position table. The compare-and-set, not the consumer group, makes the effect exactly-once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.runtime.postgres import Connection, Generation, SchemaHalt

Partition = tuple[str, int]
"""(topic, partition)."""


class PositionHalt(RuntimeError):
    """The log does not continue where the lane stopped: going on would skip or repeat for another log."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Move:
    """One partition's step: from the offset we hold to the next one to read."""

    topic: str
    partition: int
    expected: int
    next_offset: int
    log_time_ms: int


async def load(
    connection: Connection, starts: Mapping[Partition, int], topic_ids: Mapping[str, str]
) -> dict[Partition, int]:
    """Next offset of each partition; `starts` says where one begins that was never read.

    Raises PositionHalt("topic_replaced") when the topic was deleted and made again since.
    """
    wanted = sorted(starts)
    topics, numbers = [p[0] for p in wanted], [p[1] for p in wanted]
    await connection.execute(
        """
        INSERT INTO position (topic, partition, topic_id, next_offset)
        SELECT t, p, i, o FROM unnest($1::text[], $2::int[], $3::text[], $4::bigint[]) AS new (t, p, i, o)
        ON CONFLICT DO NOTHING
        """,
        topics,
        numbers,
        [topic_ids[t] for t in topics],
        [starts[p] for p in wanted],
    )
    rows = await connection.fetch(
        """
        SELECT topic, partition, topic_id, next_offset FROM position
        JOIN unnest($1::text[], $2::int[]) AS w (t, p) ON topic = t AND partition = p
        """,
        topics,
        numbers,
    )
    _check_same(rows, topic_ids)
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}


async def check_topics(connection: Connection, topic_ids: Mapping[str, str]) -> None:
    """Raises PositionHalt("topic_replaced") when a topic was deleted and made again under a running lane."""
    _check_same(await connection.fetch("SELECT topic, partition, topic_id, next_offset FROM position"), topic_ids)


def _check_same(rows: Iterable[Any], topic_ids: Mapping[str, str]) -> None:
    for row in rows:
        # A topic that is not there now may come back; only another one in its place is beyond repair.
        if row["topic_id"] != topic_ids.get(row["topic"], row["topic_id"]):
            raise PositionHalt(
                "topic_replaced",
                f"{row['topic']} was deleted and made again since offset {row['next_offset']}"
                f" of partition {row['partition']}",
            )


LIVE = """SELECT live, epoch, ARRAY (SELECT lane FROM {service}.lane_pause WHERE resumed_at IS NULL) AS paused
        FROM {service}.generation FOR SHARE"""
"""The pointer that a live lane holds, a swap waits for it; and which lanes people have paused."""
BESIDE = """SELECT CASE WHEN state = 'running' THEN generation END AS live, 0 AS epoch, '{{}}'::text[] AS paused
        FROM {service}.beside FOR SHARE"""
"""The pointer that a rebuild holds: who pauses it, or swaps, waits for it."""

_CLAIM = """
    WITH pointer AS MATERIALIZED (
        {pointer}
    ), step AS (
        SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[])
            AS s (topic, partition, expected, next_offset, log_time_ms)
    ), held AS (
        SELECT p.topic, p.partition FROM position p JOIN step s USING (topic, partition)
        ORDER BY p.topic, p.partition FOR UPDATE OF p
    ), moved AS (
        UPDATE position p SET next_offset = s.next_offset, log_time_ms = greatest(p.log_time_ms, s.log_time_ms)
        FROM step s JOIN held h USING (topic, partition)
        WHERE p.topic = s.topic AND p.partition = s.partition AND p.next_offset = s.expected
        RETURNING p.topic, p.partition
    )
    SELECT live, epoch, paused, m.topic, m.partition FROM pointer LEFT JOIN moved m ON true
"""


async def claim(
    connection: Connection, service: str, moves: Iterable[Move], pointer: str = LIVE
) -> tuple[Generation, set[Partition], Collection[str]]:
    """Move the positions whose stored offset is the expected one.

    Returns the generation that `pointer` names, which cannot be swapped before this transaction ends, the partitions
    that were moved, and the lanes that are to rest after it. Raises SchemaHalt("no_generation").
    """
    ordered = sorted(moves, key=lambda m: (m.topic, m.partition))
    rows = await connection.fetch(
        _CLAIM.format(pointer=pointer.format(service=service)),
        [m.topic for m in ordered],
        [m.partition for m in ordered],
        [m.expected for m in ordered],
        [m.next_offset for m in ordered],
        [m.log_time_ms for m in ordered],
    )
    if not rows or rows[0]["live"] is None:
        raise SchemaHalt("no_generation", f"{service} has no such generation at work")
    live = Generation(rows[0]["live"], rows[0]["epoch"], f"{service}_g{rows[0]['live']}")
    moved = {(row["topic"], row["partition"]) for row in rows if row["topic"] is not None}
    return live, moved, rows[0]["paused"]


async def stored(connection: Connection) -> dict[Partition, tuple[int, int]]:
    """Every position: (topic, partition) → (next offset, log time of the last applied record in ms)."""
    rows = await connection.fetch("SELECT topic, partition, next_offset, log_time_ms FROM position")
    return {(r["topic"], r["partition"]): (r["next_offset"], r["log_time_ms"]) for r in rows}
