"""Value's SQL for what is heard beside money: contacts and statements, one row an event, contacts summed.

Owns the tables `heard` and `contact`. Sums are added to and taken from; nothing is counted twice or lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from services.runtime.forgetting import Erased, delete
from services.runtime.postgres import Connection
from services.value.domain.contacts import Contact
from services.value.domain.heard import Heard

ContactKey = tuple[str, int, str, str]
"""(record, business day, channel, direction)."""
Counts = dict[ContactKey, tuple[int, int]]
"""Contacts and their seconds, to be added; below 0 to be taken away."""

_KEPT = "event_id, record_id, time_us, day, channel, direction, seconds, said"


async def insert(connection: Connection, heard: Sequence[Heard], withdrawn: frozenset[str]) -> list[Heard]:
    """Keep what was not kept yet; that of it which counts. The first copy in the log wins."""
    if not heard:
        return []
    rows = await connection.fetch(
        f"""
        INSERT INTO heard ({_KEPT}, withdrawn)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::int[], $5::text[], $6::text[], $7::int[],
                             $8::text[], $9::bool[])
        ON CONFLICT (event_id, record_id) DO NOTHING RETURNING {_KEPT}, withdrawn
        """,
        [h.event_id for h in heard],
        [h.record_id for h in heard],
        [h.time_us for h in heard],
        [h.day for h in heard],
        [h.contact.channel if h.contact else None for h in heard],
        [h.contact.direction if h.contact else None for h in heard],
        [h.contact.seconds if h.contact else 0 for h in heard],
        [h.said for h in heard],
        [h.event_id in withdrawn for h in heard],
    )
    return [_heard(r) for r in rows if not r["withdrawn"]]


async def withdraw(connection: Connection, event_ids: Iterable[str]) -> list[Heard]:
    """Mark these events as taken back; what of them has counted until now."""
    rows = await connection.fetch(
        f"UPDATE heard SET withdrawn = true WHERE event_id = any($1::uuid[]) AND NOT withdrawn RETURNING {_KEPT}",
        sorted(event_ids),
    )
    return [_heard(r) for r in rows]


async def forget(connection: Connection, erased: Erased) -> list[Heard]:
    """Delete what was heard of what is erased; what of it has counted until now."""
    return [
        _heard(r) for r in await delete(connection, "heard", erased, f"{_KEPT}, withdrawn") if not r["withdrawn"]
    ]


def _heard(r: Any) -> Heard:
    event_id, record_id, time_us, day, channel, direction, seconds, said = (r[name] for name in _KEPT.split(", "))
    contact = None if channel is None else Contact(day, channel, direction, 1, seconds)
    return Heard(str(event_id), str(record_id), time_us, day, contact, said)


def counted(new: Iterable[Heard], gone: Iterable[Heard]) -> Counts:
    """What has to be added to contacts; nothing where both come to the same."""
    found: Counts = {}
    for sign, some in ((1, new), (-1, gone)):
        for heard in some:
            if heard.contact is not None:
                key = (heard.record_id, heard.day, heard.contact.channel, heard.contact.direction)
                pieces, seconds = found.get(key, (0, 0))
                found[key] = pieces + sign, seconds + sign * heard.contact.seconds
    return {key: count for key, count in found.items() if any(count)}


async def add_contacts(connection: Connection, counts: Counts) -> None:
    """Add to contacts, in the order of their keys; rows that come to nothing are deleted."""
    if not counts:
        return
    keys = sorted(counts)
    columns = [[key[part] for key in keys] for part in range(4)]
    await connection.execute(
        """
        INSERT INTO contact AS c (record_id, day, channel, direction, pieces, seconds)
        SELECT * FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])
        ON CONFLICT (record_id, day, channel, direction) DO UPDATE SET
            pieces = c.pieces + excluded.pieces, seconds = c.seconds + excluded.seconds
        """,
        *columns,
        [counts[key][0] for key in keys],
        [counts[key][1] for key in keys],
    )
    if any(counts[key][0] < 0 for key in keys):
        await connection.execute(
            """
            DELETE FROM contact c USING unnest($1::uuid[], $2::int[], $3::text[], $4::text[]) AS k (r, n, w, d)
            WHERE c.record_id = k.r AND c.day = k.n AND c.channel = k.w AND c.direction = k.d AND c.pieces = 0
            """,
            *columns,
        )
