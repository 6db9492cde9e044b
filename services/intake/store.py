"""Intake's SQL for the door: what could not be taken is kept among what the lane parks.

Owns writing; reading is views.py and runtime/parked.py.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from services.intake.domain.model import Parked
from services.runtime.parking import REQUESTS
from services.runtime.postgres import Connection

ITEM = "c360_item"
"""Header of what was parked of a request: which of its events it is, from 0."""


async def park_at_door(
    connection: Connection, source: str, body: bytes, parked: Sequence[tuple[int, Parked]]
) -> None:
    """Keep what could not be taken, with the whole request it came in. `parked`: (index, why)."""
    await connection.executemany(
        """
        INSERT INTO parked (topic, partition, first_offset, source, reason, detail, value, headers)
        VALUES ($1, 0, nextval('parked_at_door'), $2, $3, $4, $5, $6)
        """,
        [
            (REQUESTS, source, p.reason, p.detail.replace("\0", ""), body, json.dumps([[ITEM, str(index)]]))
            for index, p in parked
        ],
    )
