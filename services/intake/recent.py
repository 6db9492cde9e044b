"""What a source sent last, and what became of it: for whoever is setting the source up.

Owns a short memory of the log's end, read on when somebody asks: so every process tells the same, also one that was
just started. Shows ids, types and times, never what a person wrote.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from schemas.codec import header
from schemas.envelope import rfc3339
from services.intake.domain.model import Parked
from services.intake.stretch import Stretch, arrival_of, opened
from services.intake.views import erased_among
from services.runtime.http import Database
from services.runtime.settings import Settings

RECENT_MAX = 100
LOOKED_BACK_MAX = 2_000
"""Records of each partition, from the end, that a first look reads: of what is older it says nothing."""
READ_EVERY_S = 0.5
"""A write key is no secret in a browser: whoever asks more often is told what was read then."""
READ_TIMEOUT_S = 5.0
STATES = ("applied", "duplicate", "suppressed", "waiting", "parked")

_PARKED = "SELECT reason, detail, parked_at FROM parked WHERE source = $1 ORDER BY parked_at DESC LIMIT $2"

_SUPPRESSED = "SELECT type, event_id, at FROM suppressed WHERE source = $1 ORDER BY at DESC LIMIT $2"

Place = tuple[int, int]
"""(partition, offset) in the log."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """One event: where the log has it and under which record, or why it was parked; or that its person was erased."""

    received: datetime
    event_id: str | None
    sent_id: str | None
    type: str | None
    incomplete: tuple[str, ...]
    place: Place | None
    parked: Parked | None
    record_id: str = ""
    suppressed: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """(record id, event id) of what is in the log."""
        return self.record_id, self.event_id or ""

    def shown(self, applied: Mapping[str, Place]) -> dict[str, Any]:
        """`applied`: event id → where the copy lies that counts; an event not in it still waits."""
        kept = applied.get(self.event_id or "")
        state = "parked" if self.parked else "waiting" if kept is None else "applied"
        if kept is not None and kept != self.place:
            state = "duplicate"
        if self.suppressed:
            state = "suppressed"
        return {
            "state": state,
            "reason": self.parked.reason if self.parked else None,
            "detail": self.parked.detail if self.parked else None,
            "event_id": self.event_id,
            "id": self.sent_id,
            "type": self.type,
            "received_at": rfc3339(self.received),
            "incomplete": list(self.incomplete),
        }


class Recent:
    """The last RECENT_MAX events of each source."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings, self.database = settings, database
        self._of: dict[str, deque[Arrived]] = {}
        self._at: dict[int, int] = {}
        self._read_at = -READ_EVERY_S
        self._lock = asyncio.Lock()

    async def of(self, source: str) -> list[Arrived]:
        """The newest first. Raises KafkaError or TimeoutError while the broker is away, or what TRANSIENT lists."""
        async with self._lock:
            if time.monotonic() - self._read_at >= READ_EVERY_S:
                await self._read_on()
                self._read_at = time.monotonic()
        pool = await self.database.pool()
        async with pool.acquire() as connection:
            parked = [_parked(row) for row in await connection.fetch(_PARKED, source, RECENT_MAX)]
            kept_out = [_kept_out(row) for row in await connection.fetch(_SUPPRESSED, source, RECENT_MAX)]
            logged = list(self._of.get(source, ()))
            erased = await erased_among(connection, {one.key for one in logged})
        logged = [replace(one, suppressed=one.key in erased) for one in logged]
        listed = sorted([*logged, *parked, *kept_out], key=lambda one: one.received, reverse=True)
        return listed[:RECENT_MAX]

    async def _read_on(self) -> None:
        found = []
        async with asyncio.timeout(READ_TIMEOUT_S), opened(self.settings, "c360-recent") as log:
            whole = await log.between(None, None)
            begin = {
                p: min(end, max(whole.begin[p], end - LOOKED_BACK_MAX, self._at.get(p, 0)))
                for p, end in whole.end.items()
            }
            async for record in log.records(Stretch(begin, whole.end)):
                found.append(record)
        self._at = dict(whole.end)
        for record in sorted(found, key=lambda one: int(one.timestamp)):
            source, arrived = _arrived(record)
            if arrived is not None:
                self._of.setdefault(source.partition("/")[0], deque(maxlen=RECENT_MAX)).append(arrived)


def _arrived(record: Any) -> tuple[str, Arrived | None]:
    """One record of the log and its source; None for what is no event of ours."""
    one = arrival_of(record)
    if one is None or record.key is None:
        return "", None
    of_type, place = header(record.headers, "ce_type"), (record.partition, record.offset)
    lacks = incomplete_of(record.value)
    record_id = record.key.decode()
    return one.source, Arrived(one.received, one.event_id, one.sent_id, of_type, lacks, place, None, record_id)


def _kept_out(row: Any) -> Arrived:
    return Arrived(row["at"], str(row["event_id"]), None, row["type"], (), None, None, suppressed=True)


def _parked(row: Any) -> Arrived:
    return Arrived(row["parked_at"], None, None, None, (), None, Parked(row["reason"], row["detail"]))


def incomplete_of(value: bytes | None) -> tuple[str, ...]:
    """The required fields a record's event lacks; none for what is no JSON, or sealed."""
    if value is None or b'"incomplete"' not in value:
        return ()
    try:
        found = orjson.loads(value)
    except orjson.JSONDecodeError:
        return ()
    lacks = found.get("incomplete") if isinstance(found, dict) else None
    return tuple(str(name) for name in lacks) if isinstance(lacks, list) else ()
