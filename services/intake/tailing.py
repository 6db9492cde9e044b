"""The last events of a source, or of all, and what became of each; then those that came since.

Owns where a look begins, how far it may reach, and the mark after it. Built on what lasts: the log, what is parked,
the services' own word; so it tells the same after a restart. Shows ids, types and times, nothing a person wrote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from schemas.codec import header
from schemas.envelope import microseconds, moment_at, rfc3339
from schemas.topics import CHANNEL_EVENTS, CHANNEL_RAW
from services.intake.auditing import ASKED_MAX, Copy, asked_of_parked, copy_of, fates_of, reached_by
from services.intake.domain.accept import MAPPING
from services.intake.domain.accounts import Fate
from services.intake.recent import LOOKED_BACK_MAX, incomplete_of
from services.intake.stretch import Stretch, opened
from services.runtime.postgres import Connection
from services.runtime.settings import Settings
from services.runtime.waiting import Ends

EVENTS_MAX = 500
AHEAD_MAX = 2_000
"""Records of each partition that one later look reads."""
STATES = ("applied", "duplicate", "suppressed", "waiting", "parked", "missing")
SETTLED_AFTER = timedelta(seconds=2)
"""What was parked is told so much later: a transaction at work may still write an earlier moment."""
ANOTHER_COUNTS = "another_event_of_the_order_counts"

_SUPPRESSED = """
    SELECT source, event_id, type, at FROM suppressed WHERE at > $1 AND at <= $2 AND ($3::text IS NULL OR source = $3)
    ORDER BY at DESC LIMIT $4
"""
_PARKED = """
    SELECT topic, partition, first_offset, reason, detail, source, parked_at
    FROM parked WHERE parked_at > $1 AND parked_at <= $2 AND ($3::text IS NULL OR source = $3)
    ORDER BY parked_at DESC, first_offset DESC LIMIT $4
"""


@dataclass(frozen=True, slots=True)
class Look:
    """What to show: of a source (None: all), in a state (None: any).

    `after`: the mark of the last look, all that came since; None: the newest `limit`. `settled`: nothing that
    interaction has not come to yet, so that each event is shown once, with what became of it.
    """

    source: str | None = None
    state: str | None = None
    limit: int = 20
    after: Ends | None = None
    settled: bool = False


async def tail(settings: Settings, connection: Connection, client: httpx.AsyncClient, look: Look) -> dict[str, Any]:
    """{events, after}: the oldest first, and the mark for the next look.

    Raises aiokafka's errors, httpx.HTTPError where interaction does not answer, or what TRANSIENT lists.
    """
    reached = await reached_by(settings, client)
    seen: list[tuple[Copy, Any]] = []
    async with opened(settings, "c360-tail") as log:
        stretch = bounded(await log.between(None, None), look, reached)
        async for record in log.records(stretch):
            copy = copy_of(record)
            if copy is not None and look.source in (None, copy.cell.source):
                seen.append((copy, record))
    seen.sort(key=lambda one: (one[1].timestamp, one[0].partition, one[0].offset))
    if look.after is None:
        # A state is known only of what was looked for: then more must be, to find as many as are wanted.
        seen = seen[-(look.limit if look.state is None else EVENTS_MAX) :]
    until = await connection.fetchval("SELECT now() - $1::interval", SETTLED_AFTER if look.settled else timedelta(0))
    since = moment_at((look.after or {}).get((CHANNEL_RAW.name, 0), 0))
    parked, suppressed = [
        await connection.fetch(sql, since, until, look.source, EVENTS_MAX) for sql in (_PARKED, _SUPPRESSED)
    ]
    events = await _became(settings, connection, client, seen, reached)
    events += [*map(_parked, parked), *map(_suppressed, suppressed)]
    events.sort(key=lambda one: str(one["at"]))
    events = [one for one in events if look.state in (None, one["state"])]
    after: Ends = {(CHANNEL_EVENTS.name, p): offset for p, offset in stretch.end.items()}
    after[CHANNEL_RAW.name, 0] = microseconds(until)
    return {"events": events[-look.limit :] if look.after is None else events, "after": after}


def bounded(whole: Stretch, look: Look, reached: Mapping[int, int]) -> Stretch:
    """The part of the log that a look reads: from where the last one ended, if there was one."""
    end = {p: min(offset, reached.get(p, 0)) if look.settled else offset for p, offset in whole.end.items()}
    if look.after is None:
        begin = {p: max(whole.begin[p], end[p] - LOOKED_BACK_MAX) for p in end}
    else:
        begin = {p: max(whole.begin[p], look.after.get((CHANNEL_EVENTS.name, p), 0)) for p in end}
    return Stretch(begin, {p: max(begin[p], min(end[p], begin[p] + AHEAD_MAX)) for p in end})


async def _became(
    settings: Settings,
    connection: Connection,
    client: httpx.AsyncClient,
    seen: Sequence[tuple[Copy, Any]],
    reached: dict[int, int],
) -> list[dict[str, Any]]:
    shown = []
    for start in range(0, len(seen), ASKED_MAX):
        part = seen[start : start + ASKED_MAX]
        became = await fates_of(settings, connection, client, [copy for copy, _ in part], reached, set())
        for (copy, fate), (_, record) in zip(became, part, strict=True):
            why = await _why(settings, client, copy) if fate is Fate.PARKED else None
            shown.append(_shown(copy, record, fate, ANOTHER_COUNTS if fate is Fate.SHADOWED else why))
    return shown


async def _why(settings: Settings, client: httpx.AsyncClient, copy: Copy) -> str | None:
    """Why interaction set it aside; None where it was tried again meanwhile."""
    found = await asked_of_parked(settings, client, copy)
    return found.json().get("reason") if found.is_success else None


def _shown(copy: Copy, record: Any, fate: Fate, reason: str | None) -> dict[str, Any]:
    return {
        "at": header(record.headers, "c360_received"),
        "source": header(record.headers, "ce_source"),
        "state": "applied" if fate is Fate.SHADOWED else str(fate),
        "reason": reason,
        "detail": None,
        "type": header(record.headers, "ce_type"),
        "event_id": copy.event_id,
        "id": header(record.headers, "ce_id"),
        "mapping": header(record.headers, f"ce_{MAPPING}"),
        "incomplete": list(incomplete_of(record.value)),
        "place": copy.place,
    }


_UNKNOWN = ("reason", "detail", "type", "event_id", "id", "mapping", "place")


def _suppressed(row: Any) -> dict[str, Any]:
    return {
        **dict.fromkeys(_UNKNOWN),
        "at": rfc3339(row["at"]),
        "source": row["source"],
        "state": str(Fate.SUPPRESSED),
        "type": row["type"],
        "event_id": str(row["event_id"]),
        "incomplete": [],
    }


def _parked(row: Any) -> dict[str, Any]:
    return {
        **dict.fromkeys(_UNKNOWN),
        "at": rfc3339(row["parked_at"]),
        "source": row["source"],
        "state": "parked",
        "reason": row["reason"],
        "detail": row["detail"] or None,
        "incomplete": [],
        "place": f"{row['topic']}/{row['partition']}/{row['first_offset']}",
    }
