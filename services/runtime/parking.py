"""Parking: what cannot be read or applied is set aside with its reason, and too much of it halts the lane.

Owns the parked table and the suspicion that a build, not its input, is broken.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from services.runtime.batch import Parked
from services.runtime.positions import Partition
from services.runtime.postgres import Connection

HANDLER_RAISED = "handler_raised"
REQUESTS = "http"
"""The topic that stands for requests: what was parked of them lies in no log, so no lane can try it again."""
IN_ROW_MAX = 20
WINDOW_RECORDS = 1_000
WINDOW_PARKED_MAX = 100
DETAIL_CHARS_MAX = 300

Place = tuple[str, int, int]


class HandlerBroken(RuntimeError):
    """So many records failed in the handler that the handler must be broken: halt, park none of them."""

    reason = "handler_broken"

    def __init__(self, places: Sequence[Place]) -> None:
        first = min(places)
        super().__init__(f"{len(places)} records failed in the handler, the first at {first}")
        self.places = list(places)


@dataclass(slots=True)
class Suspicion:
    """Which of the last records the handler could not apply."""

    in_row: list[Place] = field(default_factory=list)
    window: deque[Place | None] = field(default_factory=lambda: deque(maxlen=WINDOW_RECORDS))

    def passed(self, records: int) -> None:
        """Some records were applied."""
        if records:
            self.in_row.clear()
            self.window.extend([None] * min(records, WINDOW_RECORDS))

    def failed(self, place: Place) -> None:
        """One record failed in the handler. Raises HandlerBroken at 20 in a row or 100 of the last 1,000."""
        self.in_row.append(place)
        self.window.append(place)
        failed = [p for p in self.window if p is not None]
        if len(self.in_row) >= IN_ROW_MAX or len(failed) >= WINDOW_PARKED_MAX:
            raise HandlerBroken(failed)

    def copy(self) -> Suspicion:
        """To come back to when a transaction is rolled back."""
        return Suspicion(list(self.in_row), self.window.copy())


async def write(connection: Connection, parked: Iterable[Parked], build: str) -> None:
    """Store parked records whole, so that they can be read again; a repeat changes nothing."""
    await connection.executemany(
        """
        INSERT INTO parked (topic, partition, first_offset, reason, detail, source, build, key, value, headers)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING
        """,
        [
            (
                *p.place,
                p.reason,
                p.detail.replace("\0", "")[:DETAIL_CHARS_MAX],
                p.source,
                build,
                p.raw.key,
                p.raw.value,
                json.dumps([[k, v.decode("latin-1") if v else ""] for k, v in p.raw.headers]),
            )
            for p in parked
        ],
    )


async def unpark(connection: Connection, places: Sequence[Place]) -> dict[Partition, int]:
    """Take back records parked by a broken handler and set positions to before the first of them.

    What was applied after them meets its own event ids or versions again and changes nothing.
    """
    first: dict[Partition, int] = {}
    for topic, partition, offset in places:
        first[topic, partition] = min(offset, first.get((topic, partition), offset))
    for (topic, partition), offset in sorted(first.items()):
        await connection.execute(
            "UPDATE position SET next_offset = least(next_offset, $3) WHERE topic = $1 AND partition = $2",
            topic,
            partition,
            offset,
        )
    await connection.execute(
        """
        DELETE FROM parked p USING unnest($1::text[], $2::int[], $3::bigint[]) AS w (t, n, o)
        WHERE p.topic = t AND p.partition = n AND p.first_offset = o AND p.reason = $4
        """,
        [p[0] for p in places],
        [p[1] for p in places],
        [p[2] for p in places],
        HANDLER_RAISED,
    )
    return first
