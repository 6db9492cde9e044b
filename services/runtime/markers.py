"""Markers: states that were changed and may not have been told yet.

Owns the tables `telling` (one row a transaction: which records it applied) and `marker` (one row a state it
changed), and the rule that keeps the last message of every key current: who told a state looks again after the
ack, and tells anew if somebody changed it meanwhile.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.codec import State, Version
from services.runtime.batch import Tells, Told
from services.runtime.positions import Partition
from services.runtime.postgres import Connection

ADOPT_TELLINGS_MAX = 8
"""Transactions whose markers one lane takes over at a time."""

Key = tuple[str, str]
"""(topic, key) of a state."""


@dataclass(frozen=True, slots=True)
class Marker:
    """A state that was told, or is to be, as it was at `version`."""

    out_topic: str
    key: str
    version: Version
    detail: dict[str, Any] | None = field(default=None, compare=False)


@dataclass(slots=True)
class Telling:
    """What one or several transactions have to tell.

    `numbers`: their rows; `sources`: (topic, partition) → first offset they applied; `markers`: their states.
    """

    numbers: list[int] = field(default_factory=list)
    sources: dict[Partition, int] = field(default_factory=dict)
    markers: dict[Key, Marker] = field(default_factory=dict)

    def add(self, other: Telling) -> None:
        """Both together; of a state in both, the later version, and what is to be said of either."""
        self.numbers += other.numbers
        self.sources = first_of(self.sources, other.sources)
        for key, marker in other.markers.items():
            known = self.markers.get(key)
            if known is None:
                self.markers[key] = marker
                continue
            later = marker if marker.version.newer_than(known.version) else known
            both = {**(known.detail or {}), **(marker.detail or {})}
            self.markers[key] = dataclasses.replace(later, detail=both or None)


def first_of(one: Mapping[Partition, int], other: Mapping[Partition, int]) -> dict[Partition, int]:
    """The smaller offset of each partition."""
    found = dict(one)
    for partition, offset in other.items():
        found[partition] = min(offset, found.get(partition, offset))
    return found


def markers_of(told: Iterable[Told]) -> dict[Key, Marker]:
    """(topic, key) → the marker of each state."""
    return {(t.topic, t.state.key): Marker(t.topic, t.state.key, t.state.version, t.detail) for t in told}


async def replace(
    connection: Connection, acked: Sequence[int], told: Sequence[Told], sources: Mapping[Partition, int]
) -> Telling:
    """Delete the tellings that were acked, and note, in the transaction that changed them, the states to be told.

    `sources`: through which records they changed. Of what was acked and is gone, another lane has told as much;
    `overtaken` sees if there was more to tell.
    """
    if not told and not acked:
        return Telling()
    places = sorted(sources)
    number = await connection.fetchval(
        """
        WITH one AS MATERIALIZED (
            SELECT nextval('telling_number') AS telling WHERE cardinality($5::uuid[]) > 0
        ), applied AS (
            INSERT INTO telling (telling, topics, partitions, first_offsets) SELECT telling, $1, $2, $3 FROM one
        ), changed AS (
            INSERT INTO marker (telling, out_topic, key, epoch, n, detail) SELECT one.telling, m.* FROM one,
                unnest($4::text[], $5::uuid[], $6::bigint[], $7::bigint[], $8::json[]) AS m
        ), gone AS (
            DELETE FROM telling WHERE telling = any($9::bigint[])
        ), unmarked AS (
            DELETE FROM marker WHERE telling = any($9::bigint[])
        ) SELECT telling FROM one
        """,
        [p[0] for p in places],
        [p[1] for p in places],
        [sources[p] for p in places],
        [t.topic for t in told],
        [t.state.key for t in told],
        [t.state.version.epoch for t in told],
        [t.state.version.n for t in told],
        [json.dumps(t.detail) if t.detail else None for t in told],
        sorted(acked),
    )
    return Telling([number], dict(sources), markers_of(told)) if told else Telling()


async def of_partitions(connection: Connection, partitions: Iterable[Partition], known: Sequence[int]) -> Telling:
    """What records of these partitions have left to tell: the oldest ADOPT_TELLINGS_MAX, less those `known`."""
    wanted = sorted(partitions)
    rows = await connection.fetch(
        """
        SELECT telling, topics, partitions, first_offsets FROM telling
        WHERE telling <> all($3::bigint[]) AND EXISTS (
            SELECT FROM unnest(topics, partitions) AS s (t, p) JOIN unnest($1::text[], $2::int[]) AS w (t, p)
            USING (t, p))
        ORDER BY telling LIMIT $4
        """,
        [p[0] for p in wanted],
        [p[1] for p in wanted],
        list(known),
        ADOPT_TELLINGS_MAX,
    )
    found = Telling([r["telling"] for r in rows])
    for r in rows:
        places = zip(r["topics"], r["partitions"], strict=True)
        found.sources = first_of(found.sources, dict(zip(places, r["first_offsets"], strict=True)))
    for m in await connection.fetch("SELECT * FROM marker WHERE telling = any($1::bigint[])", found.numbers):
        detail = json.loads(m["detail"]) if m["detail"] else None
        marker = Marker(m["out_topic"], str(m["key"]), Version(m["epoch"], m["n"]), detail)
        found.add(Telling(markers={(marker.out_topic, marker.key): marker}))
    return found


async def states_now(
    connection: Connection,
    tells: Mapping[str, Tells],
    keys: Iterable[Key],
    epoch: int,
) -> dict[Key, State]:
    """(out_topic, key) → its state as committed now; emptied where a swap left no row of it."""
    by_topic: dict[str, list[str]] = {}
    for topic, key in sorted(keys):
        by_topic.setdefault(topic, []).append(key)
    found: dict[Key, State] = {}
    for topic, topic_keys in by_topic.items():
        for state in await tells[topic].current(connection, topic_keys, epoch):
            found[topic, state.key] = state
        for key in topic_keys:
            if (topic, key) not in found:
                found[topic, key] = State(key, Version(epoch, 0), tells[topic].emptied(key))
    return found


async def overtaken(connection: Connection, tells: Mapping[str, Tells], acked: Telling, epoch: int) -> set[Key]:
    """(topic, key) of states that moved on since we told them: our older word may be the topic's last."""
    topics = sorted({topic for topic, _ in acked.markers})
    if not topics:
        return set()
    told = list(acked.markers.values())
    parts = [
        f"SELECT m.topic, m.key FROM m JOIN {tells[topic].table} t ON t.{tells[topic].key} = m.key"
        f" WHERE m.topic = '{topic}' AND ($1, t.n) > (m.epoch, m.n)"
        for topic in topics
    ]
    rows = await connection.fetch(
        "WITH m AS (SELECT * FROM unnest($2::text[], $3::uuid[], $4::bigint[], $5::bigint[])"
        f" AS m (topic, key, epoch, n)) {' UNION ALL '.join(parts)}",
        epoch,
        [m.out_topic for m in told],
        [m.key for m in told],
        [m.version.epoch for m in told],
        [m.version.n for m in told],
    )
    return {(row["topic"], str(row["key"])) for row in rows}


async def older_than(connection: Connection, ends: dict[Partition, int]) -> bool:
    """Whether a change made by a record before these next offsets may still be untold."""
    return bool(
        await connection.fetchval(
            """
            SELECT EXISTS (SELECT FROM telling, unnest(topics, partitions, first_offsets) AS s (t, p, o)
                JOIN unnest($1::text[], $2::int[], $3::bigint[]) AS w (t, p, end_offset) USING (t, p)
                WHERE s.o < w.end_offset)
            """,
            [p[0] for p in ends],
            [p[1] for p in ends],
            list(ends.values()),
        )
    )
