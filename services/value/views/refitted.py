"""What nightly refits came to, for people.

Owns reading the table `refit`; store/refits.py writes it.
"""

from __future__ import annotations

from typing import Any

import orjson

from schemas.envelope import rfc3339
from services.runtime.postgres import Connection
from services.value.domain.days import date_of

LISTED, LISTED_MAX = 7, 400


async def newest(connection: Connection, count: int) -> list[dict[str, Any]]:
    """The newest refits, the last one first, with the policy that has the refused model."""
    rows = await connection.fetch(
        "SELECT day, outcome, version, reasons, document, at FROM refit ORDER BY day DESC LIMIT $1", count
    )
    return [
        {
            "day": date_of(r["day"]).isoformat(),
            "outcome": r["outcome"],
            "version": r["version"],
            "refused": r["reasons"],
            "at": rfc3339(r["at"]),
            "document": None if r["document"] is None else orjson.loads(r["document"]),
        }
        for r in rows
    ]
