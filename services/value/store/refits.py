"""Value's SQL for what nightly refits came to.

Owns the table `refit` of the service's own schema, which outlives generations.
"""

from __future__ import annotations

import orjson

from services.runtime.postgres import Connection
from services.value.domain.refitting import REFUSED, Outcome

KEPT_DAYS = 400


async def is_done(connection: Connection, day: int) -> bool:
    """Whether the refit of this business day came to an end."""
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM refit WHERE day = $1)", day))


async def note(connection: Connection, day: int, outcome: Outcome) -> None:
    """Keep what a refit came to, in the caller's transaction; the policy only of what was refused."""
    refused = orjson.dumps(outcome.document).decode() if outcome.outcome == REFUSED else None
    await connection.execute(
        "INSERT INTO refit (day, outcome, version, reasons, document) VALUES ($1, $2, $3, $4, $5)",
        day,
        outcome.outcome,
        outcome.version,
        list(outcome.reasons),
        refused,
    )
    await connection.execute("DELETE FROM refit WHERE day < $1", day - KEPT_DAYS)
