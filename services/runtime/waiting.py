"""Reading your own write: opaque position tokens, and waiting until a service has applied and told them.

Owns the token's form and the wait. A token is positions of (topic, partition, next offset).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from schemas.opaque import read_opaque, write_opaque
from services.runtime import markers, positions
from services.runtime.positions import Partition
from services.runtime.postgres import Pool

Ends = dict[Partition, int]
"""(topic, partition) → next offset."""

POLL_S = 0.01
WAIT_MS_MAX = 10_000
PARTITIONS_MAX = 2**31
OFFSET_MAX = 2**63


class BadToken(ValueError):
    """Not a token of ours."""


class NotCaughtUp(Exception):
    """The positions were not applied in time. `behind` is how many records were missing."""

    def __init__(self, behind: int) -> None:
        super().__init__(f"{behind} records behind")
        self.behind = behind


def write_token(ends: Mapping[Partition, int]) -> str:
    """The token of these positions: URL-safe, the same for the same positions."""
    rows = sorted([topic, partition, offset] for (topic, partition), offset in ends.items() if offset)
    return write_opaque(rows)


def read_token(token: str) -> Ends:
    """The positions in a token. Raises BadToken."""
    try:
        ends = {(str(topic), int(partition)): int(offset) for topic, partition, offset in read_opaque(token)}
        if any(not 0 <= p < PARTITIONS_MAX or not 0 <= offset < OFFSET_MAX for (_, p), offset in ends.items()):
            raise ValueError("no log can hold this position")
        return ends
    except (ValueError, TypeError) as broken:
        raise BadToken("not a position token") from broken


def merge(*tokens: Mapping[Partition, int]) -> Ends:
    """The later of each partition."""
    ends: Ends = {}
    for token in tokens:
        for partition, offset in token.items():
            ends[partition] = max(offset, ends.get(partition, 0))
    return ends


async def until_applied(pool: Pool, at: Mapping[Partition, int], topics: set[str], wait_ms: int) -> None:
    """Return when positions of `topics` in `at` are applied and no older marker remains.

    Raises NotCaughtUp after `wait_ms` (bounded by WAIT_MS_MAX).
    """
    wanted = {p: o for p, o in at.items() if p[0] in topics and o > 0}
    if not wanted:
        return
    deadline = time.monotonic() + min(wait_ms, WAIT_MS_MAX) / 1000
    while True:
        async with pool.acquire() as connection:
            stored = await positions.stored(connection)
            behind = sum(max(0, offset - stored.get(p, (0, 0))[0]) for p, offset in wanted.items())
            if behind == 0 and not await markers.older_than(connection, wanted):
                return
        if time.monotonic() >= deadline:
            raise NotCaughtUp(behind)
        await asyncio.sleep(POLL_S)
