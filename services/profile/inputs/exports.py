"""Exports asked for, and the copies that were made: kept for a while, thrown away with their customer.

Owns the SQL of `export`. A copy is claimed by the process that makes it; one that dies lets another go on.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from schemas.envelope import rfc3339
from services.runtime.postgres import Connection

KEPT = timedelta(days=7)
CLAIMED_FOR = timedelta(minutes=2)
WAITING, DONE, TOO_LARGE, GONE = "waiting", "done", "too_large", "gone"
_SHOWN = "export_id, customer_id, by, requested_at, state, position, done_at, octet_length(body) AS bytes"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A copy this process has to make."""

    export_id: str
    customer_id: str


async def ask(connection: Connection, customer_id: str, by: str) -> dict[str, Any]:
    """The receipt of a new export."""
    row = await connection.fetchrow(
        f"INSERT INTO export (export_id, customer_id, by) VALUES ($1, $2, $3) RETURNING {_SHOWN}",
        uuid.uuid4(),
        customer_id,
        by,
    )
    return _receipt(row)


async def receipt(connection: Connection, export_id: str) -> dict[str, Any] | None:
    """How far it came; None where there is none of this id, or no more."""
    row = await connection.fetchrow(f"SELECT {_SHOWN} FROM export WHERE export_id = $1", export_id)
    return _receipt(row) if row is not None else None


async def copy(connection: Connection, export_id: str) -> bytes | None:
    """The copy, where it is done."""
    found: bytes | None = await connection.fetchval(
        "SELECT body FROM export WHERE export_id = $1 AND state = $2", export_id, DONE
    )
    return found


async def claim(connection: Connection) -> Wanted | None:
    """The oldest that nobody makes."""
    row = await connection.fetchrow(
        """
        UPDATE export SET claimed_at = now() WHERE export_id = (
            SELECT export_id FROM export
            WHERE state = 'waiting' AND (claimed_at IS NULL OR claimed_at < now() - $1::interval)
            ORDER BY requested_at LIMIT 1 FOR UPDATE SKIP LOCKED
        ) RETURNING export_id, customer_id
        """,
        CLAIMED_FOR,
    )
    return None if row is None else Wanted(str(row["export_id"]), str(row["customer_id"]))


async def finish(
    connection: Connection, export_id: str, state: str, body: bytes | None = None, position: str | None = None
) -> None:
    """It is made, or cannot be; nothing where it was thrown away meanwhile."""
    await connection.execute(
        "UPDATE export SET state = $2, body = $3, position = $4, done_at = now() WHERE export_id = $1",
        export_id,
        state,
        body,
        position,
    )


async def remove_old(connection: Connection) -> None:
    """Throw away what was kept long enough."""
    await connection.execute("DELETE FROM export WHERE requested_at < now() - $1::interval", KEPT)


async def remove_of(connection: Connection, customers: Sequence[str]) -> None:
    """Throw away what was made of these customers, under whatever ids."""
    await connection.execute("DELETE FROM export WHERE customer_id = any($1::uuid[])", customers)


def _receipt(row: Any) -> dict[str, Any]:
    requested_at: datetime = row["requested_at"]
    done_at: datetime | None = row["done_at"]
    return {
        "export_id": str(row["export_id"]),
        "customer_id": str(row["customer_id"]),
        "state": row["state"],
        "requested_at": rfc3339(requested_at),
        "by": row["by"],
        "position": row["position"],
        "done_at": rfc3339(done_at) if done_at else None,
        "expires_at": rfc3339(requested_at + KEPT),
        "bytes": row["bytes"],
    }
