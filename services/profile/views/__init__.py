"""Profile's questions: one customer, many identifiers, everybody in pages.

Owns reading SQL only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from services.profile.domain import BindingTold, Section, Told
from services.runtime.postgres import Connection

NOW = "coalesce((SELECT customer_id FROM binding WHERE record_id = $1), $1)"
"""Today's customer of the id $1, in one step: the binding of the record he was named after."""


async def today(connection: Connection, asked: str) -> str | None:
    """The customer an id stands for today; None where identity tells of nobody under it."""
    found = await connection.fetchval(
        f"SELECT customer_id FROM section WHERE service = 'identity' AND body IS NOT NULL AND customer_id = {NOW}",
        asked,
    )
    return None if found is None else str(found)


async def is_erased(connection: Connection, asked: str) -> bool:
    """Whether the customer of this id was erased."""
    return bool(await connection.fetchval("SELECT erased FROM binding WHERE record_id = $1", asked))


async def ids_of(connection: Connection, customer_id: str) -> list[str]:
    """Every id under which today's customer of this id is, or was, known; the id itself is among them."""
    rows = await connection.fetch(f"SELECT record_id FROM binding WHERE customer_id = {NOW}", customer_id)
    return sorted({customer_id, *(str(r["record_id"]) for r in rows)})


async def bindings(connection: Connection, records: Sequence[str]) -> dict[str, BindingTold]:
    """record id → its binding as told."""
    rows = await connection.fetch(
        "SELECT record_id, customer_id, generic, weight, rivals FROM binding WHERE record_id = any($1::uuid[])",
        records,
    )
    return {
        str(r["record_id"]): BindingTold(
            str(r["record_id"]),
            str(r["customer_id"]),
            r["generic"],
            r["weight"],
            [(str(c), int(w)) for c, w in orjson.loads(r["rivals"])],
        )
        for r in rows
    }


TOLD = """
    SELECT c.customer_id, c.n, c.log_time_ms, s.service, s.members, s.body, s.log_time_ms AS section_ms
    FROM customer c LEFT JOIN section s USING (customer_id) WHERE c.customer_id =
"""


async def customers(connection: Connection, ids: Sequence[str]) -> dict[str, Told]:
    """customer id → row and sections, in one statement; absent when nothing was ever told."""
    return _told(await connection.fetch(f"{TOLD} any($1::uuid[])", ids))


async def customer(connection: Connection, asked: str) -> Told | None:
    """Today's customer of an id he has or had, in one statement; None when nothing was ever told of him."""
    return next(iter(_told(await connection.fetch(f"{TOLD} {NOW}", asked)).values()), None)


def _told(rows: Iterable[Any]) -> dict[str, Told]:
    found: dict[str, tuple[int, int, dict[str, Section]]] = {}
    for r in rows:
        entry = found.setdefault(str(r["customer_id"]), (r["n"], r["log_time_ms"], {}))
        if r["service"] is not None:
            body = orjson.loads(r["body"]) if r["body"] is not None else None
            entry[2][r["service"]] = Section(r["service"], r["members"], body, r["section_ms"])
    return {c: Told(c, n, log_time_ms, sections) for c, (n, log_time_ms, sections) in found.items()}


PAGE = """
    SELECT customer_id, body FROM section WHERE service = 'identity' AND customer_id > $1
    ORDER BY customer_id LIMIT $2
"""


async def identities(connection: Connection, after: str, limit: int) -> list[tuple[str, dict[str, Any] | None]]:
    """(customer id, identity's section, None where it was emptied) of so many customers with greater ids, by id."""
    rows = await connection.fetch(PAGE, after, limit)
    return [(str(r["customer_id"]), orjson.loads(r["body"]) if r["body"] is not None else None) for r in rows]
