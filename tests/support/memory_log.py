"""The log in memory as a repair reads it.

Owns reading the broker in memory from here to there; `read` may be told to fail, as a broker that dies does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

from schemas.topics import PARTITIONS
from services.runtime.beside import Ends
from tests.support.memory_broker import MemoryBroker


class Died(Exception):
    """The process ended here: what it had in a transaction is rolled back."""


class MemoryLog:
    """A Log on the broker in memory. `reads_max`: the process dies instead of reading once more."""

    def __init__(self, broker: MemoryBroker, reads_max: int | None = None) -> None:
        self.broker = broker
        self.reads_max = reads_max
        self.reads = 0

    async def firsts(self, topic: str) -> Ends:
        return {(topic, p): 0 for p in range(PARTITIONS)}

    async def ends(self, topics: Iterable[str]) -> Ends:
        return {(t, p): len(self.broker.logs[t, p]) for t in topics for p in range(PARTITIONS)}

    async def since(self, topic: str, time_ms: int) -> tuple[Ends, int | None]:
        ends = await self.ends([topic])
        later = {p: [r for r in self.broker.logs[p] if r.timestamp >= time_ms] for p in ends}
        offsets = {p: later[p][0].offset if later[p] else end for p, end in ends.items()}
        return offsets, min((those[0].timestamp for those in later.values() if those), default=None)

    async def read(self, start: Ends, to: Ends) -> AsyncIterator[list[Any]]:
        self.reads += 1
        if self.reads_max is not None and self.reads > self.reads_max:
            raise Died
        for partition, end in sorted(to.items()):
            if records := self.broker.logs[partition][start.get(partition, 0) : end]:
                yield records

    async def stop(self) -> None: ...
