"""What was answered under an Idempotency-Key: written before the log has the decision, read when it is asked again.

Owns the table `reply`. A batch that erases waits for who writes here and takes away what was written (store.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from services.runtime.postgres import Connection

KEPT_HOURS = 24
PRUNED_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Reply:
    """What was asked (its SHA-256), under which record the log has it, and what was told."""

    asked: bytes
    record_id: str
    told: dict[str, Any]


async def replied(connection: Connection, treatment_id: str) -> Reply | None:
    """What was answered before under this key."""
    row = await connection.fetchrow("SELECT asked, record_id, told FROM reply WHERE treatment_id = $1", treatment_id)
    return None if row is None else Reply(row["asked"], str(row["record_id"]), orjson.loads(row["told"]))


async def keep(connection: Connection, treatment_id: str, reply: Reply) -> Reply | None:
    """Keep an answer, or find the one that was quicker; None for a person who was erased.

    In a transaction of its own. The lock is that of withdrawing.py: who erases waits for us and deletes what we
    wrote, or we see that he did.
    """
    async with connection.transaction():
        await connection.execute("SELECT FROM withdrawal_count FOR SHARE")
        if await connection.fetchval("SELECT EXISTS (SELECT FROM erased WHERE record_id = $1)", reply.record_id):
            return None
        await connection.execute(
            """
            DELETE FROM reply WHERE treatment_id IN (
                SELECT treatment_id FROM reply WHERE at < now() - make_interval(hours => $1) ORDER BY at LIMIT $2
                FOR UPDATE SKIP LOCKED
            )
            """,
            KEPT_HOURS,
            PRUNED_AT_ONCE,
        )
        await connection.execute(
            "INSERT INTO reply (treatment_id, asked, record_id, told) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            treatment_id,
            reply.asked,
            reply.record_id,
            orjson.dumps(reply.told).decode(),
        )
        return await replied(connection, treatment_id)
