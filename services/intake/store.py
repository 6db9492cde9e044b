"""Intake's SQL for the door: what could not be taken is kept. Raw records are parked by the lane.

Owns writing; reading is views.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.intake.domain.model import Parked
from services.runtime.postgres import Connection


async def park_at_door(
    connection: Connection, source: str, body: bytes, parked: Sequence[tuple[int, Parked]]
) -> None:
    """Keep what could not be taken, with the whole request it came in. `parked`: (index, why)."""
    await connection.executemany(
        "INSERT INTO door_parked (source, reason, detail, body, item) VALUES ($1, $2, $3, $4, $5)",
        [(source, p.reason, p.detail.replace("\0", ""), body, index) for index, p in parked],
    )
