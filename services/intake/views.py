"""Intake's questions: what was parked and why.

Owns reading SQL only; nothing a person wrote is shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from schemas.envelope import rfc3339
from services.runtime.postgres import Connection, Pool

PARKED_LISTED_MAX = 1_000


async def parked(connection: Connection, limit: int) -> dict[str, Any]:
    """Newest parked events of door and raw topic, without their content."""
    rows = await connection.fetch(
        "SELECT topic, partition, first_offset, reason, detail, source, parked_at FROM parked"
        " ORDER BY parked_at DESC, topic, partition, first_offset DESC LIMIT $1",
        limit,
    )
    counts = await connection.fetch("SELECT reason, count(*) AS n FROM parked GROUP BY reason ORDER BY reason")
    return {
        "parked": [
            {
                "topic": r["topic"], "partition": r["partition"], "offset": r["first_offset"],
                "reason": r["reason"], "detail": r["detail"], "source": r["source"],
                "parked_at": rfc3339(r["parked_at"]),
            }
            for r in rows
        ],
        "by_reason": {r["reason"]: r["n"] for r in counts},
    }  # fmt: skip


async def erased_among(asked_of: Connection | Pool, events: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of these (record id, event id) that are erased."""
    pairs = sorted(set(events))
    rows = await asked_of.fetch(
        """
        SELECT w.r, w.e FROM unnest($1::uuid[], $2::uuid[]) AS w (r, e)
        WHERE EXISTS (SELECT FROM erased_record x WHERE x.record_id = w.r)
           OR EXISTS (SELECT FROM struck_event x WHERE x.event_id = w.e AND x.record_id = w.r)
        """,
        [record for record, _ in pairs],
        [event for _, event in pairs],
    )
    return {(str(r["r"]), str(r["e"])) for r in rows}
