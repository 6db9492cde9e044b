"""Markers: states that were changed and may not have been told yet.

Owns the marker table and the rule that keeps the last message of every key current: who told a state
looks again after the ack, and tells anew if somebody changed it meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.codec import State
from services.runtime.batch import Tells, Told
from services.runtime.positions import Partition
from services.runtime.postgres import Connection

ADOPT_MAX = 5_000
"""Markers one lane takes over at a time."""


@dataclass(frozen=True, slots=True)
class Marker:
    """One row: `key` of `out_topic` reached (epoch, n) through the record at (topic, partition, offset)."""

    out_topic: str
    key: str
    epoch: int
    n: int
    topic: str
    partition: int
    first_offset: int
    detail: dict[str, Any] | None = field(default=None, compare=False)


def markers_of(told: Iterable[Told]) -> list[Marker]:
    """A marker for every (state, source partition)."""
    return [
        Marker(t.topic, t.state.key, t.state.version.epoch, t.state.version.n, topic, partition, offset, t.detail)
        for t in told
        for (topic, partition), offset in t.sources.items()
    ]


async def write(connection: Connection, markers: Sequence[Marker]) -> None:
    """Insert markers, in the transaction that changed the states."""
    if not markers:
        return
    ordered = sorted(markers, key=lambda m: (m.topic, m.partition, m.out_topic, m.key))
    await connection.execute(
        """
        INSERT INTO marker (out_topic, key, epoch, n, topic, partition, first_offset, detail)
        SELECT * FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[], $6::int[],
                             $7::bigint[], $8::json[])
        ON CONFLICT DO NOTHING
        """,
        [m.out_topic for m in ordered],
        [m.key for m in ordered],
        [m.epoch for m in ordered],
        [m.n for m in ordered],
        [m.topic for m in ordered],
        [m.partition for m in ordered],
        [m.first_offset for m in ordered],
        [json.dumps(m.detail) if m.detail else None for m in ordered],
    )


async def clear(connection: Connection, acked: Sequence[Marker]) -> None:
    """Delete exactly these markers. One that is gone was told by somebody else: `overtaken` sees if more was."""
    if not acked:
        return
    await connection.execute(
        """
        DELETE FROM marker m USING unnest($1::text[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[],
                                          $6::int[]) AS mine (out_topic, key, epoch, n, topic, partition)
        WHERE (m.topic, m.partition, m.out_topic, m.key, m.epoch, m.n)
            = (mine.topic, mine.partition, mine.out_topic, mine.key, mine.epoch, mine.n)
        """,
        [m.out_topic for m in acked],
        [m.key for m in acked],
        [m.epoch for m in acked],
        [m.n for m in acked],
        [m.topic for m in acked],
        [m.partition for m in acked],
    )


async def of_partitions(connection: Connection, partitions: Iterable[Partition]) -> list[Marker]:
    """Markers whose source is one of these partitions, oldest first, at most ADOPT_MAX."""
    wanted = sorted(partitions)
    rows = await connection.fetch(
        """
        SELECT out_topic, key, epoch, n, topic, partition, first_offset, detail FROM marker
        JOIN unnest($1::text[], $2::int[]) AS w (t, p) ON topic = t AND partition = p
        ORDER BY first_offset LIMIT $3
        """,
        [p[0] for p in wanted],
        [p[1] for p in wanted],
        ADOPT_MAX,
    )
    return [
        Marker(
            r["out_topic"],
            str(r["key"]),
            r["epoch"],
            r["n"],
            r["topic"],
            r["partition"],
            r["first_offset"],
            json.loads(r["detail"]) if r["detail"] else None,
        )
        for r in rows
    ]


async def states_now(
    connection: Connection,
    tells: Mapping[str, Tells],
    keys: Iterable[tuple[str, str]],
    epoch: int,
) -> dict[tuple[str, str], State]:
    """(out_topic, key) → its state as committed now."""
    by_topic: dict[str, list[str]] = {}
    for topic, key in sorted(keys):
        by_topic.setdefault(topic, []).append(key)
    found: dict[tuple[str, str], State] = {}
    for topic, topic_keys in by_topic.items():
        for state in await tells[topic].current(connection, topic_keys, epoch):
            found[topic, state.key] = state
    return found


async def overtaken(
    connection: Connection, tells: Mapping[str, Tells], acked: Sequence[Marker], epoch: int
) -> set[tuple[str, str]]:
    """(out_topic, key) of states that moved on since we told them: our older word may be the topic's last."""
    told: dict[str, dict[str, tuple[int, int]]] = {}
    for m in acked:
        told.setdefault(m.out_topic, {})[m.key] = (m.epoch, m.n)
    stale: set[tuple[str, str]] = set()
    for topic, versions in told.items():
        rows = await connection.fetch(
            f"SELECT {tells[topic].key} AS key, n FROM {tells[topic].table} WHERE {tells[topic].key} = any($1)",
            list(versions),
        )
        stale |= {(topic, str(r["key"])) for r in rows if (epoch, r["n"]) > versions[str(r["key"])]}
    return stale


async def older_than(connection: Connection, ends: dict[Partition, int]) -> bool:
    """Whether a change made by a record before these next offsets may still be untold."""
    return bool(
        await connection.fetchval(
            """
            SELECT EXISTS (SELECT FROM marker JOIN unnest($1::text[], $2::int[], $3::bigint[])
                AS w (t, p, o) ON topic = t AND partition = p AND first_offset < o)
            """,
            [p[0] for p in ends],
            [p[1] for p in ends],
            list(ends.values()),
        )
    )
