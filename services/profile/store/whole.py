"""All that profile shows of a customer, for comparing two generations, and what is told where they differ.

Owns reading it: his sections as told, and with whom his id answers. Used by rebuilds and swaps, not by batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from schemas.codec import State, Version
from services.profile.domain import IDENTITY
from services.profile.domain.changing import CREATED, MERGED, REMOVED, UPDATED, Detail, noted
from services.runtime.postgres import Connection

ANSWERS_WITH = "answers_with"
REPLAYED = "replay"
"""The cause of what is told after a swap (runtime/retelling.py)."""


async def content(connection: Connection, customers: Sequence[str], _epoch: int) -> list[State]:
    """Each customer's sections by service, and who answers under his id; a state without a body has neither."""
    rows = await connection.fetch(
        """
        SELECT c.id, b.customer_id AS other, s.service, s.members, s.body FROM unnest($1::uuid[]) AS c (id)
        LEFT JOIN binding b ON b.record_id = c.id AND b.customer_id <> c.id
        LEFT JOIN section s ON s.customer_id = c.id AND s.body IS NOT NULL
        """,
        customers,
    )
    found: dict[str, dict[str, Any]] = {}
    for r in rows:
        body = found.setdefault(str(r["id"]), {})
        if r["other"] is not None:
            body[ANSWERS_WITH] = str(r["other"])
        if r["service"] is not None:
            body[r["service"]] = {"members": r["members"], "body": orjson.loads(r["body"])}
    return [State(customer, Version(0, 0), body or None) for customer, body in found.items()]


def retold(state: State, before: dict[str, Any] | None, after: dict[str, Any] | None) -> Detail | None:
    """What is told of a customer after a swap; None where nobody is shown, nor was."""
    was, now = before or {}, after or {}
    sections = sorted(s for s in (was.keys() | now.keys()) - {ANSWERS_WITH} if was.get(s) != now.get(s))
    detail: Detail = {"type": UPDATED, "sections": sections}
    if IDENTITY not in now:
        if IDENTITY not in was:
            return None
        into = now.get(ANSWERS_WITH)
        detail = {"type": MERGED, "from": [state.key], "into": into} if into else {"type": REMOVED}
    elif IDENTITY not in was:
        detail["type"] = CREATED
    elif not sections:
        return None
    return noted(f"{state.version.epoch}.{state.version.n}", detail | {"cause": REPLAYED})
