"""Segments' questions: which are defined, who is in one, in which a customer is, what a segment's members are worth.

Owns reading SQL only. Who belongs to what is written by the lane (store/memberships.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from schemas.envelope import rfc3339
from services.profile.domain.segments import SEGMENTS, Segment, Segments, read_segments
from services.runtime import policies
from services.runtime.postgres import Connection

FIRST = "00000000-0000-0000-0000-000000000000"
"""Before every customer's id."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A segment in force: as it is judged, and as it was set."""

    segment: Segment
    where: Any

    def shown(self) -> dict[str, Any]:
        """As answers show it."""
        one = self.segment
        return {
            "segment_id": one.segment_id,
            "name": one.name,
            "version": one.version,
            "within": one.within,
            "description": one.description,
            "where": self.where,
        }


class Defined:
    """The segments in force, read again when others are."""

    def __init__(self) -> None:
        self._number: int | None = None
        self._by_id: dict[str, Definition] = {}

    async def now(self, connection: Connection) -> Mapping[str, Definition]:
        """Segments by id; none before the first worker has begun."""
        return await self._at(connection, await number(connection))

    async def of(self, connection: Connection, customers: Sequence[str]) -> dict[str, list[dict[str, Any]]] | None:
        """Customer → the segments he is in, as the document shows them; None before the first worker has begun."""
        rows = await connection.fetch(OF, SEGMENTS, customers)
        if not rows:
            return None
        defined = await self._at(connection, rows[0]["number"])
        found: dict[str, list[dict[str, Any]]] = {}
        for r in rows:
            if r["segment_id"] in defined:
                one = defined[r["segment_id"]].segment
                part = {"segment_id": one.segment_id, "name": one.name, "version": one.version}
                found.setdefault(str(r["customer_id"]), []).append({**part, "since": _time(r["since_ms"])})
        return found

    async def _at(self, connection: Connection, number: int | None) -> Mapping[str, Definition]:
        if number is not None and number != self._number:
            found = await policies.in_force(connection, SEGMENTS)
            listed = found["document"]["segments"]
            by_id = read_segments(found["document"]).by_id
            self._by_id = {i: Definition(one, listed[i]["where"]) for i, one in by_id.items()}
            self._number = found["number"]
        return self._by_id


OF = """
    SELECT f.number, m.customer_id, m.segment_id, m.since_ms
    FROM in_force f LEFT JOIN membership m ON m.customer_id = any($2::uuid[])
    WHERE f.name = $1 ORDER BY m.segment_id
"""


def judging(defined: Mapping[str, Definition]) -> Segments:
    """The segments as they are judged."""
    return Segments({segment_id: one.segment for segment_id, one in defined.items()})


async def number(connection: Connection) -> int | None:
    """Which number of the document is in force; None before the first worker has begun."""
    found: int | None = await connection.fetchval("SELECT number FROM in_force WHERE name = $1", SEGMENTS)
    return found


async def sizes(connection: Connection) -> dict[str, int]:
    """Segment → how many are in it; absent for nobody."""
    rows = await connection.fetch("SELECT segment_id, count(*) AS size FROM membership GROUP BY 1")
    return {r["segment_id"]: r["size"] for r in rows}


async def members(connection: Connection, segment_id: str, after: str, limit: int) -> list[tuple[str, str]]:
    """(customer id, since) of the next members by id."""
    rows = await connection.fetch(
        "SELECT customer_id, since_ms FROM membership WHERE segment_id = $1 AND customer_id > $2"
        " ORDER BY customer_id LIMIT $3",
        segment_id,
        after,
        limit,
    )
    return [(str(r["customer_id"]), _time(r["since_ms"])) for r in rows]


async def since(connection: Connection, segment_id: str, customer_id: str) -> str | None:
    """Since when the customer is in the segment; None where he was not when he was looked at last."""
    found = await connection.fetchval(
        "SELECT since_ms FROM membership WHERE segment_id = $1 AND customer_id = $2", segment_id, customer_id
    )
    return None if found is None else _time(found)


async def among(connection: Connection, segment_id: str, customers: Sequence[str]) -> set[str]:
    """Those of the customers who are in the segment."""
    rows = await connection.fetch(
        "SELECT customer_id FROM membership WHERE segment_id = $1 AND customer_id = any($2::uuid[])",
        segment_id,
        customers,
    )
    return {str(r["customer_id"]) for r in rows}


async def sample(connection: Connection, segment_id: str, limit: int) -> dict[str, str]:
    """The first members by id, each with his grade, "" for none."""
    rows = await connection.fetch(
        "SELECT m.customer_id, coalesce(l.grade, '') AS grade"
        " FROM membership m LEFT JOIN listed l USING (customer_id)"
        " WHERE m.segment_id = $1 ORDER BY m.customer_id LIMIT $2",
        segment_id,
        limit,
    )
    return {str(r["customer_id"]): r["grade"] for r in rows}


SIMILAR = """
    SELECT customer_id FROM listed l WHERE shown AND grade = $1
    AND NOT EXISTS (SELECT FROM membership m WHERE m.segment_id = $2 AND m.customer_id = l.customer_id)
    AND ($3::text IS NULL OR EXISTS (
        SELECT FROM membership m WHERE m.segment_id = $3 AND m.customer_id = l.customer_id))
    ORDER BY customer_id LIMIT $4
"""


async def similar(
    connection: Connection, segment_id: str, within: str | None, members: Mapping[str, str]
) -> list[str]:
    """Customers outside the segment, of the segment around it if there is one; of each grade as many as members."""
    found: list[str] = []
    for grade, count in sorted(Counter(members.values()).items()):
        rows = await connection.fetch(SIMILAR, grade, segment_id, within, count)
        found += [str(r["customer_id"]) for r in rows]
    return found


WORTH = """
    SELECT s.body::json ->> 'currency' AS currency, sum(l.revenue) AS revenue, count(*) AS customers
    FROM membership m JOIN listed l USING (customer_id)
    JOIN section s ON s.customer_id = m.customer_id AND s.service = 'value' AND s.body IS NOT NULL
    WHERE m.segment_id = $1 AND s.body::json ->> 'currency' IS NOT NULL GROUP BY 1 ORDER BY 1
"""


async def worth(connection: Connection, segment_id: str) -> list[dict[str, Any]]:
    """What the members brought, by the currency of each."""
    rows = await connection.fetch(WORTH, segment_id)
    return [{"currency": r["currency"], "revenue": str(r["revenue"]), "customers": r["customers"]} for r in rows]


async def tiers(connection: Connection, segment_id: str) -> dict[str, int]:
    """Grade → members of it; `none`: who has none."""
    rows = await connection.fetch(
        "SELECT coalesce(nullif(l.grade, ''), 'none') AS grade, count(*) AS customers"
        " FROM membership m JOIN listed l USING (customer_id) WHERE m.segment_id = $1 GROUP BY 1 ORDER BY 1",
        segment_id,
    )
    return {r["grade"]: r["customers"] for r in rows}


def _time(time_ms: int) -> str:
    return rfc3339(datetime.fromtimestamp(time_ms / 1_000, UTC))
