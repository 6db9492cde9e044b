"""Who belongs to which segment: rows that follow the sections, and everybody looked at again, a piece at a time.

Owns the tables `membership` and `sweep`, written under the customer's lock. What a segment is, is domain/segments;
reading for people is views/segments.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

from services.profile.domain import Now, Section, Told, document
from services.profile.domain.changing import Detail, segments_moved
from services.profile.domain.documents import withheld
from services.profile.domain.segments import Segments
from services.runtime.postgres import Connection

NOBODY = "00000000-0000-0000-0000-000000000000"
"""Before every id."""


async def follow(
    connection: Connection, segments: Segments, customers: Sequence[str], now: Now
) -> dict[str, list[Detail]]:
    """Let these (locked) customers enter and leave segments by what is known of them; who enters does so at `now`.

    Customer → which he entered and left. While records move, and a section speaks of another person's, everything
    stays: the section comes again.
    """
    before = await _stored(connection, customers)
    gone: list[tuple[str, str]] = []
    new: list[tuple[str, str, bool]] = []
    moves: dict[str, list[Detail]] = {}
    for customer, told in (await _told(connection, customers)).items():
        if told.exists and withheld(told):
            continue
        inside = segments.of(document(customer, told, (), 0, None, now), now.us) if told.exists else {}
        found = {segment_id: segments.ages(segment) for segment_id, segment in inside.items()}
        stored = before.get(customer, {})
        gone += [(segment_id, customer) for segment_id in stored.keys() - found.keys()]
        new += [(segment_id, customer, ages) for segment_id, ages in found.items() if stored.get(segment_id) != ages]
        if moved := segments_moved(stored, found):
            moves[customer] = moved
    await _save(connection, sorted(gone), sorted(new), now.us // 1_000)
    return moves


async def _stored(connection: Connection, customers: Sequence[str]) -> dict[str, dict[str, bool]]:
    """Customer → segment → whether that ages."""
    rows = await connection.fetch(
        "SELECT customer_id, segment_id, ageing FROM membership WHERE customer_id = any($1::uuid[])", customers
    )
    found: dict[str, dict[str, bool]] = {}
    for r in rows:
        found.setdefault(str(r["customer_id"]), {})[r["segment_id"]] = r["ageing"]
    return found


async def _told(connection: Connection, customers: Sequence[str]) -> Mapping[str, Told]:
    """Each of the customers with his sections, without version and time: no condition asks for these."""
    rows = await connection.fetch(
        "SELECT customer_id, service, members, body FROM section"
        " WHERE customer_id = any($1::uuid[]) AND body IS NOT NULL",
        customers,
    )
    sections: dict[str, dict[str, Section]] = {customer: {} for customer in customers}
    for r in rows:
        body = orjson.loads(r["body"])
        sections[str(r["customer_id"])][r["service"]] = Section(r["service"], r["members"], body)
    return {customer: Told(customer, 0, 0, those) for customer, those in sections.items()}


async def _save(
    connection: Connection, gone: Sequence[tuple[str, str]], new: Sequence[tuple[str, str, bool]], since_ms: int
) -> None:
    if gone:
        await connection.execute(
            "DELETE FROM membership m USING unnest($1::text[], $2::uuid[]) AS g (segment_id, customer_id)"
            " WHERE m.segment_id = g.segment_id AND m.customer_id = g.customer_id",
            [segment_id for segment_id, _ in gone],
            [customer for _, customer in gone],
        )
    if new:
        await connection.execute(
            """
            INSERT INTO membership (segment_id, customer_id, ageing, since_ms)
            SELECT s, c, a, $4 FROM unnest($1::text[], $2::uuid[], $3::bool[]) AS n (s, c, a)
            ON CONFLICT (segment_id, customer_id) DO UPDATE SET ageing = excluded.ageing
            """,
            [segment_id for segment_id, _, _ in new],
            [customer for _, customer, _ in new],
            [ages for _, _, ages in new],
            since_ms,
        )


async def customers_after(connection: Connection, after: str, count: int) -> list[str]:
    """The next customers by id, at most `count`."""
    rows = await connection.fetch(
        "SELECT customer_id FROM customer WHERE customer_id > $1 ORDER BY customer_id LIMIT $2", after, count
    )
    return [str(r["customer_id"]) for r in rows]


async def sweep_place(connection: Connection, now_s: int, every_s: int) -> str | None:
    """Whom the round looked at last; NOBODY where one begins, None until it is time. Locks the row."""
    row = await connection.fetchrow("SELECT began_s, after FROM sweep FOR UPDATE")
    if row is not None and row["after"] is not None:
        return str(row["after"])
    if row is None or now_s - row["began_s"] < every_s:
        return None
    await connection.execute("UPDATE sweep SET began_s = $1", now_s)
    return NOBODY


async def swept(connection: Connection, after: str | None) -> None:
    """Everybody up to there was looked at again; all of them, when it is None."""
    await connection.execute("UPDATE sweep SET after = $1", after)
