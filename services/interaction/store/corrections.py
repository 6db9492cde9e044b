"""Corrections in: one row for every word that takes an event back.

Owns the SQL that writes them; reading for people is views/items.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.interaction.domain.corrections import Correction
from services.runtime.postgres import Connection


async def insert_corrections(connection: Connection, found: Sequence[Correction]) -> None:
    """Keep these; of several copies of one word the first in the log is kept."""
    if not found:
        return
    await connection.execute(
        """
        INSERT INTO correction (target, event_id, record_id, time, reason, replacement)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::text[], $6::uuid[])
        ON CONFLICT DO NOTHING
        """,
        [c.target for c in found],
        [c.event_id for c in found],
        [c.record_id for c in found],
        [c.time for c in found],
        [c.reason for c in found],
        [c.replacement for c in found],
    )
